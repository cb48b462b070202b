"""Places where a test may kill, stop or delay a real process. Nothing outside of tests.

`ANOMALYSHIELD_FAULTS="chunk.before_commit=kill9@3;seal.numbered=sleep:5"` means: the third time
this process comes by, kill it; sleep five seconds each time.
"""

import os
import signal
import time

_passed: dict[str, int] = {}


def point(name: str) -> None:
    """Do here what the test asked for; without ANOMALYSHIELD_ENV=test nothing, ever."""
    wanted = os.environ.get("ANOMALYSHIELD_FAULTS")
    if not wanted or os.environ.get("ANOMALYSHIELD_ENV") != "test":
        return
    for entry in wanted.split(";"):
        place, _, order = entry.partition("=")
        if place.strip() == name:
            _obey(name, order.strip())


def _obey(name: str, order: str) -> None:
    order, _, turn = order.partition("@")
    _passed[name] = _passed.get(name, 0) + 1
    if turn and _passed[name] != int(turn):
        return
    verb, _, argument = order.partition(":")
    match verb:
        case "kill9":
            os.kill(os.getpid(), signal.SIGKILL)
        case "stop":
            os.kill(os.getpid(), signal.SIGSTOP)
        case "sleep":
            time.sleep(float(argument))
        case "raise":
            raise RuntimeError(f"fault at {name}")
        case _:
            raise ValueError(f"no such fault: {order!r}")
