"""What a model may learn from: the vectors decisions were made on, the labels known by a date."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Self

import numpy as np
from django.db import connection, transaction
from numpy.typing import NDArray

from scoring.engine.features import FEATURES, widths
from scoring.engine.folds import Outcomes
from scoring.engine.history import FOREVER
from scoring.engine.transaction import EPOCH
from scoring.labels import MATURITY, matured_until

TEST_SHARE = 0.25  # of the matured rows, the latest: learnt by nobody, measured on by everybody
MOST_ROWS = 500_000  # the latest; more teaches trees nothing new and does not fit into memory
AT_ONCE = 20_000

# Stored vectors only: what was seen is what is learnt. The label is the last one known by the
# cut-off, so that a training can be repeated later and come to the same.
ROWS = """
SELECT paid.id, extract(epoch FROM paid.event_time)::float8, paid.user_key,
       paid.amount_units, said.value, extract(epoch FROM said.known_at)::float8, said.typology,
       seen.vector
FROM scoring_snapshot AS seen
JOIN scoring_transaction AS paid ON paid.id = seen.transaction_id
LEFT JOIN (
    SELECT DISTINCT ON (transaction_id) transaction_id, value, known_at, typology
    FROM scoring_label WHERE known_at <= %(cutoff)s ORDER BY transaction_id, id DESC
) AS said ON said.transaction_id = paid.id
WHERE seen.spec = ANY(%(specs)s) AND paid.event_time <= %(cutoff)s
      AND paid.event_time >= coalesce(%(since)s::timestamptz, '-infinity')
ORDER BY paid.event_time DESC, paid.id DESC
LIMIT %(most)s
"""
# All of it is wanted, not the first row soon, and right after a large load nothing is counted yet:
# a plan of nested loops then reads every vector once for each payment, for minutes instead of a
# fraction of a second. And no person waits for a training, so it may take longer than a page.
PLAN = """
SET LOCAL cursor_tuple_fraction = 1; SET LOCAL enable_nestloop = off;
SET LOCAL statement_timeout = '15min'
"""
MEANING = {"TRUE_FRAUD": 1.0, "FALSE_POSITIVE": 0.0, "INCONCLUSIVE": np.nan}


@dataclass(frozen=True)
class Dataset:
    """Rows oldest first. `labels` are 1 fraud, 0 legitimate, NaN nobody can say."""

    ids: NDArray[np.int64]
    times: NDArray[np.float64]  # seconds since 1970
    users: NDArray[np.int64]
    amounts: NDArray[np.float64]  # base currency
    vectors: NDArray[np.float64]
    labels: NDArray[np.float64]
    reviewed: NDArray[np.bool_]  # a label says so, not silence
    known: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))  # when; inf: silence
    typologies: NDArray[np.str_] = field(default_factory=lambda: np.empty(0, "U1"))

    def __post_init__(self) -> None:
        if len(self.known) != len(self.ids):
            object.__setattr__(self, "known", np.full(len(self.ids), np.inf))
        if len(self.typologies) != len(self.ids):
            object.__setattr__(self, "typologies", np.full(len(self.ids), ""))

    def __len__(self) -> int:
        return len(self.ids)

    def where(self, wanted: NDArray[np.bool_]) -> Self:
        return type(self)(*(column[wanted] for column in vars(self).values()))

    @property
    def frauds(self) -> int:
        return int((self.labels == 1).sum())

    @property
    def digest(self) -> str:
        said = np.nan_to_num(self.labels, nan=2.0) + 4.0 * self.reviewed
        return blake2b(self.ids.tobytes() + said.tobytes(), digest_size=16).hexdigest()


@dataclass(frozen=True)
class Split:
    """What is learnt and what is measured on, and the dates that part them."""

    train: Dataset
    test: Dataset
    waiting: int  # labelled rows too young to be learnt from
    cutoff: datetime
    maturity: timedelta
    test_from: float  # seconds since 1970

    @property
    def digest(self) -> str:
        """Changes with any row or label: has anything happened since the last training?"""
        return f"{self.train.digest}{self.test.digest}"


def read(
    cutoff: datetime, maturity: timedelta = MATURITY, *, since: datetime | None = None
) -> Dataset:
    """Every stored vector, labelled as was known at the cut-off; features of later are NaN.

    Older than the maturity window, silence counts as legitimate; younger, as unknown. Nothing that
    happened before `since` is read.
    """
    said = {"cutoff": cutoff, "since": since, "specs": list(widths()), "most": MOST_ROWS}
    found: list[tuple] = []
    raw, unknown = bytearray(), np.full(len(FEATURES), np.nan).tobytes()
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(PLAN)
        with connection.connection.cursor("learning") as cursor:
            cursor.itersize = AT_ONCE
            for *fields, vector in cursor.execute(ROWS, said):
                found.append(tuple(fields))
                raw += bytes(vector) + unknown[len(vector) :]
    found.reverse()
    width = len(FEATURES)
    vectors = np.frombuffer(bytes(raw), "<f8").reshape(-1, width)[::-1].copy()
    ids, times, users, units, values, known, kinds = (
        zip(*found, strict=True) if found else ((),) * 7
    )
    moments = np.array(times, np.float64)
    reviewed = np.array([value in {"TRUE_FRAUD", "FALSE_POSITIVE"} for value in values], bool)
    silent = np.where(moments < matured_until(cutoff, maturity).timestamp(), 0.0, np.nan)
    labels = np.array([np.nan if value is None else MEANING[value] for value in values])
    unsaid = np.array([value is None for value in values], bool)
    return Dataset(
        ids=np.array(ids, np.int64),
        times=moments,
        users=np.array(users, np.int64),
        amounts=np.array(units, np.float64) / 10_000,
        vectors=vectors,
        labels=np.where(unsaid, silent, labels) if len(found) else labels,
        reviewed=reviewed,
        known=np.array([np.inf if at is None else at for at in known], np.float64),
        typologies=np.array([kind or "" for kind in kinds], np.str_),
    )


def split(
    data: Dataset, cutoff: datetime, maturity: timedelta = MATURITY, *, unseen_from: float = 0.0
) -> Split:
    """By time, never at random: the latest matured rows are held out.

    Of those, rows before `unseen_from` are measured on by nobody: somebody has learnt from them.

    Rows of the window that has not matured wait, labelled or not. There only what looked suspicious
    has a label, and a model would learn that whatever grows with time is fraud (tried: average
    precision on the following weeks fell from 0.89 to 0.63).
    """
    matured = data.times < matured_until(cutoff, maturity).timestamp()
    usable = data.where(matured & ~np.isnan(data.labels))
    waiting = int((~matured & data.reviewed).sum())
    if not len(usable):
        return Split(data, usable, waiting, cutoff, maturity, cutoff.timestamp())
    test_from = float(usable.times[int(len(usable) * (1 - TEST_SHARE))])
    early = matured & (data.times < test_from)
    test = usable.where(usable.times >= max(test_from, unseen_from))
    return Split(data.where(early), test, waiting, cutoff, maturity, test_from)


def clock(part: Dataset) -> NDArray[np.int64]:
    """Event times as the engine counts them: microseconds since 2000."""
    return np.round((part.times - EPOCH.timestamp()) * 1e6).astype(np.int64)


def outcomes(data: Dataset) -> Outcomes:
    """What became of each row and since when that was known, as the engine's folds want it."""
    said = np.isfinite(data.known)
    known = np.full(len(data), FOREVER, np.int64)
    known[said] = np.round((data.known[said] - EPOCH.timestamp()) * 1e6).astype(np.int64)
    return Outcomes(clock(data), data.users, data.labels, known)
