"""The list of cases, narrowed and paged, and the board of them."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from cases import listing, progress, workflow
from cases.models import Case, Clock
from tests.alerts import making
from tests.conftest import client_of
from tests.rest import asking

pytestmark = pytest.mark.django_db


@pytest.fixture
def bert(cards):
    return making.queue_member("bert", cards)


def opened(by, queue, user: str, **fields) -> Case:
    return workflow.open_case(by=by, alerts=[making.alert(queue, user=user, **fields)])


def closed(ana, bert, case: Case, outcome: str = "CONFIRMED") -> Case:
    case = workflow.propose_closure(by=ana, case=case, outcome=outcome, findings="x")
    return workflow.approve_closure(by=bert, case=case, seen=case.proposal)


@pytest.fixture
def several(ana, bert, cards) -> dict[str, Case]:
    """One of each kind a desk has on a day."""
    made = {name: opened(ana, cards, f"customer-{name}") for name in ("new", "begun", "waits")}
    made["theirs"] = opened(bert, cards, "customer-theirs")
    made["fraud"] = closed(ana, bert, opened(ana, cards, "customer-fraud"))
    made["fine"] = closed(ana, bert, opened(ana, cards, "customer-fine"), "REFUTED")
    made["asked"] = workflow.propose_closure(
        by=ana, case=opened(ana, cards, "customer-asked"), outcome="REFUTED", findings="x"
    )
    progress.start(by=ana, case=made["begun"])
    progress.suspend(by=ana, case=made["waits"], waits_for="BANK", reason="x")
    Clock.objects.filter(case=made["begun"]).update(due_at=timezone.now() - timedelta(days=3))
    Case.objects.filter(pk=made["begun"].pk).update(due_at=timezone.now() - timedelta(days=3))
    return made


def names(cases, several) -> set[str]:
    by_id = {case.pk: name for name, case in several.items()}
    return {by_id[one if isinstance(one, int) else one.pk] for one in cases}


@pytest.mark.parametrize(
    "asked, expected",
    [
        ("", {"new", "begun", "waits", "theirs", "asked"}),
        ("show=mine", {"new", "begun", "waits", "asked"}),
        ("show=late", {"begun"}),
        ("show=closed", {"fraud", "fine"}),
        ("show=all&outcome=REFUTED", {"fine"}),
        ("show=all&owner=bert", {"theirs"}),
        ("status=SUSPENDED", {"waits"}),
        ("status=SUSPENDED&owner=bert", set()),
        ("status=nonsense", set()),
        ("show=nonsense", {"new", "begun", "waits", "theirs", "asked"}),
        ("owner=%00", {"new", "begun", "waits", "theirs", "asked"}),
    ],
)
def test_the_list_is_narrowed_by_its_address(as_ana, several, asked, expected):
    page = as_ana.get(f"/cases/?{asked}")
    assert names(page.context["cases"], several) == expected


def test_programs_narrow_it_alike(ana, several):
    def found(**asked: str) -> set[str]:
        return names([one["id"] for one in asking.get(ana, "cases", **asked)["results"]], several)

    assert found(show="late") == {"begun"}
    assert found(show="all", outcome="CONFIRMED") == {"fraud"}
    assert found(status="SUSPENDED") == {"waits"}
    assert found(owner="bert") == {"theirs"}
    asking.get(ana, "cases", 400, status="nonsense")


def test_filters_stay_on_the_next_page(as_ana, several, monkeypatch):
    from cases import views

    monkeypatch.setattr(views, "PAGE", 2)
    page = as_ana.get("/cases/?show=all&owner=ana").content.decode()
    assert "?show=all&amp;owner=ana&amp;before=" in page


def test_the_list_says_what_is_late_and_what_will_be(as_ana, several):
    page = as_ana.get("/cases/").content.decode()
    assert "3 d late" in page
    assert "1 of the open cases is late" in page


def test_the_board_has_a_column_for_each_stage(as_ana, several):
    columns = as_ana.get("/cases/board/").context["columns"]
    told = [names([card.case for card in column.cards], several) for column in columns]
    assert told == [{"new", "theirs"}, {"begun"}, {"waits"}, {"asked"}, {"fraud", "fine"}]


def test_every_state_has_one_column():
    states = [state for _, states, _ in listing.COLUMNS for state in states]
    assert sorted(states) == sorted(Case.Status)


def test_a_card_says_what_there_is_to_know(as_ana, cards, ana):
    opened(ana, cards, "customer-0042", amount="1250.50", level="CRITICAL")
    page = as_ana.get("/cases/board/").content.decode()
    for words in ("CRITICAL", "customer-0042", "1 alert", "1,250.50 USD", " left</time>", "Begin"):
        assert words in page


def test_a_button_moves_a_card_and_stays_on_the_board(as_ana, ana, cards):
    case = opened(ana, cards, "customer-1")
    answer = as_ana.post(f"/cases/{case.pk}/start/", {"next": "board"})
    assert answer["Location"] == "/cases/board/"
    column = as_ana.get("/cases/board/").context["columns"][1]
    assert [card.case for card in column.cards] == [case]


def test_what_was_closed_weeks_ago_is_not_on_the_board(as_ana, ana, bert, cards):
    case = closed(ana, bert, opened(ana, cards, "customer-1"))
    Case.objects.filter(pk=case.pk).update(closed_at=timezone.now() - timedelta(days=8))
    assert not as_ana.get("/cases/board/").context["columns"][4].cards


def test_an_empty_board_says_so(as_ana, cards):
    page = as_ana.get("/cases/board/").content.decode()
    assert "Nothing new." in page


@pytest.mark.parametrize("address", ["/cases/", "/cases/?show=all", "/cases/board/"])
def test_many_cases_take_no_more_questions(as_ana, ana, bert, cards, address):
    for n in range(12):
        opened(ana, cards, f"customer-{n}")
    closed(ana, bert, opened(ana, cards, "customer-x"))
    with CaptureQueriesContext(connection) as captured:
        assert as_ana.get(address).status_code == 200
    assert len(captured) <= 12, [query["sql"][:90] for query in captured]


def test_others_see_no_board(mona):
    assert client_of(mona).get("/cases/board/").status_code == 403
