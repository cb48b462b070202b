"""Several questions in one statement answer what each answers by itself."""

from decimal import Decimal

import pytest
from django.db.models import Count, F, Max, Q

from alerts.models import Alert, AlertHit
from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from anomalyshield.together import HowMany, Part, Sql, Totals, alone, side_by_side, together
from scoring.models import Decision, Transaction
from tests.alerts import making

pytestmark = pytest.mark.django_db


@pytest.fixture
def alerts(ana):
    queue = making.queue("cards", ana)
    return [making.alert(queue, amount=str(n), reason_codes=["HIGH_AMOUNT"]) for n in (5, 7, 9)]


def ask(*questions):
    """A part that asks all of it and says what it was told."""
    answers = yield questions
    return answers


def stated(row) -> dict:
    """Every field of a row, and of the rows that came with it."""
    beside = {name: one and fields(one) for name, one in row._state.fields_cache.items()}
    return fields(row) | {"beside": beside}


def fields(row) -> dict:
    return {name: value for name, value in vars(row).items() if not name.startswith("_")}


QUESTIONS = [
    Alert.objects.for_the_page().order_by("pk"),
    Alert.objects.by_urgency()[:2],
    Alert.objects.filter(pk__in=[]),
    Alert.objects.none(),
    Alert.objects.values_list("pk", "amount", "reason_codes", "created_at", "queue__name"),
    Alert.objects.values_list("risk_score", flat=True),
    Alert.objects.values("entity").annotate(n=Count("pk"), most=Max("amount")),
    Alert.objects.open().across([1, 2, 3], Alert.URGENCY, 2),
    Alert.objects.annotate(double=F("amount") * 2).order_by("-amount"),
    Transaction.objects.all(),
    Decision.objects.select_related("transaction__source", "model"),
    AlertHit.objects.select_related("transaction", "decision").prefetch_related("alert__queue"),
    User.objects.filter(username="ana").prefetch_related("groups"),
    AuditEvent.objects.all(),
]


def test_rows_are_those_the_question_has_by_itself(alerts, ana, django_assert_num_queries):
    AuditEvent.objects.create(
        actor="ana", action="x", before={"a": [1.5, None, "ü"]}, ip="10.0.0.1", object_type="",
    )  # fmt: skip
    wanted = [list(one.all()) for one in QUESTIONS]
    found = alone(ask(*[one.all() for one in QUESTIONS]))
    for one, (told, known) in enumerate(zip(found, wanted, strict=True)):
        if known and hasattr(known[0], "_state"):
            assert [*map(stated, told)] == [*map(stated, known)], str(QUESTIONS[one].query)
        else:
            assert told == known, str(QUESTIONS[one].query)


def test_all_of_a_round_is_one_statement(alerts, django_assert_num_queries):
    def counting(**said) -> Part[int]:
        found = yield HowMany(Alert.objects.filter(**said))
        return found

    def twice() -> Part[list[int]]:
        ids = yield Alert.objects.order_by("pk").values_list("pk", flat=True)
        rows = yield Alert.objects.filter(pk__gt=ids[0]).order_by("pk")
        return [row.pk for row in rows]

    pks = [one.pk for one in alerts]
    with django_assert_num_queries(2):
        told = together(counting(), counting(amount__gt=6), twice(), counting(pk__in=[]), "said")
    assert told == [3, 2, pks[1:], 0, "said"]


def test_a_part_of_parts_asks_for_all_of_them_at_once(alerts, django_assert_num_queries):
    def both() -> Part[int]:
        few, all_ = yield from side_by_side(
            ask(Alert.objects.order_by("pk")[:1]), ask(Alert.objects.all())
        )
        return len(few[0]) + len(all_[0])

    with django_assert_num_queries(1):
        assert together(both(), both()) == [4, 4]


def test_sql_and_sums_are_asked_along(alerts, django_assert_num_queries):
    def figures() -> Part[tuple]:
        text = "SELECT id, amount FROM alerts_alert WHERE amount > %(least)s AND '%%' <> %(x)s"
        big, sums, nothing, none = yield (
            Sql(text, {"least": 6, "x": "y"}),
            Totals(Alert.objects.all(), n=Count("pk"), big=Count("pk", Q(amount__gt=6))),
            Totals(Alert.objects.filter(amount__gt=100), n=Count("pk"), most=Max("amount")),
            Totals(Alert.objects.filter(pk__in=[]), n=Count("pk"), most=Max("amount")),
        )
        return big, sums, nothing, none

    with django_assert_num_queries(1):
        big, sums, nothing, none = alone(figures())
    assert sorted(amount for _, amount in big) == [Decimal(7), Decimal(9)]
    assert sums == {"n": 3, "big": 2}
    assert nothing == none == {"n": 0, "most": None}


def test_what_a_part_raises_reaches_whoever_asked(alerts):
    def bad() -> Part[None]:
        yield Alert.objects.all()
        raise LookupError

    with pytest.raises(LookupError):
        together(bad(), ask(Alert.objects.all()))


def test_without_a_question_nobody_goes_to_the_database(db, django_assert_num_queries):
    def quiet() -> Part[int]:
        return 1
        yield

    with django_assert_num_queries(0):
        assert together(quiet(), 2) == [1, 2]
        assert alone(ask(Alert.objects.none())) == [[]]
