"""What a file turned out to be: counted in one pass over its decisions, and exported whole."""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import connection
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from anomalyshield.cells import harmless
from anomalyshield.templatetags.words import masked_if
from scoring.engine.decision import Level
from scoring.models import Decision, Upload
from scoring.personal import as_sent

BINS, CATEGORIES, RISKIEST, PIECE = 20, 12, 50, 2_000
# GROUPING tells which of the four sets a row belongs to: 0 where the column takes part.
COUNTS = f"""
SELECT GROUPING(d.level, least(floor(d.risk_score * {BINS}), {BINS - 1}),
                extract(hour FROM t.event_time), t.merchant_category) AS part,
       coalesce(d.level, least(floor(d.risk_score * {BINS}), {BINS - 1})::text,
                extract(hour FROM t.event_time)::text, t.merchant_category) AS what,
       count(*), count(*) FILTER (WHERE d.reviewable)
FROM scoring_transaction AS t JOIN scoring_decision AS d ON d.transaction_id = t.id
WHERE t.upload_id = %s
GROUP BY GROUPING SETS (
    (d.level), (least(floor(d.risk_score * {BINS}), {BINS - 1})),
    (extract(hour FROM t.event_time)), (t.merchant_category))
"""
LEVELS_PART, SCORES_PART, HOURS_PART, CATEGORIES_PART = 0b0111, 0b1011, 0b1101, 0b1110
REASONS = """
SELECT code, count(*) FROM scoring_transaction AS t
JOIN scoring_decision AS d ON d.transaction_id = t.id, unnest(d.reason_codes) AS code
WHERE t.upload_id = %s AND d.reason_codes <> '{}' GROUP BY code ORDER BY 2 DESC, 1
"""


@dataclass(frozen=True)
class Results:
    """Counts as (what, rows, of them for review), each list in its natural order."""

    levels: list[tuple[str, int, int]]
    scores: list[tuple[str, int, int]]  # by twentieth of the score
    hours: list[tuple[str, int, int]]  # UTC
    categories: list[tuple[str, int, int]]  # those with most for review
    reasons: list[tuple[str, int]]

    @property
    def reviewable(self) -> int:
        return sum(wanted for _unused, _unused, wanted in self.levels)


def results_of(upload: Upload) -> Results:
    """Counted anew from the decisions on record."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTS, [upload.pk])
        parts: dict[int, dict[str, tuple[int, int]]] = {}
        for part, what, rows, wanted in cursor.fetchall():
            parts.setdefault(part, {})[what or ""] = (rows, wanted)
        cursor.execute(REASONS, [upload.pk])
        reasons = cursor.fetchall()
    most = sorted(parts.get(CATEGORIES_PART, {}).items(), key=lambda one: (-one[1][1], -one[1][0]))
    return Results(
        levels=_listed(parts.get(LEVELS_PART, {}), [str(level) for level in Level]),
        scores=_listed(parts.get(SCORES_PART, {}), [str(number) for number in range(BINS)]),
        hours=_listed(parts.get(HOURS_PART, {}), [str(hour) for hour in range(24)]),
        categories=[(what or _("none stated"), *counts) for what, counts in most[:CATEGORIES]],
        reasons=reasons,
    )


def _listed(found: dict[str, tuple[int, int]], order: list[str]) -> list[tuple[str, int, int]]:
    return [(what, *found.get(what, (0, 0))) for what in order]


def decisions_of(upload: Upload) -> QuerySet[Decision]:
    return Decision.objects.filter(transaction__upload=upload).select_related("transaction")


def riskiest(upload: Upload) -> QuerySet[Decision]:
    """The rows to look at first, with the alert of each if it has one."""
    ordered = decisions_of(upload).order_by("-risk_score", "-transaction__amount_units", "pk")
    return ordered[:RISKIEST]


HEADER = (
    "transaction_id",
    "user_id",
    "amount",
    "currency",
    "timestamp",
    "merchant_category",
    "risk_score",
    "probability",
    "risk_level",
    "outcome",
    "reason_codes",
    "model_version",
    "degraded",
)


@dataclass(frozen=True)
class Hidden:
    """Which ids of a file are told by their ends only."""

    numbers: bool
    people: bool


def scored_rows(upload: Upload, hidden: Hidden) -> Iterator[tuple[Any, ...]]:
    """Every decided row in the order of ingest, under HEADER; of what is hidden its ends."""
    rows = decisions_of(upload).select_related("model").order_by("transaction_id")
    for decision in rows.iterator(chunk_size=PIECE):
        payment = decision.transaction
        yield (
            masked_if(payment.external_id, hidden.numbers),
            masked_if(payment.user_id, True) if hidden.people else as_sent(payment, "user_id"),
            payment.amount,
            payment.currency,
            payment.event_time,
            payment.merchant_category,
            decision.risk_score,
            decision.probability,
            decision.level,
            decision.outcome,
            " ".join(decision.reason_codes),
            str(decision.model or ""),
            decision.degraded,
        )


class _Echo:
    def write(self, line: str) -> str:
        return line


def as_csv(upload: Upload, hidden: Hidden) -> Iterator[str]:
    """Lines that no spreadsheet takes for formulas."""
    writer = csv.writer(_Echo())
    yield writer.writerow(HEADER)
    for row in scored_rows(upload, hidden):
        cells = ["" if value is None else value for value in row]
        cells[4] = row[4].isoformat()
        yield writer.writerow([harmless(c) if isinstance(c, str) else c for c in cells])


SCHEMA = pa.schema(
    [
        *((name, pa.string()) for name in HEADER[:2]),
        ("amount", pa.decimal128(18, 4)),
        ("currency", pa.string()),
        ("timestamp", pa.timestamp("us", "UTC")),
        ("merchant_category", pa.string()),
        ("risk_score", pa.float64()),
        ("probability", pa.float64()),
        *((name, pa.string()) for name in HEADER[8:]),
    ]
)


def as_parquet(upload: Upload, hidden: Hidden) -> Any:
    """A file that is gone when it is closed; written in row groups, so memory does not grow."""
    file = NamedTemporaryFile(suffix=".parquet")  # noqa: SIM115 — the answer closes it
    with pq.ParquetWriter(Path(file.name), SCHEMA) as writer:
        piece: list[tuple[Any, ...]] = []
        for row in scored_rows(upload, hidden):
            piece.append(row)
            if len(piece) == 50_000:
                writer.write_table(_table(piece))
                piece = []
        if piece:
            writer.write_table(_table(piece))
    return file


def _table(rows: list[tuple[Any, ...]]) -> pa.Table:
    columns = list(zip(*rows, strict=True))
    arrays = [pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=SCHEMA)
