"""The transactions list and page: found by what one knows, shown as decided, masked for others."""

import re
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from scoring.models import Transaction
from tests.conftest import client_of
from tests.scoring import making
from tests.scoring.test_deciding import payment, send

pytestmark = pytest.mark.django_db(transaction=True)


def listed(user: User, **asked: str) -> str:
    answer = client_of(user).get(reverse("transactions"), asked)
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def shown(user: User, external_id: str) -> str:
    pk = Transaction.objects.get(external_id=external_id).pk
    answer = client_of(user).get(reverse("transaction", args=[pk]))
    assert answer.status_code == 200
    return unescape(answer.content.decode())


def test_it_is_found_by_its_id_and_by_its_entity(ana: User) -> None:
    send(payment(transaction_id="needle-1", user_id="carla-99"))
    send(payment(transaction_id="other-1", user_id="bert-11"))
    for text in ("needle-1", "carla-99"):
        page = listed(ana, q=text)
        assert "needle-1" in page
        assert "other-1" not in page
    assert "Nothing matches" in listed(ana, q="needle")


def test_it_is_found_by_time_and_level(ana: User) -> None:
    making.first_model()
    old = (timezone.now() - timedelta(days=9)).replace(hour=12).isoformat()
    send(payment(transaction_id="old-one", timestamp=old))
    send(payment(transaction_id="large-one", amount="50000"))
    since = (timezone.now() - timedelta(days=5)).strftime("%Y-%m-%dT%H:%M")
    assert "old-one" not in listed(ana, since=since)
    assert "large-one" not in listed(ana, until=since)
    level = Transaction.objects.get(external_id="large-one").decision.level
    assert "large-one" in listed(ana, level=level)
    assert "large-one" not in listed(ana, level="LOW")


def test_pages_follow_one_another_without_gap_or_repeat(ana: User) -> None:
    making.send(making.csv_of(making.ordinary_rows(120)))
    making.work_through()
    seen, address = [], reverse("transactions")
    while address:
        page = unescape(client_of(ana).get(address).content.decode())
        seen += re.findall(r'<a href="/transactions/\d+/">(t\d+)</a>', page)
        older = re.search(r'href="(\?[^"]*before=[^"]*)"', page)
        address = reverse("transactions") + older[1] if older else ""
    assert seen == [f"t{number}" for number in range(119, -1, -1)]


@pytest.mark.parametrize(
    "asked",
    [
        {"before": "yesterday~x"},
        {"before": "2026-01-01~1"},
        {"before": f"2026-01-01T00:00:00+00:00~{2**70}"},
        {"since": "soon"},
        {"level": "GIGANTIC"},
        {"q": "x" * 500},
        {"q": "\x00"},
    ],
)
def test_a_question_nobody_can_answer_is_no_failure(ana: User, asked: dict[str, str]) -> None:
    send(payment())
    assert "Transactions" in listed(ana, **asked)


def test_the_page_shows_what_the_decision_was_made_on(ana: User) -> None:
    making.first_model()
    send(payment(transaction_id="big", amount="25000", merchant="Gold & Co"))
    making.work_through()  # the explanation
    page = shown(ana, "big")
    for words in ("25,000.00", "Gold & Co", "HIGH_AMOUNT", "model v1", "amount_log", "log-odds"):
        assert words in page
    assert AuditEvent.objects.filter(action="data.read", actor="ana").count() == 1


def test_before_the_explanation_is_there_the_page_says_so(ana: User) -> None:
    making.first_model()
    send(payment(transaction_id="big", amount="25000"))
    assert "being computed" in shown(ana, "big")


def test_who_does_not_work_alerts_sees_the_ends_only(mona: User) -> None:
    send(payment(transaction_id="payment-0001", user_id="carla-990011"))
    assert "carla-990011" not in listed(mona)
    assert "carla-990011" not in shown(mona, "payment-0001")
    assert "Nothing matches" in listed(mona, q="carla-990011")
    assert not AuditEvent.objects.filter(action="data.read").exists()


def test_one_that_is_not_there_is_404(ana: User) -> None:
    assert client_of(ana).get(reverse("transaction", args=[2**62])).status_code == 404


def test_the_list_reads_indexes(ana: User) -> None:
    making.send(making.csv_of(making.ordinary_rows(50)))
    making.work_through()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE scoring_transaction")
    for rows, index in (
        (Transaction.objects.of_user("u1"), "transaction_user"),
        (Transaction.objects.called("t1"), "transaction_once"),
        (Transaction.objects.latest_first().before(timezone.now(), 1)[:50], "transaction_time"),
    ):
        with connection.cursor() as cursor:
            # Fifty rows cost as much by any index; of many none is sorted.
            cursor.execute("SET enable_seqscan = off; SET enable_bitmapscan = off")
            plan = rows.explain()
            cursor.execute("RESET enable_seqscan; RESET enable_bitmapscan")
        assert index in plan, plan
