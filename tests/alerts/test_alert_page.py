"""The alert page: everything to decide with, to whom it is shown, and what it refuses."""

from datetime import timedelta

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from alerts import routing, triage
from alerts.models import Alert, Note, Profile
from anomalyshield.audit.models import AuditEvent
from cases import workflow
from scoring import labels, opinions
from scoring.engine.features import FEATURES, spec_id
from scoring.models import Explanation, Label, ModelVersion, Transaction
from tests.alerts import making
from tests.conftest import client_of
from tests.webhooks.making import endpoint

pytestmark = pytest.mark.django_db
NASTY = "<script>alert(1)</script>"
FRAUD = Alert.Disposition.TRUE_POSITIVE_FRAUD


def explanation(alert: Alert, **fields) -> Explanation:
    version, _ = ModelVersion.objects.get_or_create(
        number=3, defaults={"folder": "x", "sha256": "x", "kind": "cold", "cutoff": timezone.now()}
    )
    return Explanation.objects.create(decision=alert.decision, model=version, **fields)


def read(client, alert: Alert, query: str = "") -> str:
    response = client.get(f"/alerts/{alert.pk}/{query}")
    assert response.status_code == 200
    return response.content.decode()


def say(client, alert: Alert, what: str = "decide", **data):
    return client.post(f"/alerts/{alert.pk}/{what}/", data)


# --- what it shows
def test_it_shows_the_payment_and_the_rules_in_words(as_ana, cards):
    hit = {"code": "HIGH_AMOUNT", "sentence": "The amount is high.", "observed": 1, "limit": 0}
    alert = making.alert(cards, amount="12345.60", merchant_name="Fjord & Sons", hits=[hit])
    page = read(as_ana, alert)
    for words in ("12,345.60 USD", "Fjord &amp; Sons", "customer-0042", "The amount is high."):
        assert words in page


def test_contributions_are_drawn_and_add_up_in_the_table(as_ana, cards):
    alert = making.alert(cards)
    names = [feature.name for feature in FEATURES[:8]]
    values = {name: (-1) ** n * (n + 1) / 10 for n, name in enumerate(names)}
    explanation(
        alert,
        state="DONE",
        base=-2.5,
        margin=-2.5 + sum(values.values()),
        contributions=values,
        sentences=[{"sentence": "Twice the usual.", "contribution": 0.7}],
    )
    response = as_ana.get(f"/alerts/{alert.pk}/")
    page, why = response.content.decode(), response.context["why"]
    assert "Twice the usual." in page
    assert why.contributions[0].meaning in page
    assert why.base + sum(c.value for c in why.drawn) == pytest.approx(why.margin)
    assert page.count("chart-bar") == len(why.drawn) < len(names)
    assert all(f'<td class="mono">{name}</td>' in page for name in names)


def test_what_would_have_changed_it_is_told_on_the_page_and_to_programs(as_ana, cards):
    way = {"changes": ["device"], "sentence": "From the device they use most, it would <have>.",
           "risk_score": 0.21, "level": "LOW", "outcome": "APPROVE"}  # fmt: skip
    found, nothing = making.alert(cards), making.alert(cards)
    otherwise = {"state": "approved", "ways": [way], "counts": [], "sentence": way["sentence"]}
    none = {"state": "nothing", "ways": [], "counts": ["Known frauds: 3."], "sentence": "Nothing."}
    for alert, told in ((found, otherwise), (nothing, none)):
        explanation(alert, state="DONE", base=0, margin=0, contributions={}, counterfactual=told)
    page = read(as_ana, found).split("What would have changed it")[1]
    assert "it would &lt;have&gt;." in page
    assert "Each was tried" in page
    assert "Nothing. What counts is:" in read(as_ana, nothing)
    assert "Known frauds: 3." in read(as_ana, nothing)
    assert "Nothing." in as_ana.get(f"/transactions/{nothing.transaction_id}/").content.decode()
    answer = as_ana.get(f"/api/v1/alerts/{found.pk}").json()["explanation"]
    assert (answer["state"], answer["otherwise"]) == ("DONE", otherwise)
    answer = as_ana.get(f"/api/v1/transactions/{found.transaction_id}").json()
    assert answer["explanation"]["otherwise"]["ways"] == [way]


def test_a_second_opinion_is_asked_for_by_a_link_and_told(as_ana, cards, monkeypatch):
    told = {"state": "given", "sentence": "A second method names 4 of the same 5 reasons.",
            "agrees": True, "reasons": [{"feature": "amount", "meaning": "Amount", "weight": 1.5}],
            "measured": {"fit": 0.97, "common": 4, "of": 5, "same_direction": 4,
                         "rank_correlation": 0.9, "neighbours": 1000}}  # fmt: skip
    monkeypatch.setattr(opinions, "second", lambda _: told)
    alert = making.alert(cards)
    explanation(alert, state="DONE", base=0, margin=0, contributions={"amount": 1.0})
    page = read(as_ana, alert, "?level=HIGH")
    assert 'href="?level=HIGH&amp;second_opinion=1#second"' in page
    assert "4 of the same 5" not in page
    page = read(as_ana, alert, "?second_opinion=1")
    assert "A second method names 4 of the same 5 reasons." in page
    assert "fits them by 97 %" in page
    fragment = as_ana.get(f"/alerts/{alert.pk}/?second_opinion=1", HTTP_HX_REQUEST="true")
    assert "4 of the same 5" in fragment.content.decode()
    answer = as_ana.get(f"/api/v1/alerts/{alert.pk}/second-opinion")
    assert answer.json() == told


def test_a_second_method_that_cannot_be_asked_leaves_the_page_whole(as_ana, cards):
    alert = making.alert(cards)
    explanation(alert, state="DONE", base=0, margin=0, contributions={"amount": 1.0})
    page = read(as_ana, alert, "?second_opinion=1")
    assert "kept nothing of what it learnt from" in page
    assert "decision-bar" in page
    answer = as_ana.get(f"/api/v1/alerts/{alert.pk}/second-opinion").json()
    assert (answer["state"], answer["measured"]) == ("none", None)


def test_a_second_opinion_on_a_foreign_alert_does_not_exist(as_ana, loans):
    alert = making.alert(loans)
    assert as_ana.get(f"/api/v1/alerts/{alert.pk}/second-opinion").status_code == 404


def test_reasons_without_what_would_have_changed_it_are_shown_as_they_are(as_ana, cards):
    """Explained before there was such a thing."""
    alert = making.alert(cards)
    explanation(alert, state="DONE", base=0, margin=0, contributions={"amount": 1.0})
    assert "What would have changed it" not in read(as_ana, alert)


def test_an_explanation_under_way_is_said_and_fetched_again(as_ana, cards):
    alert = making.alert(cards)
    explanation(alert, state="READY")
    page = read(as_ana, alert)
    assert "being computed" in page
    assert 'hx-trigger="every 2s"' in page
    fragment = as_ana.get(f"/alerts/{alert.pk}/", HTTP_HX_REQUEST="true").content.decode()
    assert "being computed" in fragment
    assert "customer-0042" not in fragment


def test_an_explanation_that_failed_is_said_with_its_reason(as_ana, cards):
    alert = making.alert(cards)
    explanation(alert, state="QUARANTINED", error="Traceback\nRefused: the bundle is gone")
    assert "could not be computed: Refused: the bundle is gone" in read(as_ana, alert)


def test_degraded_scoring_is_said(as_ana, cards):
    assert "missed its deadline" in read(
        as_ana, making.alert(cards, degraded="missed its deadline")
    )


def test_the_timeline_is_of_this_customer_with_the_alerts_payment_marked(as_ana, cards):
    start = timezone.now() - timedelta(days=2)
    for hour in range(30):
        making.payment(event_time=start + timedelta(hours=hour))
    making.payment(user="somebody-else", event_time=start)
    alert = making.alert(cards, event_time=start + timedelta(hours=12, minutes=30))
    events = as_ana.get(f"/alerts/{alert.pk}/").context["events"]
    moments = [event.payment.event_time for event in events]
    assert len(events) == 20
    assert moments == sorted(moments, reverse=True)
    assert [event.payment for event in events if event.marked] == [alert.transaction]
    assert {event.payment.user_id for event in events} == {"customer-0042"}


def test_other_alerts_of_the_customer_stand_with_their_outcome(as_ana, ana, cards, loans):
    earlier = triage.decide(by=ana, alert=making.alert(cards), disposition=FRAUD)
    hidden, alert = making.alert(loans), making.alert(cards)
    page = read(as_ana, alert)
    assert f"/alerts/{earlier.pk}/" in page
    assert ">Fraud</span>" in page
    assert f"/alerts/{hidden.pk}/" not in page


def test_what_was_said_from_outside_is_shown_before_deciding(as_ana, cards):
    alert = making.alert(cards)
    labels.give(by="worker", transaction=alert.transaction, value="TRUE_FRAUD", origin="FILE")
    assert "said by a report from outside" in read(as_ana, alert)


def test_what_people_typed_is_shown_as_text(as_ana, ana, cards):
    alert = making.alert(
        cards, user=NASTY, location=NASTY, merchant_name=NASTY, device_id=NASTY, degraded=NASTY
    )
    triage.comment(by=ana, alert=alert, text=NASTY)
    page = read(as_ana, alert)
    assert NASTY not in page
    assert page.count("&lt;script&gt;") >= 6


def test_reading_leaves_one_row_in_the_trail(as_ana, cards):
    alert = making.alert(cards)
    read(as_ana, alert)
    event = AuditEvent.objects.get(action="data.read")
    assert (event.actor, event.object_type, event.object_id) == (
        "ana",
        "alerts.alert",
        str(alert.pk),
    )


def test_a_page_takes_few_queries(as_ana, cards):
    alert = making.alert(cards)
    for _ in range(10):
        making.alert(cards)
    with CaptureQueriesContext(connection) as captured:
        read(as_ana, alert)
    assert len(captured) <= 12, [query["sql"][:90] for query in captured]


# --- to whom
def test_an_alert_of_a_foreign_queue_does_not_exist(as_ana, loans):
    alert = making.alert(loans)
    assert as_ana.get(f"/alerts/{alert.pk}/").status_code == 404
    for what in ("claim", "decide", "note", "escalate"):
        assert say(as_ana, alert, what, disposition=FRAUD, note="x").status_code == 404
    assert not Label.objects.exists()


@pytest.mark.parametrize("number", [0, 2**31, 10**30])
def test_an_alert_that_never_was_does_not_exist(as_ana, number):
    assert as_ana.get(f"/alerts/{number}/").status_code == 404


def test_a_model_owner_reads_along_masked(as_mona, ana, cards):
    alert = making.alert(cards, card_id="card-1234567", device_id="device-abcdef")
    triage.comment(by=ana, alert=alert, text="Mrs Example was called")
    as_mona.post("/profile/hints/alert/close/")  # the one button that is hers
    page = read(as_mona, alert)
    for secret in ("customer-0042", "card-1234567", "device-abcdef", "Mrs Example"):
        assert secret not in page
    assert "cu…42" in page
    assert "<button" not in page.split('id="content"')[1].split("</main>")[0]
    assert not AuditEvent.objects.filter(action="data.read").exists()


@pytest.mark.parametrize("what", ["claim", "decide", "note", "escalate"])
def test_a_model_owner_can_do_nothing_and_it_is_recorded(as_mona, cards, what):
    alert = making.alert(cards)
    assert say(as_mona, alert, what, disposition=FRAUD, note="x").status_code == 403
    assert AuditEvent.objects.get(outcome="DENIED").actor == "mona"
    alert.refresh_from_db()
    assert (alert.status, Note.objects.count()) == (Alert.Status.NEW, 0)


def test_an_admin_works_alerts_but_does_not_label(as_adam, cards):
    alert = making.alert(cards)
    assert say(as_adam, alert, "decide", disposition=FRAUD).status_code == 403
    assert say(as_adam, alert, "claim").status_code == 302
    assert "Legitimate" not in read(as_adam, alert).split("decision-bar")[1]


def test_nobody_sees_it_without_logging_in(client, cards):
    response = client.get(f"/alerts/{making.alert(cards).pk}/")
    assert response.status_code == 302
    assert "/login" in response.headers["Location"]


# --- what can be done
def test_deciding_goes_on_to_the_next_alert(as_ana, cards):
    first, second = making.alert(cards, amount="900"), making.alert(cards, amount="800")
    response = say(as_ana, first, disposition=FRAUD, typology="CARD_TESTING", note="as always")
    assert response.headers["Location"] == f"/alerts/{second.pk}/"
    page = as_ana.get(response.headers["Location"]).content.decode()
    assert f"{first} decided: fraud, payment declined. Next: {second}." in page
    first.refresh_from_db()
    assert (first.disposition, first.typology) == (FRAUD, "CARD_TESTING")
    assert first.notes.get().text == "as always"


def test_the_next_alert_keeps_to_the_filters_and_to_what_is_free(as_ana, cards):
    rival = making.queue_member("ines", cards)
    first = making.alert(cards, amount="900", level="CRITICAL")
    making.alert(cards, amount="800", level="HIGH")
    triage.claim(by=rival, alert=making.alert(cards, amount="700", level="CRITICAL"))
    free = making.alert(cards, amount="600", level="CRITICAL")
    response = as_ana.post(
        f"/alerts/{first.pk}/decide/?level=CRITICAL", {"disposition": "FALSE_POSITIVE"}
    )
    assert response.headers["Location"] == f"/alerts/{free.pk}/?level=CRITICAL"


def test_after_the_last_one_it_is_back_to_the_queue(as_ana, cards):
    response = say(as_ana, making.alert(cards), disposition=FRAUD)
    assert response.headers["Location"].startswith("/alerts/?")
    assert "Nothing else waits here." in as_ana.get(response.headers["Location"]).content.decode()


def test_one_that_was_skipped_comes_round_again(as_ana, cards):
    skipped, last = making.alert(cards, amount="900"), making.alert(cards, amount="800")
    response = say(as_ana, last, disposition=FRAUD)
    assert response.headers["Location"] == f"/alerts/{skipped.pk}/"


def test_a_second_decision_is_refused_on_the_page(as_ana, lena, cards):
    alert = making.alert(cards)
    triage.decide(by=lena, alert=alert, disposition="FALSE_POSITIVE")
    response = say(as_ana, alert, disposition=FRAUD)
    assert response.status_code == 409
    assert f"{alert} was already decided by Lena: legitimate." in response.content.decode()
    assert Label.objects.get().value == "FALSE_POSITIVE"


def test_a_refusal_keeps_what_was_typed(as_ana, cards):
    rival = making.queue_member("ines", cards)
    alert = triage.claim(by=rival, alert=making.alert(cards))
    response = say(as_ana, alert, disposition=FRAUD, typology="MULE", note="long thought")
    assert response.status_code == 409
    page = response.content.decode()
    assert 'value="long thought"' in page
    assert '<option value="MULE" selected>' in page


@pytest.mark.parametrize(
    "data, words",
    [
        ({}, "Choose what it was"),
        ({"disposition": "PERHAPS"}, "“PERHAPS” is not a disposition."),
        ({"disposition": FRAUD, "typology": "SPELL"}, "“SPELL” is not a typology."),
        ({"disposition": FRAUD, "note": "a\x00b"}, "Null characters are not allowed."),
        ({"disposition": FRAUD, "note": "x" * 5000}, "at most 4000 characters"),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused_in_words(as_ana, cards, data, words):
    alert = making.alert(cards)
    response = say(as_ana, alert, **data)
    assert response.status_code == 400
    assert words in response.content.decode()
    alert.refresh_from_db()
    assert alert.is_open


def test_fields_nobody_offered_are_ignored(as_ana, ana, lena, cards, loans):
    alert = making.alert(cards)
    smuggled = {"closed_by": lena.pk, "queue": loans.pk, "risk_score": 0, "status": "NEW"}
    say(as_ana, alert, disposition=FRAUD, **smuggled)
    alert.refresh_from_db()
    assert (alert.closed_by, alert.queue, alert.risk_score) == (ana, cards, 0.8)


def test_claim_and_give_back(as_ana, ana, cards):
    alert = making.alert(cards)
    assert say(as_ana, alert, "claim").headers["Location"] == f"/alerts/{alert.pk}/"
    alert.refresh_from_db()
    assert alert.assignee == ana
    say(as_ana, alert, "claim", release="1")
    alert.refresh_from_db()
    assert alert.assignee is None


def test_a_note_needs_words(as_ana, cards):
    alert = making.alert(cards)
    assert say(as_ana, alert, "note", note=" ").status_code == 400
    assert say(as_ana, alert, "note", note="Called back.").status_code == 302
    assert "Called back." in read(as_ana, alert)


def test_escalating_opens_a_case_with_the_note(as_ana, cards):
    alert = making.alert(cards)
    response = say(as_ana, alert, "escalate", note="Third one this week")
    case = alert.cases.get()
    assert response.headers["Location"] == f"/cases/{case.pk}/"
    assert case.timeline.first().text == "Third one this week"


def test_what_happens_needs_a_post_with_a_token(ana, cards):
    from django.test import Client

    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ana, backend="django.contrib.auth.backends.ModelBackend")
    alert = making.alert(cards)
    for what in ("claim", "decide", "note", "escalate"):
        assert strict.get(f"/alerts/{alert.pk}/{what}/").status_code == 405
        assert say(strict, alert, what, disposition=FRAUD, note="x").status_code == 403
    alert.refresh_from_db()
    assert alert.status == Alert.Status.NEW


def test_a_decided_alert_shows_who_decided_and_no_buttons(as_ana, ana, cards):
    alert = triage.decide(by=ana, alert=making.alert(cards), disposition=FRAUD, typology="MULE")
    bar = read(as_ana, alert).split("decision-bar")[1]
    assert "decided by Ana" in bar
    assert "mule or layering" in bar
    assert 'name="disposition"' not in bar


def test_enter_in_a_field_decides_nothing(as_ana, cards):
    """The first button of a form is what Enter presses: it must be one that is disabled."""
    bar = read(as_ana, making.alert(cards)).split("decision-bar")[1]
    assert bar.index("<button") == bar.index('<button type="submit" disabled hidden>')


def test_an_alert_in_a_case_names_it(as_ana, ana, cards):
    case = workflow.open_case(by=ana, alerts=[making.alert(cards)])
    assert f"/cases/{case.pk}/" in read(as_ana, case.alerts.get())


def test_a_group_shows_its_payments_and_which_are_new(as_ana, cards):
    raised(making.payment(amount="100", merchant_name="Fjord"))
    alert = Alert.objects.get()
    assert "badge fresh" not in read(as_ana, alert)
    raised(making.payment(amount="250", merchant_name="Skerry"))
    assert "+1</span>" in as_ana.get("/alerts/").content.decode()
    page = read(as_ana, alert)
    assert "2 payments, 350.00 USD" in page
    assert page.count("badge fresh") == 1
    assert "badge fresh" not in read(as_ana, alert)


def test_a_verdict_on_an_old_page_is_refused_when_a_payment_joined(as_ana, cards):
    raised(making.payment())
    alert = Alert.objects.get()
    raised(making.payment())
    response = say(as_ana, alert, disposition=FRAUD, seen="1", note="typed")
    assert response.status_code == 409
    page = response.content.decode()
    assert "1 payment has joined A-" in page
    assert 'value="typed"' in page
    assert say(as_ana, alert, disposition=FRAUD, seen="2").status_code == 302


@pytest.mark.parametrize("seen", ["0", "-1", "many"])
def test_a_count_that_is_none_is_refused(as_ana, cards, seen):
    alert = making.alert(cards)
    assert say(as_ana, alert, disposition=FRAUD, seen=seen).status_code == 400
    assert Alert.objects.get().is_open


def test_it_shows_similar_alerts_with_what_they_were(as_ana, ana, cards):
    past = triage.decide(by=ana, alert=making.alert(cards), disposition=FRAUD, typology="MULE")
    alert = making.alert(cards, user="customer-7")
    assert "Nothing decided so far looks like this one." in read(as_ana, alert)
    for one in (past, alert):
        Profile.objects.create(alert=one, spec=spec_id(), vector=np.ones(len(FEATURES)).tobytes())
    page = read(as_ana, alert).split("Similar, and what they were")[1]
    assert f'href="/alerts/{past.pk}/"' in page
    assert "mule or layering" in page
    assert "1 of 1 fraud" in page
    assert "100 % alike" in page


def raised(*payments: Transaction) -> None:
    for one in payments:
        making.decision(one)
    routing.sweep()


# --- what upstream hears of an undo
def test_undo_says_that_upstream_is_told_only_where_it_is(as_ana, cards):
    for state, words in (
        ("", "so upstream is not told"),
        ("PAUSED", "so upstream is told when one is resumed"),
        ("STOPPED", "so upstream is told when one is resumed"),
        ("ACTIVE", ", and upstream is told"),
    ):
        if state:
            endpoint(state=state)
        alert = making.alert(cards, outcome="BLOCK")
        say(as_ana, alert, disposition="FALSE_POSITIVE")
        assert words in read(as_ana, alert)
        said = as_ana.post(f"/alerts/{alert.pk}/undo/", follow=True).content.decode()
        assert f"{words}." in said


def test_the_page_asks_for_nothing_that_is_not_there(as_ana, cards, django_assert_max_num_queries):
    raised = making.alert(cards)
    as_ana.get(f"/alerts/{raised.pk}/")
    # session, person, groups, queues, alert, trail, and two rounds of whatever stands beside it
    with django_assert_max_num_queries(8):
        as_ana.get(f"/alerts/{raised.pk}/")


def test_a_code_and_an_hour_are_written_as_such_beside_their_rule(cards, ana):
    mcc = {"code": "HIGH_RISK_MCC", "sentence": "It is.", "observed": 6051.0, "limit": 0.0}
    hour = {"code": "UNUSUAL_HOUR", "sentence": "It is.", "observed": 3.0, "limit": 5.0}
    alert = making.alert(cards, hits=[mcc, hour])
    shown = client_of(ana).get(f"/alerts/{alert.pk}/").content.decode()
    assert '<td class="num">6051</td>' in shown
    assert '<td class="num">03:00</td>' in shown
    assert "6,051" not in shown
