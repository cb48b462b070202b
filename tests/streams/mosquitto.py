"""A real Mosquitto on this machine, with a session store of its own, which may be killed."""

import os
import shutil
import signal
import subprocess
import time
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho

from anomalyshield.children import dies_with_parent
from tests.certificates import Authority
from tests.streams.broker import Absent, free_port

SETTINGS = """
listener {port} 127.0.0.1
allow_anonymous true
persistence true
persistence_location {folder}/
autosave_interval 1
autosave_on_changes true
max_queued_messages 0
"""
# Beside it a door with TLS that only lets in who logs in.
SECURE = """
per_listener_settings true
listener {port} 127.0.0.1
allow_anonymous false
password_file {folder}/passwords
certfile {certificate}
keyfile {key}
"""
USER, SECRET = "tills", "a secret of theirs"


def program() -> str:
    found = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if found is None:
        raise Absent("Mosquitto is not installed here: apt-get install mosquitto")
    return found


@dataclass
class Mosquitto:
    """A broker of MQTT."""

    folder: Path
    port: int = field(default_factory=free_port)
    secure: int = 0  # opened by `entered`
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        text = SETTINGS.format(port=self.port, folder=self.folder)
        if os.geteuid() == 0:
            text += "user root\n"  # else it becomes somebody who may not enter the folder
        if self.secure:
            text = self._secured() + text
        settings = self.folder / "mosquitto.conf"
        settings.write_text(text)
        with (self.folder / "mosquitto.log").open("ab") as log:
            self.process = subprocess.Popen(
                [program(), "-c", settings],
                stdout=log,
                stderr=log,
                preexec_fn=dies_with_parent(signal.SIGKILL),
            )
        deadline = time.monotonic() + 20
        while True:
            try:
                self.publisher().disconnect()
                return
            except OSError:
                assert time.monotonic() < deadline, (self.folder / "mosquitto.log").read_text()
                time.sleep(0.05)

    def entered(self) -> dict[str, Any]:
        """Start again with a door for who logs in; how a source says that, without the secret."""
        self.stop()
        self.secure = free_port()
        self.start()
        return {
            "host": "localhost",
            "port": self.secure,
            "tls": True,
            "username": USER,
            "ca_file": str(self.folder / "authority.pem"),
        }

    def _secured(self) -> str:
        certificate, key = Authority(self.folder).issue()
        maker = shutil.which("mosquitto_passwd")
        assert maker is not None
        passwords = self.folder / "passwords"
        subprocess.run(
            [maker, "-b", "-c", passwords, USER, SECRET], check=True, capture_output=True
        )
        said = {"certificate": certificate, "key": key, "folder": self.folder}
        return SECURE.format(port=self.secure, **said)

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(how)
            self.process.wait()

    def publisher(self) -> paho.Client:
        client = paho.Client(
            paho.CallbackAPIVersion.VERSION2, uuid.uuid4().hex, protocol=paho.MQTTv5
        )
        client.connect("127.0.0.1", self.port)
        return client

    def publish(self, topic: str, payloads: list[bytes]) -> None:
        """Returns when the broker acknowledged each of them."""
        client = self.publisher()
        client.loop_start()
        for one in [client.publish(topic, payload, qos=1) for payload in payloads]:
            one.wait_for_publish(20)
        client.disconnect()
        client.loop_stop()
