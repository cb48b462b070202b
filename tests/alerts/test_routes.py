"""Routes: ordered, with a default, tried before they count, put into force by a second person."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from alerts import directing, rehearsal, routing
from alerts.candidates import Candidate
from alerts.conditions import CONDITIONS, NAMED, in_words, matches
from alerts.directing import Refused, Said
from alerts.models import Alert, AlertHit, Queue, Route, Routing
from alerts.rehearsal import rehearse
from anomalyshield.audit.models import AuditEvent
from tests.alerts import making

pytestmark = pytest.mark.django_db
LARGE = {"amount_from": 1000.0}


def said(queue: Queue, name: str = "Large", **more: Any) -> Said:
    return Said(name=name, queue=queue, **({"conditions": LARGE} | more))


def put_in_force(by: Any, second: Any, *wanted: Said) -> Routing:
    draft = directing.draft(by=by)
    for one in wanted:
        directing.add(by=by, routing=draft, said=one)
    proposed = directing.propose(by=by, routing=draft, reason="Loans have a team now")
    return directing.approve(by=second, routing=proposed, seen=proposed.digest)


def raised(*payments: Any, **fields: Any) -> list[str]:
    ids = [making.decision(one, **fields).pk for one in payments]
    routing.raise_alerts(ids)
    hits = AlertHit.objects.filter(decision__in=ids).order_by("decision")
    return list(hits.values_list("alert__queue__slug", flat=True))


# --- what a route takes
def test_a_new_alert_goes_through_the_first_route_that_matches(cards, loans, lena, adam):
    third = making.queue("third")
    put_in_force(lena, adam, said(loans), said(third, "Small", conditions={"amount_from": 10.0}))
    paid = [making.payment(amount=amount) for amount in ("5000", "50", "5")]
    assert raised(*paid) == ["loans", "third", "cards"]
    large = Alert.objects.get(queue=loans)
    assert (large.route.name, large.due_at - large.created_at) == (
        "Large",
        timedelta(minutes=loans.sla_minutes),
    )


def test_a_route_has_its_own_clock_and_grouping(cards, loans, lena, adam):
    put_in_force(lena, adam, said(loans, sla_minutes=30, grouping="NONE"))
    raised(making.payment(amount="2000"), making.payment(amount="3000"))
    assert [a.due_at - a.created_at for a in Alert.objects.all()] == [timedelta(minutes=30)] * 2


@pytest.mark.parametrize(
    ("wanted", "fits", "fails"),
    [
        ({"levels": ["CRITICAL"]}, {"level": "CRITICAL"}, {"level": "HIGH"}),
        ({"reasons": ["high_amount"]}, {"reason_codes": ["HIGH_AMOUNT"]}, {"reason_codes": []}),
        ({"typologies": ["MULE"]}, {"mcc": "4829", "amount": "5000"}, {"mcc": "4829"}),
        ({"sources": ["TILL"]}, {}, None),
        ({"categories": ["5411", "grocer"]}, {"merchant_category": "Grocer"}, {"mcc": "5412"}),
        ({"countries": ["no"]}, {"country": "NO"}, {"country": "SE"}),
        ({"cities": ["oslo"]}, {"location": "Oslo"}, {"location": ""}),
        ({"amount_from": 100.0}, {"amount": "100"}, {"amount": "99.99"}),
        ({"amount_below": 100.0}, {"amount": "99.99"}, {"amount": "100"}),
        ({"score_from": 0.9}, {"score": 0.9}, {"score": 0.89}),
        ({"score_below": 0.9}, {"score": 0.89}, {"score": float("nan")}),
        ({"no_longer_known": 1}, None, {}),
    ],
)
def test_a_condition_holds_for_what_it_names_and_for_nothing_else(wanted, fits, fails):
    route = Route(queue=Queue(pk=1), conditions=wanted)
    if fits is not None:
        assert matches(route, candidate(**fits))
    if fails is not None:
        assert not matches(route, candidate(**fails))


def candidate(amount: str = "250", **fields: Any) -> Candidate:
    about = {
        n: fields.pop(n) for n in ("mcc", "merchant_category", "country", "location") if n in fields
    }
    paid = making.payment(amount=amount, **about)
    return Candidate(making.decision(paid, **fields), paid, {})


def test_every_condition_has_words(cards):
    for condition in CONDITIONS:
        wanted = ["CRITICAL"] if hasattr(condition, "choices") else 0.5
        assert condition.title.lower() in in_words({condition.name: wanted})
    assert in_words({}) == "everything that is left"
    assert set(NAMED) == {condition.name for condition in CONDITIONS}


# --- versions
def test_a_new_installation_has_one_route_that_takes_everything(cards):
    [only] = routing.active_routes()
    assert (only.is_default, only.queue, only.conditions) == (True, cards, {})
    assert routing.active_routes() == [only]
    assert AuditEvent.objects.filter(action="routing.activated").count() == 1


def test_a_draft_changes_nothing_until_a_second_person_approved_it(cards, loans, lena, adam):
    draft = directing.draft(by=lena)
    directing.add(by=lena, routing=draft, said=said(loans))
    assert raised(making.payment(amount="2000")) == ["cards"]
    directing.propose(by=lena, routing=draft, reason="x")
    assert raised(making.payment("b", amount="2000")) == ["cards"]
    draft.refresh_from_db()
    with pytest.raises(Refused, match="You proposed version 2"):
        directing.approve(by=lena, routing=draft, seen=draft.digest)
    directing.approve(by=adam, routing=draft, seen=draft.digest)
    assert raised(making.payment("c", amount="2000")) == ["loans"]
    assert list(Routing.objects.values_list("number", "state")) == [(2, "ACTIVE"), (1, "RETIRED")]
    told = AuditEvent.objects.filter(action="routing.activated").latest("pk")
    assert told.actor == "adam"
    assert [route["name"] for route in told.after["routes"]] == ["Large", "Everything else"]


def test_one_person_is_enough_where_that_is_the_policy(cards, loans, lena, settings):
    settings.FOUR_EYES = False
    draft = directing.draft(by=lena)
    directing.add(by=lena, routing=draft, said=said(loans))
    assert directing.propose(by=lena, routing=draft, reason="x").state == "ACTIVE"


def test_approval_is_of_what_was_read(cards, loans, lena, adam):
    draft = directing.draft(by=lena)
    directing.add(by=lena, routing=draft, said=said(loans))
    proposed = directing.propose(by=lena, routing=draft, reason="x")
    with pytest.raises(Refused, match="not what you read"):
        directing.approve(by=adam, routing=proposed, seen="something else")
    assert routing.active_routes()[0].routing.number == 1


def test_there_is_one_draft_and_none_while_a_proposal_waits(cards, loans, lena, adam):
    draft = directing.draft(by=lena)
    assert directing.draft(by=adam) == draft
    directing.add(by=lena, routing=draft, said=said(loans))
    directing.propose(by=lena, routing=draft, reason="x")
    with pytest.raises(Refused, match="Version 2 waits for approval"):
        directing.draft(by=adam)
    directing.refuse(by=adam, routing=draft, reason="Not on a Friday")
    assert directing.draft(by=adam).number == 3


def test_a_proposal_is_not_edited_any_more(cards, loans, lena):
    draft = directing.draft(by=lena)
    route = directing.add(by=lena, routing=draft, said=said(loans))
    directing.propose(by=lena, routing=draft, reason="x")
    for verb in (
        lambda: directing.add(by=lena, routing=draft, said=said(loans)),
        lambda: directing.change(by=lena, route=route, said=said(cards)),
        lambda: directing.move(by=lena, route=route, up=True),
        lambda: directing.remove(by=lena, route=route),
        lambda: directing.discard(by=lena, routing=draft),
    ):
        with pytest.raises(Refused, match="Version 2 is no draft any more"):
            verb()


def test_a_draft_that_says_the_same_is_not_proposed(cards, lena):
    draft = directing.draft(by=lena)
    with pytest.raises(Refused, match="what is in force already"):
        directing.propose(by=lena, routing=draft, reason="x")


def test_the_default_stays_last_takes_everything_and_is_never_removed(cards, loans, lena):
    draft = directing.draft(by=lena)
    directing.add(by=lena, routing=draft, said=said(loans))
    default = draft.routes.get(is_default=True)
    changed = directing.change(by=lena, route=default, said=said(loans, "Rest"))
    assert (changed.conditions, changed.queue, changed.name) == ({}, loans, "Rest")
    for verb in (
        lambda: directing.remove(by=lena, route=default),
        lambda: directing.move(by=lena, route=default, up=True),
    ):
        with pytest.raises(Refused, match="default"):
            verb()
    assert list(draft.routes.all())[-1] == default


def test_a_route_without_a_condition_would_be_a_second_default(cards, lena):
    draft = directing.draft(by=lena)
    with pytest.raises(Refused, match="Say what it takes"):
        directing.add(by=lena, routing=draft, said=said(cards, conditions={}))
    assert draft.routes.count() == 1


def test_routes_move_and_stop_at_the_ends(cards, loans, lena):
    draft = directing.draft(by=lena)
    a, b, c = (directing.add(by=lena, routing=draft, said=said(loans, n)) for n in "abc")
    for route, up in ((c, True), (a, True), (b, False), (b, False)):
        directing.move(by=lena, route=route, up=up)
    assert [route.name for route in draft.routes.all()] == ["a", "c", "b", "Everything else"]


def test_who_is_no_lead_changes_nothing(cards, ana, lena):
    draft = directing.draft(by=lena)
    for verb in (
        lambda: directing.draft(by=ana),
        lambda: directing.add(by=ana, routing=draft, said=said(cards)),
        lambda: directing.propose(by=ana, routing=draft, reason="x"),
    ):
        with pytest.raises(Refused, match="A lead or an admin"):
            verb()


# --- the dry run
def test_a_dry_run_says_what_each_route_would_take_and_writes_nothing(cards, loans, lena):
    for amount in ("5000", "3000", "40", "20"):
        raised(making.payment(f"c-{amount}", amount=amount))
    draft = directing.draft(by=lena)
    directing.add(by=lena, routing=draft, said=said(loans))
    directing.add(by=lena, routing=draft, said=said(loans, "Huge", conditions={"amount_from": 4e3}))
    before = list(Alert.objects.values()), AuditEvent.objects.count()
    trial = rehearse(list(draft.routes.select_related("queue")), days=7)
    assert [(one.route.name, one.payments, one.alerts, one.shadowed) for one in trial.lines] == [
        ("Large", 2, 2, 0),
        ("Huge", 0, 0, 1),
        ("Everything else", 2, 2, 0),
    ]
    assert (trial.payments, trial.alerts, trial.alerts_in_force) == (4, 4, 4)
    assert trial.moved == [("Cards", "Loans", 2)]
    assert (list(Alert.objects.values()), AuditEvent.objects.count()) == before


def test_a_dry_run_of_what_is_in_force_agrees_with_what_happened(cards, loans, lena, adam):
    put_in_force(lena, adam, said(loans))
    for number in range(12):
        paid = making.payment(f"c-{number % 4}", str(100 + 200 * number))
        raised(paid)
    trial = rehearse(routing.active_routes(), days=7)
    happened = {route.name: route.alerts.count() for route in routing.active_routes()}
    assert {line.route.name: line.alerts for line in trial.lines} == happened
    assert trial.moved == []


def test_a_dry_run_looks_back_so_many_days_and_no_further(cards):
    raised(making.payment())
    AlertHit.objects.update(at=timezone.now() - timedelta(days=8))
    assert rehearse(routing.active_routes(), days=7).payments == 0
    assert rehearse(routing.active_routes(), days=30).payments == 1


def test_a_dry_run_asks_a_fixed_number_of_queries(cards, django_assert_max_num_queries):
    raised(*[making.payment(f"c-{n}") for n in range(9)])
    routes = routing.active_routes()
    with django_assert_max_num_queries(4):
        assert rehearse(routes, days=7).payments == 9


def test_a_dry_run_takes_the_latest_when_there_are_too_many(cards, monkeypatch):
    monkeypatch.setattr(rehearsal, "MOST", 3)
    raised(*[making.payment(amount=str(n)) for n in range(1, 6)])
    trial = rehearse(routing.active_routes(), days=7)
    assert (trial.payments, trial.capped) == (3, True)
