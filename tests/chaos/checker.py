"""What clients were told beside what is there: each acknowledged payment once, whole, kept."""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.chaos.stack import until
from tests.chaos.traffic import DETECT, FILES
from tests.chaos.whole import Whole

STORED = """
SELECT t.external_id, d.id, d.reviewable, h.id IS NOT NULL, s.transaction_id IS NOT NULL
FROM scoring_transaction t
LEFT JOIN scoring_decision d ON d.transaction_id = t.id
LEFT JOIN alerts_alerthit h ON h.decision_id = d.id
LEFT JOIN scoring_snapshot s ON s.transaction_id = t.id
WHERE t.external_id LIKE ANY(%s)
"""
LEFT = """
SELECT (
    SELECT count(*) FROM scoring_transaction t
    LEFT JOIN scoring_decision d ON d.transaction_id = t.id
    LEFT JOIN alerts_alerthit h ON h.decision_id = d.id
    WHERE d.id IS NULL OR (d.reviewable AND h.id IS NULL)
) + (
    SELECT count(*) FROM scoring_upload
    WHERE stage = 'SCORING' OR state IN ('READY', 'RUNNING')
)
"""
UPLOADS = "SELECT id, state, stage, error, rejected FROM scoring_upload WHERE id = ANY(%s)"


@dataclass
class Verdict:
    """The counts of one run, and every breach of the guarantee in words."""

    acknowledged: int = 0
    stored: int = 0
    decided: int = 0
    alerted: int = 0
    duplicates: int = 0
    files: int = 0  # acknowledged
    set_aside: set[str] = field(default_factory=set)  # names refused or given up with a reason
    breaches: list[str] = field(default_factory=list)


def told(files: list[Path]) -> Iterator[dict[str, Any]]:
    for file in files:
        for line in file.read_text().splitlines():
            yield json.loads(line)


def settled(stack: Whole, patience: float = 180) -> float:
    """Until every file is done with, all that is stored decided, and all that wants a person lies
    before one."""
    return until(lambda: stack.one(LEFT) == 0, "everything stored is decided and raised", patience)


def judged(stack: Whole, files: list[Path]) -> Verdict:
    """Compare the histories of some clients with the rows."""
    verdict = Verdict()
    prefixes = [file.stem.replace("history-", "c") + "-%" for file in files]
    rows: dict[str, list[tuple[Any, ...]]] = {}
    for name, *row in stack.ask(STORED, prefixes):
        rows.setdefault(name, []).append(tuple(row))
    asked, acknowledged, decisions = history(files, verdict)
    verdict.acknowledged, verdict.stored = len(acknowledged), sum(map(len, rows.values()))
    verdict.decided = sum(row[0] is not None for many in rows.values() for row in many)
    verdict.alerted = sum(bool(row[2]) for many in rows.values() for row in many)
    verdict.duplicates = verdict.stored - len(rows)
    sent = sent_in(files)
    found = {id: row for id, *row in stack.ask(UPLOADS, list(sent))}
    compare_files(verdict, sent, found)
    compare(verdict, rows, asked, acknowledged, decisions)
    return verdict


def sent_in(files: list[Path]) -> dict[int, set[str]]:
    """The names in each acknowledged file, by the file's number."""
    sent: dict[int, set[str]] = {}
    for line in told(files):
        if line["path"] == FILES and line["status"] in (200, 202):
            sent.setdefault(line["answer"]["id"], set()).update(line["ids"])
    return sent


def compare_files(verdict: Verdict, sent: dict[int, set[str]], found: dict[int, Any]) -> None:
    """Each acknowledged file is finished whole, or given up with a reason that people read."""
    verdict.files = len(sent)
    for id, names in sent.items():
        state, stage, error, rejected = found.get(id, ("gone", "", "", 0))
        if state == "QUARANTINED" and error:
            verdict.set_aside |= names
        elif (state, stage) != ("DONE", "FINISHED"):
            verdict.breaches.append(f"file {id} was acknowledged and is {state}, {stage}")
        if rejected:
            verdict.breaches.append(f"{rejected} rows of the good file {id} refused")


def history(files: list[Path], verdict: Verdict) -> tuple[set[str], set[str], dict[str, set[int]]]:
    """Names asked about, names acknowledged, and the decisions clients were told of each name."""
    asked: set[str] = set()
    acknowledged: set[str] = set()
    decisions: dict[str, set[int]] = {}
    odd: Counter[str] = Counter()
    for line in told(files):
        asked.update(line["ids"])
        status, answer = line["status"], line["answer"] or {}
        if status in (200, 202):
            acknowledged.update(line["ids"])
            if answer.get("rejected"):
                odd[f"{answer['rejected']} records of a good batch refused"] += 1
            if line["path"] == DETECT:
                decisions.setdefault(line["ids"][0], set()).add(answer["decision_id"])
        elif status not in ("asked", 0, 409, 429, 503):
            odd[f"{line['path']} answered {status}: {answer.get('detail', answer)}"] += 1
    verdict.breaches += [f"{count} × {words}" for words, count in odd.items()]
    return asked, acknowledged, decisions


def compare(
    verdict: Verdict,
    rows: dict[str, list[tuple[Any, ...]]],
    asked: set[str],
    acknowledged: set[str],
    decisions: dict[str, set[int]],
) -> None:
    """Write every breach into the verdict; of the lost and the unasked-for the first five."""
    for name in sorted(acknowledged - set(rows) - verdict.set_aside)[:5]:
        verdict.breaches.append(f"{name} was acknowledged and is gone")
    for name in sorted(set(rows) - asked)[:5]:
        verdict.breaches.append(f"{name} is stored and nobody sent it")
    for name, many in rows.items():
        [first, *more] = many
        if more:
            verdict.breaches.append(f"{name} is stored {len(many)} times")
        if first[0] is None or not first[3]:
            verdict.breaches.append(f"{name} lacks its decision or what it was decided on")
        if first[1] != first[2]:
            verdict.breaches.append(f"{name}: wants a person {first[1]}, before one {first[2]}")
        if decisions.get(name, {first[0]}) != {first[0]}:
            verdict.breaches.append(f"{name}: told decisions {decisions[name]}, kept {first[0]}")
