"""Thresholds change by two people, after they were tried on what was decided."""

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from anomalyshield.audit.models import AuditEvent
from scoring import current, policies, policy_changes, whatif
from scoring.engine.decision import Policy
from scoring.models import Decision, DecisionPolicy, PolicyRequest, Transaction
from scoring.policy_changes import Refused
from tests.conftest import client_of
from tests.models.making import payment

pytestmark = pytest.mark.django_db
FIELDS = {
    "low_below": "0.3", "high_above": "0.7", "critical_above": "0.9", "high_amount": "10000",
    "critical_amount": "10000", "velocity_count": "3", "velocity_cities": "2", "unusual_from": "2",
    "unusual_until": "5", "high_risk_mcc": "4829, 5967 6051;7995", "last": "1000",
}  # fmt: skip
LOWER = Policy(high_amount=20.0)


@pytest.fixture
def decided(db) -> list[Decision]:
    """Ten payments of 25, approved, and one that the score alone sent to a person."""
    rows = [payment(f"p{n}", days_ago=n) for n in range(11)]
    policy = policies.active()
    return [
        Decision.objects.create(
            transaction=row,
            policy=policy,
            risk_score=0.8 if n == 10 else 0.1,
            level="HIGH" if n == 10 else "LOW",
            outcome="REVIEW" if n == 10 else "APPROVE",
            reviewable=n == 10,
            known_at=row.event_time,
            decided_at=row.event_time,
        )
        for n, row in enumerate(rows)
    ]


def ask(by, policy=LOWER, reason="Small payments are stolen too.") -> PolicyRequest:
    return policy_changes.ask(by=by, policy=policy, reason=reason)


def page(person, name, *args, status=200, **asked) -> str:
    answer = client_of(person).get(reverse(name, args=args), asked)
    assert answer.status_code == status
    return answer.content.decode()


def post(person, name, *args, status=302, **fields):
    answer = client_of(person).post(reverse(name, args=args), fields)
    assert answer.status_code == status, answer.content.decode()[:3000]
    return answer


def test_a_second_person_puts_it_into_force_and_the_next_decision_uses_it(mona, otto):
    before = policies.active()
    request = ask(mona)
    assert policies.active() == before
    policy = policy_changes.approve(by=otto, request=request)
    assert policies.active() == policy
    assert policy.version == before.version + 1
    assert policy.created_by == mona
    current.forget()
    assert current.current_scorer().scorer.policy == LOWER
    event = AuditEvent.objects.get(action="policy.activated", actor="otto")
    assert (event.before["high_amount"], event.after["high_amount"]) == (10_000.0, 20.0)


def test_who_asked_does_not_approve_and_the_attempt_is_on_the_trail(mona):
    request = ask(mona)
    with pytest.raises(Refused, match="a second person"):
        policy_changes.approve(by=mona, request=request)
    assert AuditEvent.objects.filter(action="policy.activated", outcome="DENIED").count() == 1
    assert policies.active().version == 1


def test_the_database_itself_refuses_one_person_for_both(mona):
    request = ask(mona)
    with pytest.raises(IntegrityError), transaction.atomic():
        PolicyRequest.objects.filter(pk=request.pk).update(state="APPROVED", answered_by=mona)


def test_with_four_eyes_off_one_person_may(mona, settings):
    settings.FOUR_EYES = False
    assert policy_changes.approve(by=mona, request=ask(mona)).version == 2


def test_an_engineer_asks_and_does_not_put_into_force(dana, mona, otto):
    request = ask(dana)
    with pytest.raises(Refused, match="may not put"):
        policy_changes.approve(by=dana, request=request)
    policy_changes.approve(by=mona, request=request)
    another = ask(mona, Policy(high_amount=7))
    with pytest.raises(Refused, match="who asked withdraws it"):
        policy_changes.refuse(by=dana, request=another, answer="no")


def test_one_change_at_a_time_and_a_withdrawn_one_makes_room(mona, otto):
    request = ask(mona)
    with pytest.raises(Refused, match="waits"):
        ask(otto, Policy(high_amount=7))
    policy_changes.refuse(by=mona, request=request, answer="Thought again.")
    assert AuditEvent.objects.filter(action="policy.change_withdrawn").exists()
    ask(otto, Policy(high_amount=7))


def test_an_answer_is_given_once(mona, otto, adam):
    request = ask(mona)
    policy_changes.approve(by=otto, request=request)
    for verb in (policy_changes.approve, policy_changes.refuse):
        with pytest.raises(Refused, match="has answered already"):
            verb(by=adam, request=request, answer="me too")


def test_a_change_of_values_no_longer_in_force_is_asked_anew(mona, otto):
    request = ask(mona)
    DecisionPolicy.objects.filter(active=True).update(active=False)
    DecisionPolicy.objects.create(version=2, values=Policy().as_dict(), active=True)
    with pytest.raises(Refused, match="ask anew"):
        policy_changes.approve(by=otto, request=request)


def test_the_same_values_are_no_change(mona):
    with pytest.raises(Refused, match="nothing would change"):
        ask(mona, Policy())


@pytest.mark.parametrize(
    ("field", "value"),
    [("low_below", 0.8), ("low_below", 0.0), ("critical_above", 0.5), ("critical_above", 1.0),
     ("high_amount", 0.0), ("high_amount", float("nan")), ("critical_amount", float("inf")),
     ("velocity_count", 0), ("velocity_cities", 101), ("unusual_from", 25),
     ("unusual_until", -1), ("high_risk_mcc", ("12",)), ("high_risk_mcc", ("٣٣٣٣",)),
     ("low_below", float("nan"))],
)  # fmt: skip
def test_values_without_sense_are_refused_by_field(mona, field, value):
    with pytest.raises(Refused) as refusal:
        ask(mona, Policy(**{field: value}))
    assert field in refusal.value.fields
    assert not PolicyRequest.objects.exists()


# --- what it would have done ----------------------------------------------------------------------
def test_a_lower_limit_sends_the_approved_ones_to_people_and_says_what_they_turned_out(
    decided, ana
):
    decided[0].transaction.labels.create(value="TRUE_FRAUD", origin="API", labeller=ana)
    effect = whatif.effect(Policy(), LOWER)
    assert effect.decisions == 11
    assert effect.changed == effect.newly == 10
    assert effect.no_longer == 0
    assert effect.hits["HIGH_AMOUNT"] == (0, 11)
    assert effect.people(False) == 1
    assert effect.people(True) == 11
    assert effect.after_a_day == pytest.approx(1.1, abs=0.01)
    assert effect.without_vector == 11
    assert effect.gained == {"fraud": 1, "": 9}


def test_one_old_payment_does_not_stretch_the_days(decided):
    row = decided[0].transaction
    row.event_time -= timedelta(days=300)
    row.save()
    assert whatif.effect(Policy(), LOWER).days == 10


def test_what_was_decided_within_a_minute_says_nothing_of_a_day(decided, mona):
    now = timezone.now()
    Decision.objects.update(decided_at=now)
    Decision.objects.filter(pk=decided[0].pk).update(decided_at=now - timedelta(seconds=50))
    effect = whatif.effect(Policy(), LOWER)
    assert (effect.before_a_day, effect.after_a_day) == (None, None)
    assert (effect.people_before, effect.people_after) == (1, 11)
    fields = FIELDS | {"high_amount": "20"}
    tried = post(mona, "policy-change", status=200, do="try", **fields).content.decode()
    assert "made within 50 s" in tried


def test_a_higher_cut_takes_the_one_away_from_people(decided):
    effect = whatif.effect(Policy(), Policy(high_above=0.85))
    assert (effect.changed, effect.newly, effect.no_longer) == (1, 0, 1)
    assert effect.examples[0].decision == decided[10]
    assert str(effect.examples[0].after.outcome) == "APPROVE"


def test_the_same_policy_changes_nothing_and_what_was_not_whole_stays_with_people(decided):
    Decision.objects.filter(pk=decided[3].pk).update(degraded="no model", risk_score=0.7)
    effect = whatif.effect(Policy(), Policy(high_above=0.95, critical_above=0.99))
    assert [change.decision for change in effect.examples] == [decided[10]]
    assert whatif.effect(Policy(), Policy()).changed == 0


def test_only_the_latest_are_tried(decided):
    assert whatif.effect(Policy(), LOWER, last=3).decisions == 3


def test_without_decisions_there_is_nothing_to_try(db):
    effect = whatif.effect(Policy(), LOWER)
    assert (effect.decisions, effect.after_a_day) == (0, None)


# --- pages ----------------------------------------------------------------------------------------
def test_from_page_to_page_a_change_is_tried_asked_and_put_into_force(dana, mona, ana, decided):
    fields = FIELDS | {"high_amount": "20"}
    tried = post(dana, "policy-change", status=200, do="try", **fields).content.decode()
    assert "What it would have done" in tried
    assert "<code>10,000</code> → <code>20</code>" in tried
    assert not PolicyRequest.objects.exists()
    answer = post(dana, "policy-change", do="ask", reason="Small ones too.", **fields)
    request = PolicyRequest.objects.get()
    assert answer.url == reverse("policy-request", args=[request.pk])
    assert "Put into force" not in page(dana, "policy-request", request.pk)
    assert "Put into force" not in page(ana, "policy-request", request.pk)
    assert "Put into force" in page(mona, "policy-request", request.pk)
    assert "asks for other thresholds" in page(ana, "rules")
    post(mona, "policy-approve", request.pk, reason="Agreed.")
    shown = page(ana, "rules")
    assert "Policy 2" in shown
    assert "put into force by Mona" in shown
    assert "<code>10,000</code> → <code>20</code>" in shown
    assert "came of it" in page(ana, "policy-request", request.pk)
    back = client_of(dana).get(reverse("policy-change"), {"from": 1})
    assert back.context["form"].initial["high_amount"] == 10_000.0


def test_rights_at_each_step(ana, dana, mona):
    post(ana, "policy-change", status=403, do="ask", **FIELDS)
    page(ana, "policy-change", status=403)
    request = ask(mona)
    post(ana, "policy-approve", request.pk, status=403)
    post(dana, "policy-approve", request.pk, status=403)
    post(ana, "policy-refuse", request.pk, status=403)
    answer = post(dana, "policy-refuse", request.pk, status=409, reason="no")
    assert "who asked withdraws it" in answer.content.decode()
    page(ana, "policy-request", 4711, status=404)
    post(mona, "policy-approve", 4711, status=404)
    assert (
        "a second person" in post(mona, "policy-approve", request.pk, status=409).content.decode()
    )


def test_a_refusal_needs_a_reason(mona, otto):
    request = ask(mona)
    assert (
        "Write a reason"
        in post(otto, "policy-refuse", request.pk, status=400, reason=" ").content.decode()
    )
    post(otto, "policy-refuse", request.pk, reason="Too many alerts.")
    assert "Too many alerts." in page(mona, "policy-request", request.pk)


@pytest.mark.parametrize(
    ("field", "value"),
    [("low_below", "0.9"), ("low_below", "x"), ("high_above", "2"), ("high_amount", "nan"),
     ("high_amount", ""), ("velocity_count", "2.5"), ("unusual_from", "25"), ("last", "7"),
     ("high_risk_mcc", "12, 4829"), ("critical_amount", "-1"), ("high_risk_mcc", "\x00")],
)  # fmt: skip
def test_a_wrong_value_is_refused_beside_its_field_and_the_others_stay(mona, field, value):
    fields = FIELDS | {field: value, "critical_above": "0.93"}
    answer = post(mona, "policy-change", status=400, do="ask", reason="Because.", **fields)
    form = answer.context["form"]
    assert form[field].errors
    assert form["critical_above"].value() == "0.93"
    assert not PolicyRequest.objects.exists()


def test_asking_without_a_reason_or_a_change_is_refused(mona):
    answer = post(mona, "policy-change", status=400, do="ask", **(FIELDS | {"high_amount": "9"}))
    assert "Write a reason" in answer.content.decode()
    same = post(mona, "policy-change", status=409, do="ask", reason="Because.", **FIELDS)
    assert "nothing would change" in same.content.decode()


@pytest.mark.parametrize("number", ["x", "99", "-1", "٣", "9" * 30])
def test_going_back_to_what_never_was_starts_from_what_is(mona, number):
    form = client_of(mona).get(reverse("policy-change"), {"from": number}).context["form"]
    assert form.initial["high_amount"] == 10_000.0


def test_a_rule_is_shown_with_its_precision_by_what_people_said(ana, decided, mona):
    Decision.objects.filter(pk__in=[one.pk for one in decided[:4]]).update(
        reason_codes=["HIGH_AMOUNT"], reviewable=True, outcome="REVIEW"
    )
    for one, value in zip(decided, ("TRUE_FRAUD", "TRUE_FRAUD", "FALSE_POSITIVE"), strict=False):
        one.transaction.labels.create(value=value, origin="DISPOSITION", labeller=ana)
    rule = next(r for r in policies.rules(policies.active()) if r.code == "HIGH_AMOUNT")
    told = rule.counted
    assert (told.hits, told.alone, told.frauds, told.genuine) == (4, 4, 2, 1)
    shown = page(mona, "rules")
    assert re.search(r"67 %<br><span class=\"muted\">2 of 3 judged", shown)
    assert Transaction.objects.count() == 11


def test_a_corrected_label_counts_as_corrected(ana, decided):
    Decision.objects.filter(pk=decided[0].pk).update(reason_codes=["HIGH_AMOUNT"])
    rows = decided[0].transaction.labels
    first = rows.create(value="TRUE_FRAUD", origin="DISPOSITION", labeller=ana)
    rows.create(value="FALSE_POSITIVE", origin="DISPOSITION", labeller=ana, supersedes=first)
    rule = next(r for r in policies.rules(policies.active()) if r.code == "HIGH_AMOUNT")
    assert (rule.counted.frauds, rule.counted.genuine) == (0, 1)


def test_the_pages_hold_no_inline_style_and_ask_a_fixed_number_of_questions(
    mona, decided, django_assert_max_num_queries
):
    request = ask(mona)
    client = client_of(mona)
    for name, args, most in (("rules", [], 9), ("policy-request", [request.pk], 12)):
        page(mona, name, *args)
        with django_assert_max_num_queries(most):
            shown = client.get(reverse(name, args=args)).content.decode()
        assert " style=" not in shown
