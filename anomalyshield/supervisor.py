"""Keeps a set of children running: what dies is started again, after a pause that grows."""

import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from types import FrameType

from anomalyshield.children import Child

FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
STABLE_SECONDS = 60  # after this long a child has earned a short pause again
LOOK_SECONDS = 0.3
PATIENCE = 7.0


class Stop(BaseException):
    """Somebody asked us to stop. A BaseException, so that no `except Exception` swallows it."""


@dataclass
class Watched:
    """A child, how it is started, and how often that failed of late."""

    child: Child
    start: Callable[[], object]
    started: float = 0.0
    pause: float = FIRST_PAUSE
    due: float | None = None  # dead, to be started again at this time
    longest: float | None = None  # its own longest pause

    def look(self, now: float) -> str | None:
        """Restart a dead child when its time has come; a sentence when it is found dead."""
        if self.child.alive:
            return None
        if self.due is None:
            if now - self.started > STABLE_SECONDS:
                self.pause = FIRST_PAUSE
            longest = self.longest or LONGEST_PAUSE
            self.due, self.pause = now + self.pause, min(self.pause * 2, longest)
            ended = f"{self.child.name} ended (exit code {self.child.exit_code})"
            return f"{ended}; starting it again. Its words: {self.child.log}"
        if now >= self.due:
            self.due, self.started = None, now
            self.start()
        return None


class Supervisor:
    """Starts, watches and stops. Children are watched from the moment they are added."""

    def __init__(self, say: Callable[[str], object]) -> None:
        self.say = say
        self.watched: list[Watched] = []
        self.also: Callable[[], object] = lambda: None  # done at every look

    def add(
        self,
        child: Child,
        start: Callable[[], object] | None = None,
        longest: float | None = None,
    ) -> None:
        began = time.monotonic()
        watched = Watched(child, start or child.start, started=began, longest=longest)
        self.watched.append(watched)
        watched.start()

    def hurry(self, child: Child) -> None:
        """What it died of may be mended: no pause any more."""
        for one in self.watched:
            if one.child is child:
                one.pause = FIRST_PAUSE
                one.due = None if one.due is None else time.monotonic()

    def remove(self, child: Child) -> None:
        """Nobody wants it any more."""
        self.watched = [one for one in self.watched if one.child is not child]
        child.stop()

    def watch(self) -> None:
        """Until a Stop is raised by one of the signals of `heed_signals`."""
        while True:
            for watched in self.watched:
                self._look(watched)
            self.also()
            time.sleep(LOOK_SECONDS)

    def _look(self, watched: Watched) -> None:
        try:
            sentence = watched.look(time.monotonic())
        except Exception as error:  # e.g. PostgreSQL ended again while it was starting
            sentence = f"{watched.child.name} does not start: {error}"
        if sentence:
            self.say(sentence)

    def stop(self) -> None:
        """All at once; whoever has not ended after `PATIENCE` seconds is killed, which the leases
        of the work make safe."""
        for watched in self.watched:
            watched.child.ask_to_stop()
        deadline = time.monotonic() + PATIENCE
        for watched in self.watched:
            watched.child.end_by(deadline)


def heed_signals() -> None:
    """From here on Ctrl-C, SIGTERM and a closed terminal raise Stop in the main thread.

    Unless the terminal is not to matter: `nohup make run &` goes on when it closes.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _stop)


def ignore_signals() -> None:
    """While stopping: a second Ctrl-C must not leave half of it running."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _stop(number: int, frame: FrameType | None) -> None:
    raise Stop
