"""The two ways by which parsed transactions reach their table come to the same row."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from scoring import storing
from scoring.engine.stated import Defaults
from scoring.engine.transaction import Transaction, parse
from scoring.models import Source
from scoring.models import Transaction as Row

DEFAULTS = Defaults(
    received_at=datetime(2026, 11, 22, 9, tzinfo=UTC),
    currency="USD",
    base_currency="USD",
    timezone="UTC",
)
ODD = [r"\\", r"\N", r"\.", r"\x41", r"a\tb", "{}", '"', "'", "none", "NULL", "œuvre 東京", " "]


def paid(**fields: Any) -> Transaction:
    record = {"transaction_id": "t", "user_id": "u", "amount": "12.50", **fields}
    return parse(record, defaults=DEFAULTS)


def rows() -> list[dict[str, Any]]:
    columns = [column for column in storing.COLUMNS if column != "upload_id"]
    return list(Row.objects.order_by("external_id").values(*columns))


def stored_both_ways(found: list[Transaction]) -> tuple[Any, Any]:
    source, told = Source.objects.get_or_create(name="both")[0].pk, []
    for straight in (True, False):
        with transaction.atomic():
            if straight:
                storing.copy_straight(storing.packed(enumerate(found), source, None))
            else:
                storing.copy_in(enumerate(found), source=source)
                with connection.cursor() as cursor:
                    cursor.execute(storing.INSERT)
            told.append(rows())
            transaction.set_rollback(True)
    return told[0], told[1]


@pytest.mark.django_db
@pytest.mark.parametrize("odd", ODD)
def test_no_text_means_anything_to_the_database(odd: str) -> None:
    texts = {"merchant": f"m{odd}", "location": odd, "device_id": f"{odd}d", "card_id": f"c{odd}"}
    one = paid(**texts, note=odd, more={"a": [odd]})
    straight, other = stored_both_ways([one])
    assert straight == other
    [row] = straight
    assert (row["merchant_name"], row["location"]) == (one.merchant_name, one.location)
    assert (row["device_id"], row["card_id"]) == (one.device_id, one.card_id)
    assert row["extra"] == one.extra
    assert odd.strip() in row["merchant_name"]


class Ordinary(TestCase):
    @given(
        st.decimals(0, 10**13, places=4),
        st.none() | st.tuples(st.floats(-90, 90), st.floats(-180, 180)),
        st.sampled_from([None, True, False]),
        st.datetimes(datetime(1990, 1, 1), datetime(2026, 11, 1), timezones=st.just(UTC)),
    )
    def test_what_is_stored_is_what_was_parsed(
        self, amount: Decimal, at: Any, online: bool | None, moment: datetime
    ) -> None:
        said: dict[str, Any] = {"amount": str(amount), "timestamp": moment.isoformat()}
        said |= {} if at is None else {"latitude": at[0], "longitude": at[1]}
        said |= {} if online is None else {"is_online": online}
        one = paid(**said)
        straight, other = stored_both_ways([one])
        assert straight == other
        [row] = straight
        assert {name: row[name] for name in storing.FIELDS if name != "digest"} == {
            name: getattr(one, name) for name in storing.FIELDS if name != "digest"
        }
        assert bytes(row["digest"]) == one.digest
