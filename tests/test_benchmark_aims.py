"""The table that closes `make bench`: every aim in its order, missed floors and gaps told."""

import json
import subprocess
from pathlib import Path

import pytest

import benchmarks.__main__ as bench
from benchmarks import aims
from benchmarks.aims import AIMS, Aim


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file in which the parts of one run leave their figures."""
    path = tmp_path / "reached.jsonl"
    path.touch()
    monkeypatch.setenv(aims.KEPT_IN, str(path))
    return path


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [(999, "BELOW THE FLOOR"), (1_000, "floor reached"), (4_999, "floor reached"),
     (5_000, "goal reached"), (float("nan"), "BELOW THE FLOOR")],
)  # fmt: skip
def test_of_a_rate_more_is_better(figure, verdict):
    assert Aim("rows", 1_000, 5_000, "rows/s").verdict(figure) == verdict


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [(10.1, "BELOW THE FLOOR"), (10, "floor reached"), (2.1, "floor reached"),
     (2, "goal reached"), (float("nan"), "BELOW THE FLOOR")],
)  # fmt: skip
def test_of_a_time_less_is_better(figure, verdict):
    assert Aim("one row", 10, 2, "ms").verdict(figure) == verdict


def test_every_floor_lies_on_the_far_side_of_its_goal():
    for aim in AIMS.values():
        assert aim.floor != aim.goal
        assert aim.is_time == (aim.unit == "ms")


def test_the_table_has_every_aim_in_its_order_and_says_what_is_missing(kept, capsys):
    aims.reached("one row", 1.5)
    aims.reached("file", 20_000.0)
    capsys.readouterr()
    lines = aims.table(kept)
    assert [line.startswith(aim.what) for line, aim in zip(lines, AIMS.values(), strict=True)] == [
        True
    ] * len(AIMS)
    by_name = dict(zip(AIMS, lines, strict=True))
    assert "20,000" in by_name["file"]
    assert by_name["file"].endswith("floor reached")
    assert by_name["one row"].endswith("goal reached")
    assert by_name["detect"].endswith("not measured")


def test_a_part_measured_twice_stands_once_with_its_last_figure(kept):
    aims.reached("detect", 100.0)
    aims.reached("detect", 1_200.0)
    (line,) = [one for one in aims.table(kept) if one.startswith("POST /detect  ")]
    assert "1,200" in line
    assert line.endswith("goal reached")


def test_a_part_run_alone_prints_its_figure_and_leaves_nothing(monkeypatch, capsys):
    monkeypatch.delenv(aims.KEPT_IN, raising=False)
    aims.reached("memory", 40_000.0)
    assert capsys.readouterr().out.rstrip().endswith("BELOW THE FLOOR")


def test_a_whole_run_closes_with_the_table_though_a_part_broke(monkeypatch, capsys):
    def part(asked: list[str], env: dict[str, str]) -> subprocess.CompletedProcess[str]:
        name = asked[-1].rpartition(".")[2]
        if name == "detect":
            return subprocess.CompletedProcess(asked, 1)
        if name == "engine":
            Path(env[aims.KEPT_IN]).write_text(json.dumps(["memory", 160_000.0]) + "\n")
        return subprocess.CompletedProcess(asked, 0)

    monkeypatch.setattr(subprocess, "run", part)
    assert bench.main() == 1
    told = capsys.readouterr().out
    table = told.partition("== reached")[2]
    assert "160,000" in table
    assert table.count("not measured") == len(AIMS) - 1
    assert told.rstrip().endswith("failed: detect")
