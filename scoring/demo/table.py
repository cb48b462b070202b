"""A story as a table: columns as an upstream system would send them, and the truth beside it."""

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyarrow import csv, parquet

from scoring.demo.payments import NO_DEVICE, ORIGINS, Payments
from scoring.demo.places import PLACES, TRADES
from scoring.demo.typologies import NAMES
from scoring.demo.world import World

CENT = 0.01
SMALLEST = 25  # cents
MICROSECONDS = 86_400_000_000
ANSWERS = ("label", "label_known_at")  # what was learnt later
# No name here holds a comma; the header is ours, as pyarrow puts quotes around it.
PLAIN = csv.WriteOptions(include_header=False, quoting_style="none")


def table(
    payments: Payments, world: World, *, start: np.datetime64, ids: pa.Array, until: float
) -> pa.Table:
    """One row per payment. Its label is what is known by `until`, a day of the story."""
    known = payments.reported <= until
    merchant, place = payments.merchant, payments.place
    trades = world.trade_of
    on_the_web = merchant >= world.first_online
    return pa.table(
        {
            "transaction_id": ids,
            "timestamp": _moments(payments.day, start),
            "user_id": _numbered("customer-", payments.customer + 1),
            "card_id": _cards(payments),
            "device_id": _devices(payments.device),
            "amount": _amounts(payments.amount),
            "currency": _named(np.zeros(payments.count, int), ["USD"]),
            "merchant_name": _named(merchant, world.names),
            "merchant_category": _named(trades[merchant], [trade.name for trade in TRADES]),
            "mcc": _named(trades[merchant], [trade.mcc for trade in TRADES]),
            "location": _named(place, [one.name for one in PLACES]),
            "country": _named(place, [one.country for one in PLACES]),
            "latitude": _numbers(place, [one.latitude for one in PLACES]),
            "longitude": _numbers(place, [one.longitude for one in PLACES]),
            "channel": _named(on_the_web.astype(int), ["pos", "online"]),
            "timezone": _named(place, [one.zone for one in PLACES]),
            "label": _named(np.where(known, 0, -1), ["fraud"]),
            "label_known_at": _moments(np.where(known, payments.reported, np.nan), start),
        }
    )


def of_others(rows: pa.Table, prefix: str) -> pa.Table:
    """The same payments of people who share nobody's history, card or phone."""
    for name in ("user_id", "card_id", "device_id"):
        column = pc.binary_join_element_wise(prefix, rows[name], "")
        rows = rows.set_column(rows.schema.get_field_index(name), name, column)
    return rows


def truth(payments: Payments, *, start: np.datetime64, ids: pa.Array) -> pa.Table:
    """What each fraudulent payment really was; honest ones are not in it."""
    fraud = payments.fraud
    bad = payments.where(fraud)
    return pa.table(
        {
            "transaction_id": ids.filter(pa.array(fraud)),
            "episode": bad.episode,
            "typology": _named(bad.typology - 1, list(NAMES)),
            "careful": bad.careful.astype(int),
            "noticed_by": _named(bad.origin - 1, list(ORIGINS[1:])),
            "known_at": _moments(bad.reported, start),
        }
    )


def identifiers(prefix: str, first: int, count: int) -> pa.Array:
    return _numbered(f"{prefix}-", np.arange(first, first + count), width=7)


def csv_bytes(rows: pa.Table) -> bytes:
    out = pa.BufferOutputStream()
    _write_csv(rows, out)
    return out.getvalue().to_pybytes()


def write(rows: pa.Table, path: Path) -> None:
    """By the file's ending: .csv or .parquet."""
    if path.suffix == ".parquet":
        parquet.write_table(rows, path)
    else:
        with path.open("wb") as out:
            _write_csv(rows, out)


def _write_csv(rows: pa.Table, out: Any) -> None:
    """Moments spelt with a Z; pyarrow would put a space and no zone."""
    for number, kind in enumerate(rows.schema):
        if pa.types.is_timestamp(kind.type):
            spelt = pc.strftime(pc.cast(rows[number], pa.timestamp("s")), "%Y-%m-%dT%H:%M:%SZ")
            rows = rows.set_column(number, kind.name, spelt)
    out.write((",".join(rows.column_names) + "\n").encode())
    csv.write_csv(rows, out, PLAIN)


def _moments(day: NDArray, start: np.datetime64) -> pa.Array:
    """Whole seconds, in UTC; NaN is empty."""
    unknown = np.isnan(day)
    seconds = np.round(np.where(unknown, 0, day) * 86_400).astype(np.int64)
    moments = start.astype("datetime64[s]") + seconds.astype("timedelta64[s]")
    return pa.array(moments, pa.timestamp("s", "UTC"), mask=unknown)


def _named(number: NDArray, names: list[str]) -> pa.Array:
    """Empty where the number is negative."""
    indices = pa.array(number.astype(np.int32), mask=number < 0)
    return pa.DictionaryArray.from_arrays(indices, pa.array(names)).cast(pa.string())


def _numbers(number: NDArray, values: list[float]) -> pa.Array:
    return pa.array(np.array(values)[number])


def _numbered(prefix: str, number: NDArray, width: int = 4) -> pa.Array:
    spelt = pc.utf8_lpad(pa.array(number).cast(pa.string()), width, "0")
    return pc.binary_join_element_wise(prefix, spelt, "")


def _cards(payments: Payments) -> pa.Array:
    plain = _numbered("card-", payments.customer + 1)
    second = pc.binary_join_element_wise(plain, "b", "")
    return pc.if_else(pa.array(payments.family), second, plain)


def _devices(device: NDArray) -> pa.Array:
    """Scrambled, so that a name does not tell a thief's phone from a customer's."""
    mixed = (device.astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(24)
    spelt = _numbered("device-", mixed.astype(np.int64), width=13)
    return pc.if_else(pa.array(device == NO_DEVICE), pa.scalar(None, pa.string()), spelt)


def _amounts(amount: NDArray) -> pa.Array:
    cents = np.maximum(np.round(amount / CENT), SMALLEST).astype(np.int64)
    whole = pa.array(cents // 100).cast(pa.string())
    rest = pc.utf8_lpad(pa.array(cents % 100).cast(pa.string()), 2, "0")
    return pc.binary_join_element_wise(whole, rest, ".").cast(pa.decimal128(12, 2))
