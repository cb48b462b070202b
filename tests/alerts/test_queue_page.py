"""The queue page: what it shows to whom, in which order, and what it refuses to tell."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts import activity, figures, listing, triage
from alerts.models import Alert
from scoring.models import Explanation, ModelVersion
from tests.alerts import making

pytestmark = pytest.mark.django_db
NASTY = "<img src=x onerror=alert(1)>"


def rows(response) -> list[Alert]:
    return response.context["page"].rows


def test_the_most_urgent_alert_stands_first(as_ana, cards):
    small = making.alert(cards, amount="10", score=0.95)
    large = making.alert(cards, amount="9000", score=0.75)
    later = making.alert(cards, amount="9000", score=0.75)
    assert rows(as_ana.get("/alerts/")) == [large, later, small]


def test_alerts_of_a_foreign_queue_do_not_appear_anywhere(as_ana, cards, loans):
    making.alert(loans, user="customer-9999")
    response = as_ana.get("/alerts/?status=all")
    assert rows(response) == []
    assert response.context["figures"].open == 0
    assert "Loans" not in response.content.decode()
    assert rows(as_ana.get("/alerts/?queue=loans")) == []


def test_someone_who_does_not_work_alerts_sees_them_masked(as_mona, cards):
    making.alert(cards, user="customer-0042")
    page = as_mona.get("/alerts/").content.decode()
    assert "cu…42" in page
    assert "customer-0042" not in page


def test_a_masked_reader_cannot_ask_for_a_name(as_mona, cards):
    alert = making.alert(cards, user="customer-0042")
    for user in ("customer-0042", "customer-0043"):
        response = as_mona.get("/alerts/", {"user": user})
        assert rows(response) == [alert]
        assert "customer-00" not in response.content.decode()


def test_filters_are_in_the_address_and_narrow(as_ana, ana, cards):
    critical = making.alert(cards, score=0.95, level="CRITICAL", reason_codes=["HIGH_AMOUNT"])
    mine = triage.claim(by=ana, alert=making.alert(cards, user="customer-7"))
    late = making.alert(cards, due_at=timezone.now() - timedelta(hours=1))
    done = triage.decide(by=ana, alert=making.alert(cards), disposition="FALSE_POSITIVE")
    asked = {
        "level=CRITICAL": [critical],
        "reason=HIGH_AMOUNT": [critical],
        "mine=on": [mine],
        "user=customer-7": [mine],
        "status=overdue": [late],
        "status=closed": [done],
        "status=all": [done, late, mine, critical],
        "status=unassigned&level=CRITICAL": [critical],
        "queue=cards&status=overdue": [late],
    }
    assert {query: rows(as_ana.get(f"/alerts/?{query}")) for query in asked} == asked


@pytest.mark.parametrize(
    "query, words",
    [
        ("level=ENORMOUS", "ENORMOUS is not one of the available choices"),
        ("status=gone", "gone is not one of the available choices"),
        ("reason=a%20b", "A reason is a code like HIGH_AMOUNT."),
        ("user=a%00b", "Null characters are not allowed."),
        (f"user={'x' * 201}", "at most 200 characters"),
        ("suspected=VANITY", "VANITY is not one of the available choices"),
    ],
)
def test_a_filter_that_makes_no_sense_is_named_and_narrows_nothing(as_ana, cards, query, words):
    alert = making.alert(cards)
    response = as_ana.get(f"/alerts/?{query}")
    assert response.status_code == 200
    assert words in response.content.decode()
    assert rows(response) == [alert]


def test_paging_skips_and_repeats_nothing_while_alerts_come_and_go(as_ana, ana, cards, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 3)
    for amount in (50, 50, 50, 40, 40, 30, 20):
        making.alert(cards, amount=str(amount))
    expected = list(Alert.objects.by_urgency())
    seen, address = [], "/alerts/"
    while address:
        response = as_ana.get(address)
        seen += rows(response)
        query = response.context["next_page"]
        address = f"/alerts/?{query}" if query else ""
        triage.decide(by=ana, alert=rows(response)[0], disposition="INCONCLUSIVE")
        making.alert(cards, amount="9999")
    assert seen == expected


@pytest.mark.parametrize("status", ["", "closed", "all"])
def test_every_order_can_be_paged(as_ana, ana, cards, monkeypatch, status):
    monkeypatch.setattr(listing, "PAGE", 2)
    for _ in range(5):
        alert = making.alert(cards)
        if status == "closed":
            triage.decide(by=ana, alert=alert, disposition="INCONCLUSIVE")
    seen, query = [], f"status={status}"
    while query:
        response = as_ana.get(f"/alerts/?{query}")
        seen += rows(response)
        query = response.context["next_page"]
    assert len(seen) == len(set(seen)) == 5


@pytest.mark.parametrize("after", ["x", "1~2~3", "NaN~2026-01-01~1", "1~2026-01-01~" + "9" * 30])
def test_a_made_up_cursor_is_no_error(as_ana, cards, after):
    making.alert(cards)
    assert as_ana.get("/alerts/", {"after": after}).status_code == 200


def test_the_tiles_count_what_this_person_sees(as_ana, ana, cards, loans):
    making.alert(cards, amount="100", score=0.8)
    making.alert(cards, amount="100", score=0.7, due_at=timezone.now() - timedelta(hours=3))
    making.alert(loans)
    for disposition in ("TRUE_POSITIVE_FRAUD", "FALSE_POSITIVE", "BENIGN_POSITIVE", "INCONCLUSIVE"):
        triage.decide(by=ana, alert=making.alert(cards), disposition=disposition)
    shown = as_ana.get("/alerts/").context["figures"]
    assert (shown.open, shown.unassigned, shown.overdue) == (2, 2, 1)
    assert (shown.decided_today, shown.judged) == (4, 3)
    assert shown.precision == pytest.approx(1 / 3)
    assert shown.at_risk == Decimal("102.0000")  # 120 × (0.44 + 0.41)


def test_a_count_ends_where_nobody_counts_on_and_says_so(as_ana, ana, cards, monkeypatch):
    monkeypatch.setattr(figures, "MOST", 2)
    for amount in ("300", "200", "100"):
        making.alert(cards, amount=amount, score=0.5, due_at=timezone.now() - timedelta(hours=3))
    page = as_ana.get("/alerts/")
    shown = page.context["figures"]
    assert (shown.open, shown.overdue, shown.at_risk) == (
        2,
        2,
        Decimal("189.0000"),  # the two most urgent: (320 + 220) × 0.35
    )
    text = page.content.decode()
    assert text.count(">2+<") == 2
    assert "2+ of the most urgent 2 unassigned" in text
    assert "189.00+" in text


def test_several_queues_are_one_list_in_one_order(as_ana, ana, cards, monkeypatch):
    monkeypatch.setattr(listing, "PAGE", 2)
    piles = [cards, making.queue("night", ana), making.queue("empty", ana)]
    for number in range(5):
        making.alert(piles[number % 2], amount=str(10 * (number % 3) + 5))
    seen, address = [], "/alerts/"
    while address:
        response = as_ana.get(address)
        seen += rows(response)
        query = response.context["next_page"]
        address = f"/alerts/?{query}" if query else ""
    assert seen == list(Alert.objects.by_urgency())
    assert as_ana.get("/alerts/").context["figures"].open == 5
    assert rows(as_ana.get("/alerts/?queue=empty")) == []


def test_nothing_judged_is_no_precision_of_zero(as_ana, cards):
    response = as_ana.get("/alerts/")
    assert response.context["figures"].precision is None
    assert "nothing judged yet" in response.content.decode()


def test_an_empty_queue_says_what_to_do_next(as_ana, cards):
    assert "Nothing waits" in as_ana.get("/alerts/").content.decode()
    assert "Show all that is open" in as_ana.get("/alerts/?level=LOW").content.decode()


def test_what_people_typed_is_shown_as_text(as_ana, cards):
    alert = making.alert(cards, user=NASTY, location=NASTY, reason_codes=["X"])
    version = ModelVersion.objects.create(
        number=1, folder="x", sha256="x", kind="cold", cutoff=timezone.now()
    )
    said = [{"sentence": NASTY, "contribution": 1.0}]
    Explanation.objects.create(
        decision=alert.decision, model=version, state="DONE", contributions={}, sentences=said
    )
    page = as_ana.get("/alerts/", {"user": NASTY}).content.decode()
    assert rows(as_ana.get("/alerts/", {"user": NASTY})) == [alert]
    assert NASTY not in page
    assert page.count("&lt;img src=x") >= 4


def test_the_live_refresh_is_the_table_alone_and_nothing_when_nothing_changed(as_ana, ana, cards):
    alert = making.alert(cards)
    live = {"HTTP_HX_REQUEST": "true"}
    fragment = as_ana.get("/alerts/", **live)
    assert "<html" not in fragment.content.decode()
    assert 'hx-swap-oob="true"' in fragment.content.decode()
    seen = {"seen": fragment.context["token"]}
    assert as_ana.get("/alerts/", seen, **live).status_code == 204
    triage.claim(by=ana, alert=alert)
    assert as_ana.get("/alerts/", seen, **live).status_code == 200


def test_a_reader_is_told_how_many_alerts_are_new(as_ana, cards):
    making.alert(cards)
    newest = as_ana.get("/alerts/").context["newest"]
    live = {"HTTP_HX_REQUEST": "true"}
    assert as_ana.get("/alerts/", {"newer": newest}, **live).content.strip() == b""
    making.alert(cards)
    assert "1 new alert " in as_ana.get("/alerts/", {"newer": newest}, **live).content.decode()
    assert as_ana.get("/alerts/", {"newer": "many"}, **live).status_code == 204


def test_changed_since_you_looked_is_a_view(as_ana, cards):
    alert, other = making.alert(cards), making.alert(cards)
    assert rows(as_ana.get("/alerts/?status=changed")) == []
    as_ana.get(f"/alerts/{alert.pk}/")
    as_ana.get(f"/alerts/{other.pk}/")
    Alert.objects.filter(pk=alert.pk).update(hit_count=3)
    assert rows(as_ana.get("/alerts/?status=changed")) == [alert]
    as_ana.get(f"/alerts/{alert.pk}/")


def test_a_row_draws_the_day_of_its_entity(as_ana, cards):
    now = timezone.now()
    for hours in (1, 1, 5, 23, 30):
        making.payment(event_time=now - timedelta(hours=hours, minutes=1))
    making.alert(cards, event_time=now)
    other = making.alert(cards, user="customer-7", event_time=now, card_id="c", card_key=7)
    Alert.objects.filter(pk=other.pk).update(entity_kind="card", entity="c")
    page = as_ana.get("/alerts/").content.decode()
    assert "5 payments in the 24 hours up to it" in page
    assert "1 payment in the 24 hours up to it" in page


def test_the_suspicion_narrows(as_ana, cards):
    alert, _ = making.alert(cards), making.alert(cards)
    Alert.objects.filter(pk=alert.pk).update(suspected="MULE")
    assert rows(as_ana.get("/alerts/?suspected=MULE")) == [alert]


def test_a_full_page_takes_at_most_twelve_queries(as_ana, ana, cards):
    for number in range(60):
        alert = making.alert(cards, amount=str(number))
        if number % 3 == 0:
            triage.claim(by=ana, alert=alert)
    with CaptureQueriesContext(connection) as captured:
        response = as_ana.get("/alerts/")
    assert len(rows(response)) == 50
    assert len(captured) <= 12, [query["sql"][:90] for query in captured]


@pytest.mark.parametrize("kind", ["user", "card", "device"])
def test_the_day_of_an_entity_is_read_by_its_own_index_and_not_out_of_everybodys(db, kind) -> None:
    asked = [[1], [7], [timezone.now()]]
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        cursor.execute("DROP INDEX transaction_time")  # of no use for this, but the table is empty
        cursor.execute("EXPLAIN " + activity.COUNTS.format(column=f"{kind}_key"), asked)
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert f"transaction_{kind}" in plan, plan
