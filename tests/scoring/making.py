"""A small past, a first model, and files to send: what tests of this room start from."""

import io
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

import numpy as np

from anomalyshield import leases
from scoring import current, promotions, registry, uploads
from scoring.engine import features, training
from scoring.engine.bundle import Bundle
from scoring.engine.history import EVENT, History
from scoring.models import ModelVersion, Source, Upload
from scoring.tasks import WORK, do

HEADER = "transaction_id,user_id,amount,timestamp,merchant_category,city,device_id"
# The same hour whenever the tests run: a rule asks whether a payment came at night.
EVENING = {"hour": 19, "minute": 0, "second": 0, "microsecond": 0}
START = datetime.now(UTC).replace(**EVENING) - timedelta(days=20)


def made_up_events(rows: int = 1500, seed: int = 3) -> np.ndarray:
    """Events of forty users over twenty days."""
    chance = np.random.default_rng(seed)
    events = np.zeros(rows, EVENT)
    events["id"] = np.arange(1, rows + 1)
    events["time"] = np.sort(chance.integers(0, 20 * 86_400, rows)) * 1_000_000
    events["units"] = (chance.lognormal(3, 1, rows) * 10_000).astype(int)
    events["user"] = chance.integers(1, 41, rows)
    events["device"] = events["user"]
    events["place"] = chance.integers(1, 6, rows)
    events["lat"] = events["lon"] = events["online"] = np.nan
    return events


@cache
def learnt() -> tuple[Bundle, int]:
    """What made-up events without labels teach, and of how many: the same bytes every time."""
    events = made_up_events()
    vectors = features.compute(events, History.of(events))
    return training.fit(vectors, None, events["time"], budget=0.01), len(events)


def first_model() -> ModelVersion:
    """A model without labels, trained on made-up events, in service."""
    bundle, rows = learnt()
    version = registry.register(bundle, kind="cold", cutoff=START, trained_rows=rows)
    version = promotions.install_first(version=version)
    current.forget()
    return version


def source(name: str = "files") -> Source:
    return Source.objects.get_or_create(name=name, defaults={"kind": "csv"})[0]


def csv_of(rows: list[str]) -> bytes:
    return "\n".join([HEADER, *rows, ""]).encode()


def ordinary_rows(count: int = 200, users: int = 10, *, minutes: int = 60) -> list[str]:
    """Payments so many minutes apart, in the order of time."""
    return [
        f"t{n},u{n % users},{10 + n % 50}.25,"
        f"{(START + timedelta(minutes=n * minutes)).isoformat()},"
        f"groceries,Delhi,d{n % users}"
        for n in range(count)
    ]


def send(content: bytes, *, name: str = "payments.csv", by: Any = None, **options: Any) -> Upload:
    return uploads.receive(
        by=by, source=source(), name=name, file=io.BytesIO(content), options=options
    )


def work_through() -> None:
    """What workers do when the bell rings, until nothing is left."""
    busy = True
    while busy:
        busy = False
        for work in WORK:
            for row in leases.claim(work.rows):
                do(work, row)
                busy = True
