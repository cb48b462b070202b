"""A broker ends with whoever started it, however that ends: none is left behind."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.streams.broker import Absent, classpath
from tests.streams.reading import PROJECT, wait_for

pytestmark = [
    pytest.mark.streams,
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="the kernel of Linux is asked for it"),
]
START = """
import sys, time
from pathlib import Path
from tests.streams.broker import Broker, classpath
broker = Broker(Path(sys.argv[1]), classpath())
broker.prepare()
broker.start()
print(broker.process.pid, flush=True)
time.sleep(600)
"""


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGKILL])
def test_a_broker_ends_with_who_started_it(tmp_path: Path, end: signal.Signals) -> None:
    try:
        classpath()
    except Absent as reason:
        pytest.skip(str(reason))
    started = subprocess.Popen(
        [sys.executable, "-c", START, str(tmp_path)], cwd=PROJECT, stdout=subprocess.PIPE
    )
    try:
        assert started.stdout is not None
        broker = Path("/proc") / started.stdout.readline().decode().strip()
        assert b"kafka" in (broker / "cmdline").read_bytes()
    finally:
        started.send_signal(end)
        started.wait()
    wait_for(lambda: not running(broker), "the broker ends", 10)


def running(process: Path) -> bool:
    """One that ended and was not yet asked how it ended holds no port any more."""
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
