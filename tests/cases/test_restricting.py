"""A restricted case exists for named people and for nobody else: on no page, in no count."""

import re
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from alerts.guards import Refused
from alerts.models import Verdict
from anomalyshield.audit.models import AuditEvent
from cases import evidence, reporting, restricting, tasks, workflow
from cases.models import Case
from scoring.models import Resolution
from tests.alerts import making
from tests.conftest import client_of
from tests.permission_samples import NO, SAMPLES, Sample
from tests.rest import asking

pytestmark = pytest.mark.django_db


@pytest.fixture
def bert(cards):
    return making.queue_member("bert", cards)


@pytest.fixture
def ines(cards):
    return making.queue_member("ines", cards)


@pytest.fixture
def case(ana, cards) -> Case:
    case = workflow.open_case(by=ana, alerts=[making.alert(cards)])
    tasks.add(by=ana, case=case, title="Ask the branch")
    evidence.add(by=ana, case=case, name="call.txt", content=b"x")
    reporting.begin(by=ana, case=case, on=timezone.now().date())
    return case


@pytest.fixture
def hidden(ana, bert, case) -> Case:
    return restricting.restrict(by=ana, case=case, people=[bert], reason="A colleague is in it.")


def test_its_owner_a_lead_or_an_admin_restricts_it_and_nobody_else(ana, lena, bert, adam, case):
    making.queue("cards", lena)
    with pytest.raises(Refused, match="is Ana's"):
        restricting.restrict(by=bert, case=case, people=[], reason="x")
    restricting.restrict(by=lena, case=case, people=[], reason="x")
    assert sorted(one.person.username for one in case.access.all()) == ["ana", "lena"]
    event = AuditEvent.objects.get(action="case.restricted")
    assert event.after == {"restricted": True, "people": ["ana", "lena"]}


def test_whoever_sees_no_cases_is_not_named(ana, mona, case):
    with pytest.raises(Refused, match="Mona does not see cases"):
        restricting.restrict(by=ana, case=case, people=[mona], reason="x")


def test_those_who_are_named_see_it_as_before(ana, bert, hidden):
    for person in (ana, bert):
        assert hidden in Case.objects.visible_to(person)
        page = client_of(person).get(f"/cases/{hidden.pk}/").content.decode()
        assert "For everybody else it does not exist" in page


def test_being_named_does_not_open_a_foreign_queue(ana, hidden):
    stranger = making.queue_member("stranger")
    restricting.restrict(by=ana, case=hidden, people=[stranger], reason="x")
    assert hidden not in Case.objects.visible_to(stranger)


def asked(name: str, case: Case) -> tuple[str, Any]:
    """The address of a sample with the ids of this case in it."""
    sample, named = SAMPLES[name], {}
    for key, value in sample.args.items():
        named[key] = case.pk if key == "pk" else value
    named |= {"number": 1} if named.get("number") == NO else {}
    return reverse(name, kwargs=named), sample


ABOUT_ONE = [
    name
    for name, sample in SAMPLES.items()
    if re.match(r"(api-)?(case|evidence)", name)
    and sample.args.get("pk") == NO
    and not name.endswith(("terms", "calendar"))
]


def test_the_list_of_addresses_is_not_empty():
    assert len(ABOUT_ONE) > 40


def ask(client: Client, sample: Sample, address: str) -> HttpResponse:
    sent = {"content_type": "application/json", "data": "{}"} if sample.api else {}
    return getattr(client, sample.method)(address, **sent if sample.method != "get" else {})


def words_of(answer: HttpResponse) -> str:
    return re.sub(r'"request_id": ?"[^"]*"|\d+', "", answer.content.decode())


@pytest.mark.parametrize("who", ["ines", "lena", "adam"])
def test_every_address_of_it_is_404_for_everybody_else(who, hidden, ines, lena, adam):
    making.queue("cards", lena)
    client = client_of({"ines": ines, "lena": lena, "adam": adam}[who])
    before = hidden.timeline.count()
    for name in ABOUT_ONE:
        address, sample = asked(name, hidden)
        answer = ask(client, sample, address)
        assert answer.status_code in (404, 400), (name, answer.status_code)
        if answer.status_code == 400:  # what is sent is read first, and tells nothing of the case
            other = ask(client, sample, address.replace(f"/{hidden.pk}", f"/{NO}", 1))
            assert words_of(answer) == words_of(other), name
    assert hidden.timeline.count() == before


def test_no_list_no_board_no_count_and_no_alert_tells_of_it(ana, ines, lena, adam, hidden):
    making.queue("cards", lena)
    alert = hidden.alerts.get()
    name = re.compile(rf"\bC-{hidden.pk}\b|/cases/{hidden.pk}/")
    for person in (ines, lena, adam):
        client = client_of(person)
        where = ["/cases/", "/cases/?show=all", "/cases/board/", "/", f"/alerts/{alert.pk}/",
                 f"/alerts/?q=A-{alert.pk}", f"/entities/user/{alert.user_id}/",
                 f"/entities/user/{alert.user_id}/links/"]  # fmt: skip
        for address in where:
            answer = client.get(address)
            assert answer.status_code == 200, address
            assert not name.search(answer.content.decode()), address
        assert asking.get(person, "cases", show="all")["results"] == []
        assert asking.get(person, f"alerts/{alert.pk}")["cases"] == []
        assert not name.search(str(asking.get(person, f"alerts/{alert.pk}/evidence")))
        assert client.get(f"/jump?to=C-{hidden.pk}", follow=True).status_code == 404
    seen = client_of(ana).get(f"/alerts/{alert.pk}/").content.decode()
    assert name.search(seen)


def test_escalating_another_alert_of_the_subject_opens_a_case_of_its_own(ines, cards, hidden):
    other = workflow.escalate(by=ines, alert=making.alert(cards))
    assert other != hidden
    assert other.subject == hidden.subject


def test_verdicts_that_came_with_it_do_not_name_it(ana, bert, ines, hidden):
    alert = hidden.alerts.get()
    closing = {"outcome": "CONFIRMED", "findings": "x", "left_open": "x"}
    case = workflow.propose_closure(by=ana, case=hidden, **closing)
    workflow.approve_closure(by=bert, case=case, seen=case.proposal)
    assert Verdict.objects.get(alert=alert).behind == "approved by a second person"
    assert f"C-{hidden.pk}" not in str(list(Resolution.objects.values_list("behind", flat=True)))
    answer = client_of(ines).post(f"/alerts/{alert.pk}/undo/")
    assert f"C-{hidden.pk}" not in answer.content.decode()


def test_what_was_said_before_it_was_restricted_is_unsaid(ana, bert, case):
    closing = {"outcome": "CONFIRMED", "findings": "x", "left_open": "x"}
    case = workflow.propose_closure(by=ana, case=case, **closing)
    workflow.approve_closure(by=bert, case=case, seen=case.proposal)
    assert Verdict.objects.get().behind.startswith(f"{case} closed by")
    restricting.restrict(by=ana, case=case, people=[], reason="x")
    assert Verdict.objects.get().behind == "approved by a second person"
    assert not Resolution.objects.filter(behind__contains=str(case)).exists()


def test_lifted_everybody_sees_it_again(ana, ines, hidden):
    restricting.lift(by=ana, case=hidden, reason="It is over.")
    assert hidden in Case.objects.visible_to(ines)
    assert not hidden.access.exists()
    with pytest.raises(Refused, match="is not restricted"):
        restricting.lift(by=ana, case=hidden, reason="x")


def test_it_is_restricted_on_its_page_and_by_programs(as_ana, ana, bert, ines, case):
    where = f"/cases/{case.pk}/restrict/"
    assert as_ana.post(where, {"people": ["bert"]}).status_code == 400
    assert as_ana.post(where, {"people": ["nobody"], "reason": "x"}).status_code == 400
    as_ana.post(where, {"people": ["bert"], "reason": "A colleague."})
    assert client_of(ines).get(f"/cases/{case.pk}/").status_code == 404
    told = asking.post(ana, f"cases/{case.pk}/restrict", {"people": ["ines"], "reason": "x"})
    assert told["restricted"] is True
    assert client_of(bert).get(f"/cases/{case.pk}/").status_code == 404
    asking.post(ana, f"cases/{case.pk}/restrict", {"people": ["nobody"], "reason": "x"}, 400)
    as_ana.post(f"/cases/{case.pk}/lift/", {"reason": "Over."})
    assert client_of(bert).get(f"/cases/{case.pk}/").status_code == 200
    asking.post(ana, f"cases/{case.pk}/lift", {"reason": "x"}, 409)
