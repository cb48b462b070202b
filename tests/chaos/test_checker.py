"""The checker's own bad twins: each breach of the guarantee, made by hand, is seen."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.checker import Verdict, compare, compare_files, history, sent_in
from tests.chaos.traffic import FILES

GOOD = (17, True, True, True)  # decision, wants a person, lies before one, has its vector


def told(folder: Path, *lines: dict[str, Any]) -> list[Path]:
    file = folder / "history-1.jsonl"
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return [file]


def asked(status: int | str, answer: Any = None, path: str = "/detect") -> dict[str, Any]:
    return {"path": path, "ids": ["c1-1"], "status": status, "answer": answer}


def breaches(folder: Path, rows: dict[str, list[tuple[Any, ...]]], *more: Any) -> list[str]:
    verdict = Verdict()
    lines = (asked("asked"), asked(200, {"decision_id": 17}), *more)
    compare(verdict, rows, *history(told(folder, *lines), verdict))
    return verdict.breaches


def test_what_is_as_it_was_told_is_no_breach(tmp_path: Path) -> None:
    assert breaches(tmp_path, {"c1-1": [GOOD]}, asked(0), asked(503), asked(409)) == []


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ({}, "acknowledged and is gone"),
        ({"c1-1": [GOOD], "c1-2": [GOOD]}, "nobody sent it"),
        ({"c1-1": [GOOD, GOOD]}, "stored 2 times"),
        ({"c1-1": [(None, None, False, False)]}, "lacks its decision"),
        ({"c1-1": [(17, True, True, False)]}, "what it was decided on"),
        ({"c1-1": [(17, True, False, True)]}, "before one False"),
        ({"c1-1": [(18, True, True, True)]}, "told decisions {17}, kept 18"),
    ],
)
def test_what_is_otherwise_than_told_is_seen(tmp_path: Path, rows: Any, words: str) -> None:
    assert words in "\n".join(breaches(tmp_path, rows))


def test_a_good_batch_refused_and_a_fault_of_ours_are_seen(tmp_path: Path) -> None:
    refused = asked(202, {"rejected": 3}, "/api/v1/events")
    words = breaches(tmp_path, {"c1-1": [GOOD]}, refused, asked(500, {"detail": "oh"}))
    assert words == ["1 × 3 records of a good batch refused", "1 × /detect answered 500: oh"]


@pytest.mark.parametrize(
    ("file", "words"),
    [
        (("DONE", "FINISHED", "", 0), ""),
        (None, "file 3 was acknowledged and is gone"),
        (("READY", "STORING", "", 0), "is READY, STORING"),
        (("DONE", "SCORING", "", 0), "is DONE, SCORING"),
        (("DONE", "FINISHED", "", 2), "2 rows of the good file 3 refused"),
        (("QUARANTINED", "FINISHED", "", 0), "is QUARANTINED, FINISHED"),
        (("QUARANTINED", "FINISHED", "its worker died four times", 0), ""),
    ],
)
def test_a_file_is_finished_or_given_up_with_a_reason(
    tmp_path: Path, file: Any, words: str
) -> None:
    verdict = Verdict()
    sent = sent_in(told(tmp_path, asked("asked", path=FILES), asked(202, {"id": 3}, FILES)))
    compare_files(verdict, sent, {3: file} if file else {})
    assert (verdict.files, bool(verdict.breaches)) == (1, bool(words))
    assert words in "\n".join(verdict.breaches)


def test_a_row_of_a_finished_file_that_is_not_there_is_seen(tmp_path: Path) -> None:
    lines = (asked("asked", path=FILES), asked(202, {"id": 3}, FILES))
    for error, lost in (("", True), ("its worker died four times", False)):
        verdict, files = Verdict(), told(tmp_path, *lines)
        state = "QUARANTINED" if error else "DONE"
        compare_files(verdict, sent_in(files), {3: (state, "FINISHED", error, 0)})
        compare(verdict, {}, *history(files, verdict))
        assert ("acknowledged and is gone" in "".join(verdict.breaches)) == lost
