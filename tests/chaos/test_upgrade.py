"""Two releases on one database: the tables grow under load, the new release comes up beside the old
one and is taken away again; whoever sends payments notices nothing."""

import json
import sys
import time
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from django.db.migrations.loader import MigrationLoader

from tests.chaos.checker import judged, settled
from tests.chaos.conftest import TABLE, noted
from tests.chaos.releases import FIRST, next_release, release_before
from tests.chaos.stack import PROJECT, until
from tests.chaos.test_nemeses import LONG, SECONDS
from tests.chaos.traffic import Traffic
from tests.chaos.whole import START, Kept, Whole, running
from tests.compatible import faults

PAUSE = 0.4  # seconds before each request: a machine with all to do could start no release at all
CLIENTS = 3  # of each release; one of them sends files
LACKING = "The database lacks tables: run manage.py migrate."
pytestmark = [
    pytest.mark.processes,
    pytest.mark.skipif(sys.platform != "linux", reason="kills processes as Linux does"),
]
rehearsal = pytest.mark.skipif(not LONG, reason="part of `make chaos`")


def problems(stack: Whole) -> list[str]:
    """What it says when a load balancer asks whether it is ready."""
    try:
        answer = urlopen(stack.address("/health/ready"), timeout=10)
    except HTTPError as refusal:
        answer = refusal
    return list(json.loads(answer.read())["problems"])


def come_up(new: Whole, old_traffic: Traffic) -> str:
    """Its web before the tables, which it says; the tables; its worker. What `migrate` said."""
    new.keep([Kept("web", 10)])
    until(new.answers, "the web of the new release answers", START)
    assert LACKING in problems(new), "ready without its tables"
    old_traffic.start()
    said = new.command("migrate", "--no-input").stdout
    until(lambda: LACKING not in problems(new), "the new release sees its tables")
    new.keep([Kept("worker", 11)])
    until(lambda: all(map(new.works, new.kept)), "the new release works", START)
    return said


def taken_away(new: Whole, old: Whole) -> None:
    """As by a load balancer whose question went unanswered: who comes now is led to the old one,
    and what runs is told to end."""
    new.door.target = old.door.target
    new.ended.set()
    new.watcher.join()
    for one in new.kept:
        assert one.process is not None
        one.process.terminate()
    until(lambda: not any(one.alive for one in new.kept), "the new release has ended")


def rehearsed(old: Whole, code: Path, name: str, notes: Path) -> None:
    """Traffic to the old release alone, to both, and to the old one again."""
    stayed = Traffic.of(notes, old.door.port, old.key, CLIENTS, 1, PAUSE)
    with old.beside(code) as new:
        moved = Traffic.of(notes, new.door.port, old.key, CLIENTS, 1 + CLIENTS, PAUSE)
        said = come_up(new, stayed)
        moved.start()
        time.sleep(SECONDS)
        taken_away(new, old)
        time.sleep(SECONDS)
        answered = [stayed.end(), moved.end()]
    statuses = stayed.statuses + moved.statuses
    # First: who is answered so asks for ever.
    assert {status: many for status, many in statuses.items() if status >= 500} == {}
    assert all(answered), f"a client waits for its answer in vain: {old.logs()[-3000:]}"
    seconds = settled(old, 600)
    clients = [*stayed.clients, *moved.clients]
    verdict = judged(old, [one.history for one in clients])
    noted(name, verdict, statuses, old.deaths, seconds)
    longest = max(wait for one in clients for wait in one.waits)
    TABLE.append(
        f"    longest answer {longest:.2f} s; migrations tried again: {said.count('no lock')}"
    )
    assert verdict.breaches == []
    assert verdict.duplicates == 0
    assert verdict.acknowledged
    assert verdict.files
    assert moved.statuses[200], "nobody was answered by the new release"
    assert stayed.statuses[0] == 0, "the old release broke a connection off"
    assert old.deaths == 0
    old.command("verify_audit")


@rehearsal
def test_a_next_release_whose_tables_grow_comes_and_goes_unnoticed(tmp_path: Path) -> None:
    code = next_release(tmp_path)
    with running() as old:
        rehearsed(old, code, "a next release, come and gone", tmp_path)
        [(many,)] = old.ask("SELECT count(*) FROM pg_attribute WHERE attname = 'of_next'")
        assert many > 50


@rehearsal
def test_this_release_comes_beside_the_one_before_its_tables(tmp_path: Path) -> None:
    code = release_before(tmp_path)
    if code is None:
        pytest.skip("no git, or no past in it: the release before cannot be had")
    with running(code=code) as old:
        rehearsed(old, PROJECT, "this one beside the one before", tmp_path)


def test_the_made_up_release_is_one_that_may_be(tmp_path: Path) -> None:
    """It keeps the rules of migrations; else its rehearsal would show nothing."""
    code = next_release(tmp_path)
    loader = MigrationLoader(None)
    made = sorted(code.glob(f"**/migrations/{FIRST // 1000}*_of_next.py"))
    assert len(made) > 50
    state = loader.project_state()
    for file in sorted(made, key=lambda file: file.name):
        space: dict[str, object] = {}
        exec(compile(file.read_text(), str(file), "exec"), space)
        app = file.parent.parent.name
        migration = space["Migration"](file.stem, app)  # type: ignore[operator]
        assert faults(migration, state, set()) == []
        state = migration.mutate_state(state, preserve=False)
