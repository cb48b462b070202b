"""The page of a user, card, device or merchant: what is usual, what is known, and for whom."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from alerts import peers, pinned
from alerts.baseline import latest, usual_hours
from alerts.entities import find, named
from alerts.models import EntityNote
from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from scoring import labels, lists
from scoring.engine.keys import entity_key, folded_key
from scoring.models import Label, ListEntry, Transaction
from tests.alerts import making

pytestmark = pytest.mark.django_db
JSON = "application/json"
NASTY = [
    "<script>x</script>",
    "a/b",
    "100%",
    "Ünï cødé",
    "a%2Fb",
    "..",
    "'; DROP TABLE x; --",
    "x?y#z",
]


@pytest.fixture(autouse=True)
def nobody_else() -> None:
    peers.forget()


def paid(user: str = "u-1", amount: str = "10", *, ago: float = 1, **names: str) -> Transaction:
    """A payment so many days ago, with the keys of what it names."""
    keys = {
        "card_key": entity_key(names.get("card_id", "")),
        "device_key": entity_key(names.get("device_id", "")),
        "merchant_key": folded_key(names.get("merchant_name", "")),
        "place_key": folded_key(names.get("location", "")),
    }
    at = timezone.now() - timedelta(days=ago)
    return making.payment(user, amount, event_time=at, **keys, **names)


def address(kind: str, value: str, page: str = "entity") -> str:
    return reverse(page, args=[kind, value])


def read(client: Client, kind: str, value: str) -> str:
    response = client.get(address(kind, value))
    assert response.status_code == 200
    return response.content.decode()


def test_every_kind_has_a_page_with_what_it_paid_with_and_where(as_ana, cards):
    paid("u-1", card_id="c-1", device_id="d-1", merchant_name="Fjord & Sons", location="Oslo")
    paid("u-1", "30", card_id="c-1", device_id="d-1", merchant_name="fjord &  SONS")
    assert "c-1" in read(as_ana, "user", "u-1")
    assert "Oslo" in read(as_ana, "card", "c-1")
    assert "u-1" in read(as_ana, "device", "d-1")
    page = read(as_ana, "merchant", "FJORD & sons")
    assert "u-1" in page
    assert "2</span>" in page or "2 <small" in page


def test_its_own_baseline_is_of_its_own_payments(ana):
    for days, amount in enumerate(("10", "20", "30", "40", "1000"), start=1):
        paid("u-1", amount, ago=days * 11, device_id="d-1" if days < 5 else "d-2")
    paid("u-2", "99999")
    from alerts.baseline import baseline

    entity = find("user", "u-1", ana)
    told = baseline(entity, latest(entity))
    assert (told.payments, told.median, told.at_least) == (5, 30.0, False)
    assert told.p90 == pytest.approx(616.0)
    devices = next(shares for kind, _, shares in told.shares if kind == "device")
    assert [(one.value, one.count, one.share) for one in devices] == [
        ("d-1", 4, 0.8),
        ("d-2", 1, 0.2),
    ]
    assert [(one.days, one.count) for one in told.windows] == [(1, 1), (7, 1), (30, 3)]


def test_usual_hours_are_the_shortest_run_and_may_pass_midnight():
    hours = [0] * 24
    hours[23], hours[0], hours[1], hours[12] = 4, 4, 1, 1
    assert usual_hours(hours) == "23–01"
    assert usual_hours([1] * 24) == "00–20"


def test_peers_pay_about_as_often_and_tell_where_it_stands(ana, as_ana, cards):
    for n in range(8):
        for days in (1, 2, 3):
            paid(f"peer-{n}", "10", ago=days)
    for days in (1, 2, 3):
        paid("rich", "500", ago=days)
    told = peers.beside(find("user", "rich", ana), latest(find("user", "rich", ana)))
    assert (told.count, told.fewest, told.most) == (8, 3, 3)
    amount = next(one for one in told.measures if one.name == "median amount")
    assert (amount.value, amount.median, amount.higher_than) == (500.0, 10.0, 1.0)
    payments = told.measures[0]
    assert payments.higher_than == 0.5  # all the same
    assert "<td>Median amount</td>" in read(as_ana, "user", "rich")
    User.objects.filter(pk=ana.pk).update(language="de")
    assert "<td>Betrag im Median</td>" in read(as_ana, "user", "rich")


def test_what_the_sample_says_of_others_is_what_is_computed_of_oneself(ana):
    for n in range(7):
        for days in range(1, 4 + n):
            paid(f"u-{n}", str(10 * days + n), ago=days, merchant_name=f"m{days % 3}")
    sampled = dict(peers.sample("user"))
    for n in range(7):
        entity = find("user", f"u-{n}", ana)
        assert sampled[entity.key] == pytest.approx(peers.figures_of("user", latest(entity)))


def test_known_frauds_say_since_when_and_go_when_they_are_taken_back(as_ana, ana, cards):
    bad = paid("u-1", "70", device_id="d-1")
    said = labels.give(
        by=ana, transaction=bad, value=Label.Value.TRUE_FRAUD, origin=Label.Origin.API
    )
    for kind, value in (("user", "u-1"), ("device", "d-1")):
        assert "known fraud</span>" in read(as_ana, kind, value)
        assert "known since" in read(as_ana, kind, value)
    labels.take_back(by=ana, label=said)
    assert "known since" not in read(as_ana, "user", "u-1")


def test_alerts_come_with_their_outcomes_page_by_page_and_only_of_seen_queues(as_ana, cards, loans):
    made = [making.alert(cards, user="u-1", device_id="d-9") for _ in range(12)]
    making.alert(loans, user="u-1")
    Transaction.objects.update(device_key=entity_key("d-9"))
    page = as_ana.get(address("user", "u-1"))
    assert [one.pk for one in page.context["told"].alerts] == [one.pk for one in made[:1:-1]]
    assert page.context["outcomes"] == "12 open"
    more = as_ana.get(f"{address('user', 'u-1')}?{page.context['later_alerts']}")
    assert [one.pk for one in more.context["told"].alerts] == [made[1].pk, made[0].pk]
    assert len(as_ana.get(address("device", "d-9")).context["told"].alerts) == 10


def test_payments_are_paged_without_repeating_or_losing_one(as_ana, cards):
    made = [paid("u-1", ago=n) for n in range(1, 46)]
    place, seen = address("user", "u-1"), []
    while place:
        page = as_ana.get(place)
        seen += [row.pk for row in page.context["told"].payments]
        more = page.context["told"].more_payments
        place = f"{address('user', 'u-1')}?{page.context['later_payments']}" if more else ""
    assert seen == [one.pk for one in made]


def test_it_asks_few_questions_whatever_there_is(as_ana, ana, cards):
    for _ in range(30):
        making.alert(cards, user="u-1", merchant_name="Big")
    Transaction.objects.update(merchant_key=folded_key("Big"))
    pinned.pin(by=ana, entity=find("user", "u-1", ana), text="x")
    for kind, value in (("user", "u-1"), ("merchant", "Big")):
        as_ana.get(address(kind, value))
        with CaptureQueriesContext(
            connection,
        ) as asked:
            assert as_ana.get(address(kind, value)).status_code == 200
        said = [one["sql"] for one in asked if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))]
        assert len(said) <= 12, said


# --- who sees it
def test_whoever_reads_values_masked_finds_merchants_alone(as_mona, as_ana, cards):
    paid("customer-77", card_id="card-1234", merchant_name="Fjord")
    for kind, value in (("user", "customer-77"), ("user", "nobody"), ("card", "card-1234")):
        assert as_mona.get(address(kind, value)).status_code == 404
    page = read(as_mona, "merchant", "Fjord")
    assert "cu…77" in page
    assert "customer-77" not in page
    assert "customer-77" in read(as_ana, "merchant", "Fjord")


def test_a_look_is_in_the_trail_without_the_value(as_ana, as_mona, cards):
    paid("customer-77", merchant_name="Fjord")
    read(as_ana, "user", "customer-77")
    event = AuditEvent.objects.get(action="data.read")
    assert event.object_type == "scoring.transaction"
    assert "customer-77" not in f"{event.before}{event.after}{event.reason}{event.object_id}"
    read(as_mona, "merchant", "Fjord")
    assert AuditEvent.objects.filter(action="data.read").count() == 1


# --- bad twins
def test_unknown_ones_are_not_found(as_ana, cards):
    paid("u-1")
    for kind, value in (("user", "u-2"), ("planet", "u-1"), ("card", "u-1"), ("user", "x" * 300)):
        assert as_ana.get(address(kind, value)).status_code == 404
    assert as_ana.get("/entities/user/u-1%00/").status_code == 404
    assert named("user", "") is None


@pytest.mark.parametrize("value", NASTY)
def test_whatever_it_is_called_it_has_an_address_and_is_shown_as_text(as_ana, cards, value):
    paid(value, merchant_name=value)
    for kind in ("user", "merchant"):
        page = read(as_ana, kind, value)
        assert "<script>x" not in page
    assert as_ana.get(f"/api/v1{address('user', value).rstrip('/')}").json()["value"] == value


def test_cursors_nobody_gave_out_begin_again(as_ana, cards):
    paid("u-1")
    for cursor in ("x", "2026-01-01~1", "2026-01-01T00:00:00+00:00~99999999999999999999", "\x00"):
        page = as_ana.get(address("user", "u-1"), {"before": cursor, "alerts_before": cursor})
        assert len(page.context["told"].payments) == 1


# --- notes
def test_a_note_stays_with_the_entity_and_its_words_are_in_no_trail(as_ana, cards):
    paid("u-1")
    answer = as_ana.post(address("user", "u-1", "entity-note"), {"note": "Her <son> pays too."})
    assert answer.status_code == 302
    assert "Her &lt;son&gt; pays too." in read(as_ana, "user", "u-1")
    event = AuditEvent.objects.get(action="entity.noted")
    assert "son" not in f"{event.before}{event.after}{event.reason}"


def test_only_its_author_or_a_lead_takes_a_note_back_and_its_words_go(as_ana, ana, lena, cards):
    paid("u-1")
    bo = making.queue_member("bo", cards)
    note = pinned.pin(by=bo, entity=find("user", "u-1", ana), text="Secret words.")
    place = reverse("entity-note-retract", args=["user", "u-1", note.pk])
    refused = as_ana.post(place)
    assert refused.status_code == 409
    assert "Ask them, or a lead" in refused.content.decode()
    pinned.retract(by=lena, note=note)
    page = read(as_ana, "user", "u-1")
    assert "Secret words." not in page
    assert "taken back by" in page
    with pytest.raises(pinned.Refused, match="already"):
        pinned.retract(by=bo, note=note)
    assert EntityNote.objects.get().text == "Secret words."


def test_a_note_of_somebody_else_is_not_there(as_ana, ana, cards):
    paid("u-1"), paid("u-2")
    note = pinned.pin(by=ana, entity=find("user", "u-1", ana), text="x")
    place = reverse("entity-note-retract", args=["user", "u-2", note.pk])
    assert as_ana.post(place).status_code == 404


def test_an_empty_note_or_one_about_nobody_is_refused(as_ana, cards):
    paid("u-1")
    assert as_ana.post(address("user", "u-1", "entity-note"), {"note": " "}).status_code == 400
    assert as_ana.post(address("user", "u-9", "entity-note"), {"note": "x"}).status_code == 404
    assert not EntityNote.objects.exists()


# --- lists
def test_it_is_put_on_a_list_from_its_page_and_once(as_ana, cards):
    paid("u-1")
    place = address("user", "u-1", "entity-list")
    wish = {"list_kind": "DENY", "list_reason": "Stolen.", "list_days": "90"}
    assert as_ana.post(place, {**wish, "list_reason": ""}).status_code == 400
    assert as_ana.post(place, {**wish, "list_kind": "ALLOW", "list_days": ""}).status_code == 400
    assert as_ana.post(place, wish).status_code == 302
    entry = ListEntry.objects.get()
    assert (entry.kind, entry.entity, entry.value) == ("DENY", "user", "u-1")
    assert "deny list</span>" in read(as_ana, "user", "u-1")
    assert as_ana.post(place, wish).status_code == 409


# --- ways there
def test_the_box_that_goes_anywhere_knows_kinds(as_ana, cards):
    assert as_ana.get(reverse("jump"), {"to": "card:c 1/2"})["Location"] == address("card", "c 1/2")
    assert as_ana.get(reverse("jump"), {"to": "u-1"})["Location"].startswith("/transactions/")


def test_alert_and_transaction_lead_to_everybody_they_name(as_ana, as_mona, cards):
    alert = making.alert(cards, card_id="c-1", device_id="d-1", merchant_name="Fjord")
    for place in (f"/alerts/{alert.pk}/", f"/transactions/{alert.transaction_id}/"):
        page = as_ana.get(place).content.decode()
        for kind, value in (
            ("user", alert.user_id), ("card", "c-1"), ("device", "d-1"), ("merchant", "Fjord"),
        ):  # fmt: skip
            assert f'href="{address(kind, value)}"' in page
        masked = as_mona.get(place).content.decode()
        assert "/entities/user/" not in masked
        assert "/entities/card/" not in masked


# --- programs
def test_a_program_reads_what_the_page_says(as_ana, ana, cards):
    paid("u-1", "12", card_id="c-1")
    lists.put(by=ana, wish=lists.Wish("DENY", "user", "u-1", "Stolen."))
    told = as_ana.get("/api/v1/entities/user/u-1").json()
    assert [one["payments"] for one in told["windows"]] == [1, 1, 1]
    assert told["baseline"]["usual"][0]["most"][0]["value"] == "c-1"
    assert told["lists"][0]["kind"] == "DENY"
    assert Decimal(told["payments"][0]["amount"]) == 12
    made = as_ana.post("/api/v1/entities/user/u-1/notes", {"note": "x"}, content_type=JSON)
    assert made.status_code == 201
    notes = as_ana.get("/api/v1/entities/user/u-1/notes").json()["results"]
    assert [one["text"] for one in notes] == ["x"]
    back = as_ana.post(
        f"/api/v1/entities/user/u-1/notes/{made.json()['id']}/retract", content_type=JSON
    )
    assert (back.status_code, back.json()["text"]) == (200, "")
    assert as_ana.get("/api/v1/entities/user/u-1?before=x").status_code == 400
