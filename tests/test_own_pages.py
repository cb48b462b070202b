"""One's own pages: where one is logged in, ending that, and the zone in which times are read."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from alerts.models import SampleDraw
from anomalyshield.accounts import open_sessions
from anomalyshield.accounts.browsers import named
from anomalyshield.accounts.models import OpenSession, User
from anomalyshield.audit.models import AuditEvent
from anomalyshield.audit.record import record
from anomalyshield.context import read_in
from anomalyshield.templatetags.words import when
from scoring.models import LakeCopy
from tests.conftest import client_of

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
EDGE = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"


@pytest.fixture
def ana(ana: User) -> User:
    ana.set_password(PASSWORD)
    ana.save()
    return ana


def logged_in(agent: str = FIREFOX) -> Client:
    client = Client(headers={"User-Agent": agent})
    answer = client.post("/accounts/login/", {"login": "ana", "password": PASSWORD})
    assert answer.status_code == 302
    return client


def session_of(client: Client) -> OpenSession:
    return OpenSession.objects.get(session_id=client.session.session_key)


# --- where one is logged in -----------------------------------------------------------------------
def test_ana_sees_each_browser_and_which_one_is_this(ana: User) -> None:
    here, _there = logged_in(), logged_in(EDGE)
    page = here.get("/sessions/").content.decode()
    assert "Firefox on Linux" in page
    assert "Edge on Windows" in page
    assert page.count("this one") == 1
    assert "127.0.0.1" in page
    assert here.session.session_key not in page


def test_ending_another_browser_logs_it_out_and_not_this_one(ana: User) -> None:
    here, there = logged_in(), logged_in(EDGE)
    answer = here.post(f"/sessions/{session_of(there).pk}/end/")
    assert answer.status_code == 302
    assert there.get("/").status_code == 302
    assert here.get("/").status_code == 200
    event = AuditEvent.objects.get(action="session.ended")
    assert (event.actor, event.after["browser"]) == ("ana", "Edge on Windows")


def test_ending_this_one_is_logging_out(ana: User) -> None:
    here = logged_in()
    answer = here.post(f"/sessions/{session_of(here).pk}/end/")
    assert answer["Location"] == "/accounts/login/"
    assert here.get("/").status_code == 302


def test_all_others_end_at_once_tokens_of_programs_too(ana: User, lena: User) -> None:
    here, others, lenas = logged_in(), [logged_in(EDGE), logged_in()], client_of(lena)
    body = {"username": "ana", "password": PASSWORD}
    token = APIClient().post("/api/v1/auth/login", body, format="json").json()
    assert "1 program holds a token" in here.get("/sessions/").content.decode()
    here.post("/sessions/end-others/")
    assert [client.get("/").status_code for client in (here, lenas, *others)] == [
        200, 200, 302, 302,
    ]  # fmt: skip
    again = {"refresh_token": token["refresh_token"]}
    assert APIClient().post("/api/v1/auth/refresh", again, format="json").status_code == 401
    event = AuditEvent.objects.get(action="session.ended")
    assert event.after == {"browsers": 2, "programs": 1}
    page = here.get("/sessions/").content.decode()
    assert "End all others</button>" not in page


def test_nobody_ends_or_sees_the_session_of_another(ana: User, lena: User) -> None:
    here, lenas = logged_in(), client_of(lena)
    assert here.post(f"/sessions/{session_of(lenas).pk}/end/").status_code == 404
    assert lenas.get("/").status_code == 200
    assert here.get("/sessions/").content.decode().count("<tr>") == 2


def test_a_session_that_ended_by_itself_is_listed_no_more(ana: User) -> None:
    here, there = logged_in(), logged_in(EDGE)
    Session.objects.filter(pk=there.session.session_key).update(
        expire_date=timezone.now() - timedelta(seconds=1)
    )
    assert "Edge" not in here.get("/sessions/").content.decode()
    assert here.post(f"/sessions/{session_of(there).pk}/end/").status_code == 404


def test_logging_out_takes_the_row_with_it(ana: User) -> None:
    here = logged_in()
    here.post("/accounts/logout/")
    assert not OpenSession.objects.exists()


def test_that_a_browser_is_in_use_is_noted_once_a_minute(
    ana: User, monkeypatch, django_assert_num_queries
) -> None:
    here = logged_in()
    OpenSession.objects.update(seen_at=timezone.now() - timedelta(hours=1))
    here.get("/permissions/")
    assert session_of(here).seen_at < timezone.now() - timedelta(minutes=50), "just logged in"
    open_sessions._noted.clear()
    here.get("/permissions/")
    assert session_of(here).seen_at > timezone.now() - timedelta(minutes=1)
    with django_assert_num_queries(0):
        here.get("/health")


@pytest.mark.parametrize("agent,name", [
    (FIREFOX, "Firefox on Linux"), (EDGE, "Edge on Windows"),
    ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1", "Safari on iPhone"),
    ("", "An unknown browser"), ("<script>", "An unknown browser"),
])  # fmt: skip
def test_a_browser_is_called_by_its_name(agent: str, name: str) -> None:
    assert named(agent) == name


def test_a_browser_that_says_too_much_of_itself_is_cut_not_refused(ana: User) -> None:
    assert "An unknown browser" in logged_in("x" * 5000).get("/sessions/").content.decode()


# --- how times read -------------------------------------------------------------------------------
def test_ana_chooses_her_zone_and_times_are_shown_in_it(ana: User, adam: User) -> None:
    here = logged_in()
    answer = here.post("/profile/", {"timezone": "Asia/Kolkata", "keys": "on"})
    assert answer.status_code == 302
    User.objects.filter(pk=ana.pk).update(last_login="2026-03-01T20:00:00Z")
    assert "2026-03-02 01:30 IST" in here.get("/profile/").content.decode()
    assert "When (Asia/Kolkata)" in here.get("/audit/").content.decode()
    assert "When (UTC)" in client_of(adam).get("/audit/").content.decode()
    event = AuditEvent.objects.get(action="profile.changed")
    assert (event.before, event.after) == ({"timezone": "UTC"}, {"timezone": "Asia/Kolkata"})


def test_the_trail_is_read_and_asked_for_in_words(adam: User) -> None:
    record(by=adam, action="alert.decided", object=adam)
    record(by=adam, action="alert.undone", object=adam)
    client = client_of(adam)
    page = client.get("/audit/").content.decode()
    assert ">Decided an alert<" in page
    assert ">alert.decided<" not in page
    for asked in ("alert.decided", "Decided an alert", "decided"):
        events = client.get("/audit/", {"action": asked}).context["events"]
        assert [event.action for event, *_ in events] == ["alert.decided"], asked
    assert client.get("/audit/", {"action": "dreamt"}).context["events"] == []


def test_the_trail_names_what_acted_and_on_what_where_it_was_no_person(adam: User) -> None:
    record(by="worker", action="lake.copied", object=LakeCopy(pk=3))
    record(by="draw", action="sample.drawn", object=SampleDraw(pk=4))
    record(by="command", action="model.rolled_back")
    client = client_of(adam)
    page = client.get("/audit/").content.decode()
    for words in ("a worker", "the draw of samples", "a command", "copy of a day 3"):
        assert f">{words}<" in page
    assert "draw of samples 4" in page
    events = client.get("/audit/", {"actor": "A worker"}).context["events"]
    assert [event.actor for event, *_ in events] == ["worker"]
    adam.language = "de"
    adam.save()
    assert ">ein Arbeiter<" in client.get("/audit/").content.decode()


def test_choosing_the_same_again_leaves_nothing_on_the_trail(ana: User) -> None:
    logged_in().post("/profile/", {"timezone": "UTC", "keys": "on"})
    assert not AuditEvent.objects.filter(action="profile.changed").exists()


@pytest.mark.parametrize("zone", ["", "Mars/Olympus", "../../etc/passwd", "UTC\x00", "x" * 5000])
def test_a_zone_that_does_not_exist_is_refused_and_nothing_changes(ana: User, zone: str) -> None:
    answer = logged_in().post("/profile/", {"timezone": zone})
    assert answer.status_code == 400
    ana.refresh_from_db()
    assert ana.timezone == "UTC"


def test_a_zone_this_machine_no_longer_knows_reads_as_utc(ana: User) -> None:
    User.objects.filter(pk=ana.pk).update(timezone="Mars/Olympus")
    assert logged_in().get("/profile/").status_code == 200


def test_each_reader_has_their_own_zone_and_dst_is_told() -> None:
    winter, summer = (datetime(2026, month, 1, 12, tzinfo=UTC) for month in (1, 7))
    with read_in("Europe/Berlin"):
        assert (when(winter), when(summer)) == ("2026-01-01 13:00 CET", "2026-07-01 14:00 CEST")
    assert when(winter, "seconds") == "2026-01-01 12:00:00 UTC"
    assert when(None) == "–"
