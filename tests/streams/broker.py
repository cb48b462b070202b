"""A real Apache Kafka on this machine: one process that is broker and controller (KRaft).

Its jars come from Maven Central by the `pom.xml` beside this file and stay in ~/.m2.
"""

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    NewTopic,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)

from anomalyshield.children import dies_with_parent
from tests.certificates import Authority

POM = Path(__file__).with_name("pom.xml")
FETCH_SECONDS, START_SECONDS = 300, 90
# Small, and quick to start rather than quick to run.
JVM = ("-Xms64m", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")
SETTINGS = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{control}
listeners=PLAINTEXT://127.0.0.1:{port},SASL_SSL://127.0.0.1:{secure},CONTROLLER://127.0.0.1:{control}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_SSL://localhost:{secure}
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT
ssl.keystore.type=PEM
ssl.keystore.location={folder}/server.chain
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config={login}.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config={login}.plain.PlainLoginModule required \
  user_fraud="{secret}";
controller.listener.names=CONTROLLER
log.dirs={folder}/data
num.network.threads=1
num.io.threads=2
offsets.topic.num.partitions=1
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
auto.create.topics.enable=false
log.retention.check.interval.ms=500
log.segment.delete.delay.ms=100
"""


LOGIN = "org.apache.kafka.common.security"
USER, SECRET = "fraud", "a secret of theirs"


class Absent(Exception):
    """Why there can be no broker here, in a sentence."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def classpath() -> str:
    """Where the jars lie; fetched on first use, and asked of Maven once per pom."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise Absent(f"Kafka needs {program}, which is not installed here")
    named = hashlib.sha256(POM.read_bytes()).hexdigest()[:16]
    kept = Path.home() / ".m2" / f"anomalyshield-{named}.classpath"
    if kept.exists() and all(Path(jar).exists() for jar in kept.read_text().split(":")):
        return kept.read_text()
    paths = _fetched()
    fresh = kept.with_suffix(f".{os.getpid()}")
    fresh.write_text(paths)
    fresh.replace(kept)
    return paths


def _fetched() -> str:
    with tempfile.NamedTemporaryFile(suffix=".classpath") as file:
        goal = ["dependency:build-classpath", f"-Dmdep.outputFile={file.name}"]
        for more in (["-o"], []):  # offline first: asking for newer plug-ins takes a minute
            command = ["mvn", "-q", "-B", *more, "-f", str(POM), *goal]
            try:
                done = subprocess.run(command, capture_output=True, timeout=FETCH_SECONDS)
            except subprocess.TimeoutExpired:
                raise Absent("Maven did not fetch Kafka's jars in time") from None
            if done.returncode == 0 and (paths := Path(file.name).read_text().strip()):
                return paths
    raise Absent("Kafka's jars cannot be fetched from Maven Central")


@dataclass
class Broker:
    """One broker in a folder of its own, which may be killed and started again."""

    folder: Path
    paths: str
    port: int = field(default_factory=free_port)
    secure: int = field(default_factory=free_port)  # TLS, and who comes in must log in
    control: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def servers(self) -> str:
        return f"127.0.0.1:{self.port}"

    def prepare(self) -> None:
        self.authority = Authority(self.folder)
        certificate, key = self.authority.issue()
        chain = key.read_text() + certificate.read_text()
        (self.folder / "server.chain").write_text(chain)
        ports = {"port": self.port, "secure": self.secure, "control": self.control}
        text = SETTINGS.format(**ports, folder=self.folder, login=LOGIN, secret=SECRET)
        (self.folder / "server.properties").write_text(text)
        # 22 characters of base64, as Kafka names its clusters.
        name = "AS" + uuid.uuid4().hex[:20]
        self._java("kafka.tools.StorageTool", "format", "-t", name, "-c").wait(START_SECONDS)

    def start(self) -> None:
        self.process = self._java("kafka.Kafka")
        self.answers()

    def answers(self) -> None:
        admin, deadline = self.admin(), time.monotonic() + START_SECONDS
        while True:
            try:
                admin.list_topics(timeout=1)
                return
            except KafkaException:
                assert self.process is not None
                assert self.process.poll() is None, self.words()
                assert time.monotonic() < deadline, self.words()

    def _java(self, program: str, *words: str) -> subprocess.Popen[bytes]:
        settings = str(self.folder / "server.properties")
        with (self.folder / "broker.log").open("ab") as log:
            return subprocess.Popen(
                ["java", *JVM, "-cp", self.paths, program, *words, settings],
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=dies_with_parent(signal.SIGKILL),
            )

    def words(self) -> str:
        return (self.folder / "broker.log").read_text(errors="replace")[-3000:]

    def kill(self) -> None:
        """kill -9, as a power cut would."""
        assert self.process is not None
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.kill()

    # --- what tests do with it --------------------------------------------------------------------
    def entered(self) -> dict[str, Any]:
        """How a source says that it comes in by TLS and a log-in; the password is a secret."""
        self._let_in(USER, SECRET)
        return {
            "bootstrap_servers": [f"localhost:{self.secure}"],
            "tls": True,
            "username": USER,
            "ca_file": str(self.authority.file),
        }

    def _let_in(self, user: str, password: str) -> None:
        kind = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4096)
        admin = self.admin()
        wanted = [UserScramCredentialUpsertion(user, kind, password.encode())]
        admin.alter_user_scram_credentials(wanted)[user].result(20)

    def admin(self) -> AdminClient:
        return AdminClient(
            {"bootstrap.servers": self.servers, "reconnect.backoff.max.ms": 200, "log_level": 0}
        )

    def topic(self, partitions: int = 1, name: str = "", **config: str) -> str:
        """A new topic of that name, or of one nobody else has."""
        name = name or f"payments-{uuid.uuid4().hex[:8]}"
        settings = {key.replace("_", "."): value for key, value in config.items()}
        admin = self.admin()  # lives on in this frame: its answers end with it
        made = admin.create_topics([NewTopic(name, partitions, config=settings)])
        made[name].result(20)
        return name

    def send(self, topic: str, messages: list[tuple[str | None, Any]], **more: Any) -> None:
        """Key and value of each, in this order; returns when the broker has them."""
        room = {"queue.buffering.max.messages": max(100_000, len(messages))}  # all at once
        told = {"bootstrap.servers": self.servers, "acks": "all", "linger.ms": 5}
        producer = Producer({**told, **room})
        for key, value in messages:
            producer.produce(topic, value, key, **more)
        assert producer.flush(30) == 0

    def read(self, topic: str, many: int, seconds: float = 20) -> list[Any]:
        """The first so many messages of a topic of one partition."""
        consumer = Consumer({"bootstrap.servers": self.servers, "group.id": uuid.uuid4().hex})
        consumer.assign([TopicPartition(topic, 0, 0)])
        found: list[Any] = []
        deadline = time.monotonic() + seconds
        while len(found) < many and time.monotonic() < deadline:
            found += [one for one in consumer.consume(many, 0.2) if one.error() is None]
        consumer.close()
        return found

    def members(self, group: str) -> list[int]:
        """How many partitions each member of a group has."""
        admin = self.admin()
        found = admin.describe_consumer_groups([group])[group].result(20)
        return sorted(len(one.assignment.topic_partitions) for one in found.members)

    def delete_before(self, topic: str, offset: int) -> None:
        """As retention does with what is old."""
        where = TopicPartition(topic, 0, offset)
        admin = self.admin()
        admin.delete_records([where])[where].result(20)

    def drop(self, topic: str) -> None:
        admin = self.admin()
        admin.delete_topics([topic])[topic].result(20)
        deadline = time.monotonic() + 20
        while topic in admin.list_topics(timeout=5).topics:
            assert time.monotonic() < deadline
            time.sleep(0.1)
