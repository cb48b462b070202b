"""Rows that are written at once come back as they were said."""

from datetime import UTC, datetime
from decimal import Decimal

from alerts.models import Alert
from anomalyshield.rows import rewrite
from tests.alerts import making


def test_every_kind_of_value_comes_back_as_it_was_and_no_other_row_is_touched(cards) -> None:
    mine, other = (making.alert(cards, user=f"customer-{n}") for n in range(2))
    mine.last_event = datetime(2026, 3, 4, 5, 6, 7, 123456, UTC)
    mine.expected_loss, mine.risk_score = Decimal("1234567890.1234"), 0.1 + 0.2
    mine.reason_codes, mine.level = ["HIGH_AMOUNT", 'a "quoted" one, too'], "CRITICAL"
    mine.decision_id, mine.entity = other.decision_id, "not among the names"
    names = ["last_event", "expected_loss", "risk_score", "reason_codes", "level", "decision"]
    rewrite([mine], names)
    found = Alert.objects.get(pk=mine.pk)
    for name in names:
        assert getattr(found, name) == getattr(mine, name), name
    assert found.entity != mine.entity
    assert Alert.objects.get(pk=other.pk).last_event == other.last_event


def test_nothing_to_write_asks_nothing(django_assert_num_queries, db) -> None:
    with django_assert_num_queries(0):
        rewrite([], ["level"])
