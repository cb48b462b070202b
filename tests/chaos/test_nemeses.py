"""Whatever befalls it, what was acknowledged is stored once, decided once and raised once.

One stack lives through one nemesis after another, as an installation does through its years.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

import pytest

from tests.chaos.checker import Verdict, judged, settled
from tests.chaos.conftest import noted
from tests.chaos.nemeses import DISK, NEMESES, SHORT, Nemesis, kill_workers
from tests.chaos.stack import until
from tests.chaos.traffic import Traffic
from tests.chaos.whole import Whole, free_port, running
from tests.webhooks.making import Receiver, listening

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="kills processes as Linux does"),
]
LONG = bool(os.environ.get("CHAOS"))  # `make chaos`; else one nemesis that is all of them
SECONDS = float(os.environ.get("CHAOS_SECONDS", "8"))  # that a nemesis acts
CLIENTS = 4
ROOM = "450m"  # of the small disk: the servers' files, and a day of traffic
numbers = count(1)


@pytest.fixture(scope="module")
def stack() -> Iterator[Whole]:
    with running() as stack:
        yield stack


def befallen(stack: Whole, nemesis: Nemesis, notes: Path) -> Verdict:
    """Traffic, and the nemesis in the midst of it; then what is left of both.

    What clients note lies elsewhere than what the nemesis may fill or take away.
    """
    before, first = stack.deaths, next(numbers) * CLIENTS
    traffic = Traffic.of(notes, stack.door.port, stack.key, CLIENTS, first)
    with nemesis.around(stack):
        traffic.start()
        try:
            nemesis.act(stack, SECONDS)
        finally:
            answered = traffic.end()
    assert answered, f"a client waits for its answer in vain: {stack.logs()[-3000:]}"
    seconds = settled(stack)
    histories = [one.history for one in traffic.clients]
    verdict = judged(stack, histories)
    noted(nemesis.name, verdict, traffic.statuses, stack.deaths - before, seconds)
    return verdict


@pytest.mark.parametrize("nemesis", NEMESES if LONG else SHORT, ids=lambda one: one.name)
def test_what_was_acknowledged_is_stored_decided_and_raised_once(
    stack: Whole, nemesis: Nemesis, tmp_path: Path
) -> None:
    if nemesis.missing:
        pytest.skip(nemesis.missing)
    verdict = befallen(stack, nemesis, tmp_path)
    assert verdict.breaches == []
    assert verdict.acknowledged, "nothing was acknowledged: nothing was shown"
    assert verdict.files, "no file was acknowledged"
    assert verdict.duplicates == 0


ENDPOINTS = """
from tests.webhooks.making import endpoint
for url in {urls!r}:
    endpoint(url, events=["anomaly.detected"])
"""


@pytest.mark.skipif(not LONG, reason="part of `make chaos`")
def test_a_receiver_that_is_well_hears_of_everything_while_others_hang_or_are_dead(
    stack: Whole, tmp_path: Path
) -> None:
    with listening() as well, listening() as hanging:
        hanging.hangs = 30
        dead = f"http://127.0.0.1:{free_port()}/hook"
        stack.shell(ENDPOINTS.format(urls=[well.url, hanging.url, dead]))
        verdict = befallen(stack, Nemesis("receivers dead or slow", kill_workers), tmp_path)
        assert verdict.breaches == []
        until(lambda: len(heard(well)) == verdict.alerted, "each anomaly told to whom is well", 600)
    assert len(set(well.ids)) == verdict.alerted, "what comes twice comes under the same id"


def heard(receiver: Receiver) -> set[int]:
    return {json.loads(body)["data"]["decision"] for _, body in list(receiver.got)}


def test_the_audit_trail_is_whole_after_all_of_it(stack: Whole) -> None:
    stack.command("verify_audit")


@contextmanager
def small_disk() -> Iterator[Path]:
    """A file system of its own, where the servers' user may enter: pytest's folders are root's."""
    folder = Path(tempfile.mkdtemp(prefix="anomalyshield-disk-"))
    options = ["-t", "tmpfs", "-o", f"size={ROOM},mode=755", "tmpfs", str(folder)]
    subprocess.run(["mount", *options], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)
        folder.rmdir()


@pytest.mark.skipif(not LONG, reason="a disk is filled by `make chaos`")
@pytest.mark.skipif(bool(DISK.missing), reason=DISK.missing or "it can be done")
def test_a_full_disk_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    with small_disk() as folder, running(folder) as stack:
        assert stack.servers.site.data.is_relative_to(folder), "the servers write elsewhere"
        verdict = befallen(stack, DISK, tmp_path)
        assert verdict.breaches == []
        assert verdict.acknowledged
