"""The ticker: rings the bell for rows that are ready, and does what comes round.

Nothing depends on there being exactly one: two tickers ring twice, and their jobs are guarded by
locks and slots in the database. Nor on the broker: ringing has a thread of its own, which may hang.
"""

import logging
import threading

import psycopg
import redis
from django.db import Error, connection
from django.utils.module_loading import import_string
from kombu.exceptions import OperationalError as BrokerError

from anomalyshield import bell, leases, pulse
from scoring.tasks import PULSES, WORK, Pulse, work_named

log = logging.getLogger(__name__)
POLL_SECONDS = 0.5
LONGEST_PAUSE = 5.0
MOST_BELLS = 8  # bells waiting in a queue; more of them would tell nobody anything new


class Ringer(threading.Thread):
    """Rings what was asked for. Asked twice before it gets to it, it rings once."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__(name="ringer", daemon=True)
        self.stop = stop
        self.names: set[str] = set()
        self.asked = threading.Event()

    def ask(self, name: str) -> None:
        if any(work.name == name for work in WORK):
            self.names.add(name)
            self.asked.set()
        else:
            log.warning("no such work: %r", name)

    def run(self) -> None:
        pause = 0.0
        while not self.stop.wait(pause):
            self.asked.wait()
            self.asked.clear()
            pause = 0.0 if self._ring_all() else min(pause * 2 or POLL_SECONDS, LONGEST_PAUSE)

    def _ring_all(self) -> bool:
        try:
            while self.names:
                self._ring(self.names.pop())
        except (BrokerError, redis.RedisError, OSError) as error:
            # The rest is forgotten: the next poll asks again for what is ready then.
            self.names.clear()
            log.warning("the bell does not ring; workers look by themselves every 2 s: %s", error)
            return False
        return True

    def _ring(self, name: str) -> None:
        queue = work_named(name).queue
        if bell.waiting(queue) < MOST_BELLS:
            bell.ring(name, queue)


def listen(ringer: Ringer, stop: threading.Event) -> None:
    """Ring on every NOTIFY at once, and every half second for whatever is ready; reconnects."""
    while not stop.is_set():
        try:
            with psycopg.connect(**connection.get_connection_params(), autocommit=True) as session:
                session.execute(f"LISTEN {bell.CHANNEL}")
                while not stop.is_set():
                    _one_round(session, ringer)
        except (Error, psycopg.Error) as error:
            log.warning("the ticker lost the database: %s", error)
            connection.close()
            stop.wait(POLL_SECONDS)


def _one_round(session: psycopg.Connection, ringer: Ringer) -> None:
    for name in [work.name for work in WORK if leases.ready(work.rows)]:
        ringer.ask(name)
    pulse.show("ticker")
    for notice in session.notifies(timeout=POLL_SECONDS):
        ringer.ask(notice.payload)


def repeat(beat: Pulse, stop: threading.Event) -> None:
    """Do one pulse again and again in the calling thread; a failure waits for the next time."""
    while not stop.wait(beat.every):
        try:
            import_string(beat.does)()
        except Exception:
            log.exception("%s failed", beat.name)
            connection.close_if_unusable_or_obsolete()
    connection.close()


def tick(stop: threading.Event) -> None:
    """Until `stop` is set. Each pulse has its own thread, so a slow one delays no other."""
    ringer = Ringer(stop)
    threads = [threading.Thread(target=repeat, args=(beat, stop), daemon=True) for beat in PULSES]
    for thread in [ringer, *threads]:
        thread.start()
    listen(ringer, stop)
    for thread in threads:
        thread.join(timeout=2)
