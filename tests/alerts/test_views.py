"""Views of the queue by name: one's own and one's team's, their counts, and how the table looks."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from alerts import counting, viewing
from alerts.listing import question
from alerts.models import SavedView
from anomalyshield.audit.models import AuditEvent
from tests.alerts import making
from tests.conftest import client_of
from tests.rest.asking import get, patch, post

pytestmark = pytest.mark.django_db
LARGE = "q=amount%3E500"


@pytest.fixture
def ines(cards):
    return making.queue_member("ines", cards)


def titles(client) -> list[tuple[str, str]]:
    """What one reads above the queue, behind the views everybody has."""
    shown = client.get("/alerts/").context["views"]
    return [(view.title, str(view.count)) for view in shown[7:]]


def save(client, name: str, query: str = LARGE, **more: str):
    return client.post("/alerts/views/save/", {"name": name, "query": query, **more})


def test_a_view_is_kept_shown_with_its_count_and_opened(as_ana, cards):
    making.alert(cards, amount="900")
    making.alert(cards, amount="100")
    assert save(as_ana, "Large")["Location"] == f"/alerts/?{LARGE}"
    assert titles(as_ana) == [("Large", "1")]
    page = as_ana.get(f"/alerts/?{LARGE}")
    assert [view.title for view in page.context["views"] if view.here] == ["Large"]
    assert "Save this view" not in page.content.decode()
    assert "Save this view" in as_ana.get("/alerts/?level=LOW").content.decode()


def test_ones_own_is_nobody_elses_and_a_teams_is_everybodys(as_ana, ines, cards, loans):
    save(as_ana, "Mine alone")
    save(as_ana, "Ours", queue="cards")
    assert titles(client_of(ines)) == [("Ours", "0")]
    assert sorted(titles(as_ana)) == [("Mine alone", "0"), ("Ours", "0")]
    assert save(as_ana, "Theirs", queue="loans").status_code == 400
    outsider = making.queue_member("noor", loans)
    assert titles(client_of(outsider)) == []


@pytest.mark.parametrize(
    "name, query, words",
    [
        ("", LARGE, "Give it a name."),
        ("x" * 41, LARGE, "at most 40 characters"),
        ("A", "q=amout%3E5", "mend the search first"),
        ("A", "level=HUGE", "mend the search first"),
        ("A", "after=1", "Narrow the queue first."),
        ("large", LARGE, "There is a view called “large” already."),
    ],
)
def test_what_cannot_be_kept_is_said_and_kept_to_mend(as_ana, cards, name, query, words):
    save(as_ana, "Large")
    answer = save(as_ana, name, query)
    assert answer.status_code in {400, 409}
    assert words in answer.content.decode()
    assert SavedView.objects.count() == 1


def test_a_view_is_renamed_moved_and_removed(as_ana, ana, cards):
    for name in ("A", "B", "C"):
        save(as_ana, name)
    first, _, third = SavedView.objects.order_by("position")
    as_ana.post(f"/alerts/views/{third.pk}/change/", {"to": "up"})
    as_ana.post(f"/alerts/views/{first.pk}/change/", {"to": "up"})  # stays where it is
    as_ana.post(f"/alerts/views/{first.pk}/change/", {"name": "Z"})
    assert [title for title, _ in titles(as_ana)] == ["Z", "C", "B"]
    as_ana.post(f"/alerts/views/{first.pk}/remove/")
    assert [title for title, _ in titles(as_ana)] == ["C", "B"]
    told = AuditEvent.objects.filter(object_type="alerts.savedview").values_list(
        "action", flat=True
    )
    assert set(told) == {"view.saved", "view.changed", "view.removed"}
    assert as_ana.post(f"/alerts/views/{third.pk}/change/", {"name": "x" * 41}).status_code == 400
    assert as_ana.post(f"/alerts/views/{third.pk}/change/", {"name": "b"}).status_code == 409


def test_a_teams_view_is_changed_by_its_maker_or_a_lead(as_ana, ana, ines, lena, cards):
    making.assign_perm("work_queue", lena, cards)
    save(as_ana, "Ours", queue="cards")
    view = SavedView.objects.get()
    refused = client_of(ines).post(f"/alerts/views/{view.pk}/remove/")
    assert (refused.status_code, "Ask them, or a lead" in refused.content.decode()) == (409, True)
    client_of(lena).post(f"/alerts/views/{view.pk}/change/", {"name": "Everybody’s"})
    assert titles(as_ana) == [("Everybody’s", "0")]


def test_a_foreign_view_does_not_exist(as_ana, ines, cards):
    save(client_of(ines), "Hers")
    view = SavedView.objects.get()
    assert as_ana.post(f"/alerts/views/{view.pk}/remove/").status_code == 404
    assert as_ana.get("/alerts/views/").context["rows"] == []


def test_nobody_keeps_more_than_they_can_read(as_ana, ana, cards, monkeypatch):
    monkeypatch.setattr(SavedView, "MOST", 1)
    save(as_ana, "One")
    assert "remove one first" in save(as_ana, "Two").content.decode()


def test_counts_end_where_nobody_counts_on(ana, cards, monkeypatch):
    for amount in ("900", "800", "700"):
        making.alert(cards, amount=amount)
    asks = [question({"q": text}, ana, [cards]) for text in ("level:HIGH", "amount>750")]
    assert [str(one) for one in counting.counts(asks, ana)] == ["3", "2"]
    monkeypatch.setattr(counting, "MOST", 2)
    monkeypatch.setattr(counting, "LOOKED", 1)
    assert [str(one) for one in counting.counts(asks, ana)] == ["2+", "1+"]
    assert counting.counts([question({}, ana, [])], ana)[0].number == 0


def test_with_views_and_a_search_the_page_stays_within_its_queries(as_ana, cards):
    for number in range(30):
        making.alert(cards, amount=str(100 + number))
    for number in range(12):
        save(as_ana, f"V{number}", queue="cards" if number % 2 else "")
    for address in ("/alerts/", "/alerts/?q=amount%3E105"):
        with CaptureQueriesContext(connection) as captured:
            assert as_ana.get(address).status_code == 200
        assert len(captured) <= 12, [query["sql"][:90] for query in captured]


def test_density_and_columns_are_kept_for_the_person_without_a_script(as_ana, ines, cards):
    making.alert(cards)
    sent = {"density": "compact", "columns": ["why", "sla", "owner", "nonsense"]}
    answer = as_ana.post("/alerts/display/?level=HIGH", sent)
    assert answer["Location"] == "/alerts/?level=HIGH"
    page = as_ana.get("/alerts/").content.decode()
    assert 'class="data queue compact no-place no-spark no-age"' in page
    assert 'class="data queue comfortable"' in client_of(ines).get("/alerts/").content.decode()


def test_programs_keep_views_and_looks_too(ana, ines, cards):
    made = post(ana, "alerts/views", {"name": "Large", "query": LARGE}, 201)
    assert post(ana, "alerts/views", {"name": "X", "query": "q=amout>5"}, 400)["errors"] == [
        {"pointer": "/query", "detail": "The queue cannot be narrowed so: mend the search first."}
    ]
    assert patch(ana, f"alerts/views/{made['id']}", {"name": "Huge"})["name"] == "Huge"
    assert [one["name"] for one in get(ana, "alerts/views")["results"]] == ["Huge"]
    assert get(ines, "alerts/views")["results"] == []
    post(ana, f"alerts/views/{made['id']}/remove", None, 204)
    look = {"density": "compact", "hidden": ["age"]}
    assert patch(ana, "alerts/display", look) == look == get(ana, "alerts/display")
    assert viewing.look_of(ines)["density"] == "comfortable"
