"""A file through the real pipeline while its workers are killed: each row decided exactly once."""

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.chaos.stack import Stack, booted, until

pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="finds the pool's children in /proc"),
]
ROWS = 2000
RECEIVE = """
from pathlib import Path
from scoring.models import Source
from scoring.uploads import receive
source = Source.objects.create(name="chaos", kind="csv")
receive(by="command", source=source, name="day.csv", file=Path({path!r}).open("rb"), options={{}})
"""


@pytest.fixture(scope="module")
def stack() -> Iterator[Stack]:
    with booted("anomalyshield.settings") as stack:
        yield stack


def write_file(stack: Stack) -> str:
    dice = random.Random(7)
    lines = ["transaction_id,user_id,amount,timestamp,merchant_category,city"]
    for row in range(ROWS):
        moment = f"2026-10-{1 + row % 28:02d}T{row % 24:02d}:{row % 60:02d}:00Z"
        amount = round(dice.lognormvariate(3, 1), 2)
        lines.append(f"t{row},user{row % 150},{amount},{moment},grocery,Bern")
    path = stack.folder / "day.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


def one(stack: Stack, sql: str) -> object:
    return stack.ask(sql)[0][0]


def test_a_file_is_decided_row_by_row_once_whoever_dies(stack, capsys):
    # Every worker process dies with its fifth chunk, after deciding it and before the commit.
    stack.faults = "chunk.before_commit=kill9@5"
    stack.workers = [stack.worker(), stack.worker()]
    stack.ticker()
    stack.shell(RECEIVE.format(path=write_file(stack)))
    until(lambda: one(stack, "SELECT state <> 'READY' FROM scoring_upload"), "a worker began")
    dice, start = random.Random(11), time.monotonic()
    finished = "SELECT count(*) FROM scoring_upload WHERE stage = 'FINISHED'"
    while not one(stack, finished):
        assert time.monotonic() - start < 240, stack.logs()[-4000:]
        stack.replace_dead_workers()
        # Not faster than a process warms up: a row whose worker dies four times is set aside.
        time.sleep(2.5)
        children = [pid for worker in stack.workers for pid in stack.forked(worker)]
        with suppress(ProcessLookupError, IndexError):
            os.kill(dice.choice(children), signal.SIGKILL)
    seconds = time.monotonic() - start
    aside = "SELECT count(*) FROM scoring_chunk WHERE state = 'QUARANTINED'"
    assert one(stack, aside) == 0
    assert one(stack, "SELECT scored FROM scoring_upload") == ROWS
    assert one(stack, "SELECT count(DISTINCT external_id) FROM scoring_transaction") == ROWS
    assert one(stack, "SELECT count(*) FROM scoring_transaction") == ROWS
    assert one(stack, "SELECT count(DISTINCT transaction_id) FROM scoring_decision") == ROWS
    assert one(stack, "SELECT count(*) FROM scoring_snapshot") == ROWS
    reviewable = one(stack, "SELECT count(*) FROM scoring_decision WHERE reviewable")
    alerts = "SELECT count(*), count(DISTINCT decision_id) FROM alerts_alerthit"
    until(lambda: stack.ask(alerts) == [(reviewable, reviewable)], "one hit per decision")
    tried = "SELECT count(*), max(attempts) FROM scoring_chunk WHERE attempts > 1"
    [[again, most]] = stack.ask(tried)
    with capsys.disabled():
        print(
            f"\n  {ROWS} rows decided once in {seconds:.0f} s; {again} chunks begun again,"
            f" one of them {most} times"
        )
    assert again
