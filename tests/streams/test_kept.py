"""`manage.py up` keeps a listener for a source, whatever kills it, and nothing is lost."""

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from anomalyshield import condition, holder, listeners, supervisor
from anomalyshield.children import Child
from anomalyshield.listeners import Listeners
from anomalyshield.supervisor import Stop, Supervisor
from anomalyshield.together import alone
from scoring.models import Transaction
from tests.streams.mosquitto import Mosquitto
from tests.streams.reading import PATIENCE, PROJECT, environment, payment, said, source
from tests.streams.test_crashes import once_each, stored

pytestmark = [
    pytest.mark.streams,
    pytest.mark.processes,
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(sys.platform != "linux", reason="kills processes as Linux does"),
]
TOPIC = "payments/terminal/7"
# The first two die by themselves: between commit and acknowledgement, and before the decision.
PLACES = ["stream.stored=kill9@1", "chunk.before_commit=kill9@1"]


class Doomed(Child):
    """A listener whose first lives end where PLACES says."""

    lives = 0

    def start(self) -> None:
        fault = PLACES[self.lives] if self.lives < len(PLACES) else ""
        self.env = {**os.environ, **environment(), "ANOMALYSHIELD_FAULTS": fault}
        self.lives += 1
        super().start()


class Kept:
    """A supervisor in this process that ends its watch once something holds."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.said = folder, []
        self.supervisor = Supervisor(self.said.append)
        made = environment()["DATABASE_URL"]
        self.listeners = Listeners(self.supervisor, self._child, made)

    def _child(self, name: str, *words: str) -> Child:
        return Doomed(name, [sys.executable, *words], self.folder / "child.log", cwd=PROJECT)

    def until(self, holds: Callable[[], Any], what: str) -> None:
        deadline = time.monotonic() + 2 * PATIENCE

        def also() -> None:
            self.listeners.look()
            if holds():
                raise Stop
            assert time.monotonic() < deadline, f"not in time: {what}; {self.said}; {self.words()}"

        self.supervisor.also = also
        with suppress(Stop):
            self.supervisor.watch()

    @property
    def child(self) -> Doomed:
        [one] = self.listeners.kept.values()
        assert isinstance(one, Doomed)
        return one

    def words(self) -> str:
        log = self.folder / "child.log"
        return log.read_text()[-2000:] if log.exists() else ""


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Kept]:
    monkeypatch.setattr(listeners, "LOOK_SECONDS", 0.3)
    monkeypatch.setattr(supervisor, "LONGEST_PAUSE", 0.2)
    made = Kept(tmp_path)
    yield made
    made.supervisor.stop()
    holder.stop()  # its session would be lost with the tables


class Traffic(threading.Thread):
    """Publishes payment after payment until it is told that it is enough."""

    def __init__(self, mosquitto: Mosquitto) -> None:
        super().__init__(daemon=True)
        self.mosquitto, self.enough, self.sent = mosquitto, threading.Event(), 1

    def run(self) -> None:
        while not self.enough.wait(0.05):
            self.mosquitto.publish(TOPIC, [said(payment(self.sent))])
            self.sent += 1


def test_a_new_source_is_listened_to_and_a_listener_killed_in_the_midst_of_traffic_loses_nothing(
    kept: Kept, mosquitto: Mosquitto
) -> None:
    kept.until(lambda: not kept.listeners.kept, "nobody is wanted yet")
    where = {"host": "127.0.0.1", "port": mosquitto.port, "topic": "payments/#"}
    bank = source("terminals", "mqtt", connection=where)
    # Until it is heard: a session begins with the first subscription.
    first = said(payment(0))
    kept.until(lambda: mosquitto.publish(TOPIC, [first]) or stored(), "it was picked up")
    traffic = Traffic(mosquitto)
    traffic.start()
    kept.until(lambda: kept.child.lives == 3 and stored() > 20, "it died twice where it should")
    os.kill(kept.child.process.pid, signal.SIGKILL)
    seen = stored()
    kept.until(lambda: kept.child.lives == 4 and stored() > seen, "another goes on")
    traffic.enough.set()
    traffic.join()
    kept.until(lambda: once_each(traffic.sent), "each payment is stored and decided once")
    assert Transaction.objects.count() == traffic.sent
    kept.until(lambda: alone(condition.streams())[0].cure == "", "the health page knows it")
    assert sum("ended (exit code -9); starting it again" in one for one in kept.said) == 3
    bank.active = False
    bank.save()
    kept.until(lambda: not kept.listeners.kept, "switched off, it goes")
