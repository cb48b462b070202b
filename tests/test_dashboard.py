"""The first page by role, its refresh, and how the platform is in words."""

from datetime import timedelta
from math import log

import pytest
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.html import strip_tags
from django.utils.translation import override

from alerts.models import Alert
from anomalyshield import condition, dashboard, health
from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from anomalyshield.audit.record import record
from anomalyshield.dashboard import learning
from anomalyshield.models import Heartbeat
from scoring import policies
from scoring.engine.evaluation import population_stability
from scoring.models import Decision, Endpoint, ModelVersion, RejectedRecord, TrainingRun
from tests.alerts import making
from tests.conftest import client_of
from tests.models.making import payment, source

pytestmark = pytest.mark.django_db
NOTHING = {"HX-Request": "true"}


def home(person: User) -> str:
    answer = client_of(person).get("/")
    assert answer.status_code == 200
    return answer.content.decode()


def tile(person: User, label: str) -> dashboard.parts.Tile:
    found = [t for board in dashboard.boards(person) for t in board.tiles if t.label == label]
    assert len(found) == 1, label
    return found[0]


def panel(person: User, title: str) -> dashboard.parts.Panel:
    return next(p for board in dashboard.boards(person) for p in board.panels if p.title == title)


def champion(**fields) -> ModelVersion:
    return ModelVersion.objects.create(
        number=1, state="CHAMPION", folder="x", sha256="0" * 64, kind="cold",
        cutoff=timezone.now() - timedelta(days=3), champion_since=timezone.now(), **fields,
    )  # fmt: skip


def decisions(count: int, *, model: ModelVersion, score: float, **fields) -> None:
    for n in range(count):
        Decision.objects.create(
            transaction=payment(f"{score}-{n}"), model=model, policy=policies.active(),
            risk_score=score, level="LOW", outcome="APPROVE", known_at=timezone.now(), **fields,
        )  # fmt: skip


# --- each role ------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("who", "wanted", "foreign"),
    [
        ("ana", {"My open alerts", "Team queue", "I decided today"}, "Open sessions"),
        ("lena", {"My open alerts", "Backlog", "Precision, 7 days", "The team"}, "Open sessions"),
        ("dana", {"Decided in an hour", "Longest wait", "Rejected", "Sources"}, "My open alerts"),
        ("mona", {"Champion", "Labels not learnt yet", "Drift", "Trainings"}, "Rejected"),
        ("adam", {"People", "Open sessions", "Not yet sealed", "Platform"}, "My open alerts"),
    ],
)
def test_each_role_sees_what_it_is_here_for(request, who, wanted, foreign):
    page = home(request.getfixturevalue(who))
    for words in wanted:
        assert words in page, words
    assert foreign not in page
    assert " style=" not in page


def test_who_holds_two_roles_has_two_boards_and_nothing_twice(mona, adam):
    adam.groups.add(*mona.groups.all())
    both = User.objects.get(pk=adam.pk)
    assert [board.title for board in dashboard.boards(both)] == ["Models", "The house"]
    labels = [t.label for board in dashboard.boards(both) for t in board.tiles]
    assert len(labels) == len(set(labels))


@pytest.mark.parametrize(
    ("who", "most"), [("ana", 8), ("lena", 8), ("dana", 6), ("mona", 6), ("adam", 8)]
)
def test_the_first_page_asks_a_fixed_number_of_questions(
    request, who, most, django_assert_max_num_queries
):
    client = client_of(request.getfixturevalue(who))
    client.get("/")
    with django_assert_max_num_queries(most):
        client.get("/")


# --- the refresh ----------------------------------------------------------------------------------
def test_a_refresh_brings_the_part_and_nothing_when_nothing_changed(ana):
    client = client_of(ana)
    whole = client.get("/")
    assert b"<!doctype html>" in whole.content
    assert b'hx-trigger="every 10s"' in whole.content
    seen = whole.context["seen"]
    assert client.get("/", {"seen": seen}, headers=NOTHING).status_code == 204
    part = client.get("/", {"seen": "older"}, headers=NOTHING)
    assert part.content.lstrip().startswith(b'<div id="live"')
    assert b"<!doctype" not in part.content


def test_a_new_alert_is_another_page(ana, queue_of):
    seen = client_of(ana).get("/").context["seen"]
    making.alert(queue_of(ana))
    assert client_of(ana).get("/", {"seen": seen}, headers=NOTHING).status_code == 200


@pytest.fixture
def queue_of():
    return lambda person: making.queue("cards", person)


# --- analysts and leads ---------------------------------------------------------------------------
def test_ana_sees_the_time_left_on_what_she_holds(ana, queue_of):
    held = making.alert(queue_of(ana))
    Alert.objects.update(
        assignee=ana, status="ASSIGNED", due_at=timezone.now() + timedelta(hours=3)
    )
    assert "next due in 2 h" in strip_tags(tile(ana, "My open alerts").hint)
    assert panel(ana, "My alerts, next due first").lines[0].title == str(held)
    Alert.objects.update(due_at=timezone.now() - timedelta(hours=2, minutes=1))
    mine = tile(ana, "My open alerts")
    assert (mine.figure, strip_tags(mine.hint), mine.tone) == ("1", "late by 2 h", "warn")
    assert mine.hint.startswith('late by <time datetime="20')
    assert tile(ana, "Past their time").figure == "1"


def test_nobody_sees_the_figures_of_a_queue_that_is_not_theirs(ana, lena, queue_of):
    making.alert(queue_of(ana))
    assert tile(ana, "Team queue").figure == "1"
    assert tile(lena, "Team queue").figure == "0"
    assert tile(lena, "Backlog").figure == "0"


def test_lena_sees_ages_days_and_people(lena, ana, queue_of):
    queue = queue_of(lena)
    for _ in range(3):
        making.alert(queue)
    first, second, third = Alert.objects.order_by("pk")
    now = timezone.now()
    Alert.objects.filter(pk=first.pk).update(created_at=now - timedelta(days=5), assignee=ana)
    Alert.objects.filter(pk=second.pk).update(created_at=now - timedelta(hours=2))
    Alert.objects.filter(pk=third.pk).update(
        status="CLOSED", closed_at=now, closed_by=ana, disposition="TRUE_POSITIVE_FRAUD"
    )
    ages = {row.title: row.cells[0] for row in panel(lena, "Open alerts by age").rows}
    assert ages["older than 3 days"] == ages["1 to 4 hours"] == "1"
    assert sum(int(n) for n in ages.values()) == 2
    ana.first_name, ana.last_name = "Ana", "Ruiz"
    ana.save()
    [team] = panel(lena, "The team").rows
    assert (team.title, team.cells) == ("Ana Ruiz", ("1", "1"))
    assert tile(lena, "Precision, 7 days").figure == "100 %"
    assert sum(int(row.cells[1]) for row in panel(lena, "Raised and decided").rows) == 1


# --- engineers and owners -------------------------------------------------------------------------
def test_dana_sees_a_source_that_is_refused_too_often(dana):
    for n in range(9):
        payment(f"good-{n}")
    RejectedRecord.objects.create(source=source(), position=0, record={}, reasons={"amount": "is"})
    row = next(r for r in panel(dana, "Sources").rows if r.title == "till")
    assert row.cells[1:] == ("9", "10.0 % ▲")
    assert tile(dana, "Rejected").tone == "warn"


def test_the_stability_index_is_that_of_the_books():
    by_hand = (0.4 - 0.5) * log(0.4 / 0.5) + (0.6 - 0.5) * log(0.6 / 0.5)
    assert population_stability([50, 50], [40, 60]) == pytest.approx(by_hand)
    assert population_stability([7, 3], [70, 30]) == pytest.approx(0)
    assert 0.25 < population_stability([100, 0], [0, 100]) < 20


@pytest.mark.parametrize(("score", "words"), [(0.25, "stable"), (0.95, "moved much")])
def test_mona_is_told_when_scores_have_moved(mona, monkeypatch, score, words):
    monkeypatch.setattr(learning, "ENOUGH", 10)
    bars = {"fraud": [0] * 20, "legitimate": [0] * 5 + [500] + [0] * 14}
    best = champion(metrics={"budget": 0.04, "curves": {"histogram": bars}})
    decisions(10, model=best, score=score + 0.01)
    drift = {line.title: line for line in panel(mona, "Drift").lines}
    assert drift["Risk scores"].aside == words
    assert drift["Alert budget"].aside == "far from it"
    assert drift["Whole scores"].aside == "all"


def test_a_handful_of_decisions_says_nothing_about_drift(mona):
    decisions(2, model=champion(), score=0.5)
    assert "too few to say" in panel(mona, "Drift").empty


def test_a_champion_never_measured_has_no_index_and_no_failure(mona, monkeypatch):
    monkeypatch.setattr(learning, "ENOUGH", 1)
    decisions(2, model=champion(metrics={}), score=1.0, degraded="late")
    asides = {line.title: line.aside for line in panel(mona, "Drift").lines}
    assert asides["Whole scores"] == "look"
    assert "Risk scores" not in asides


def test_models_are_told_in_words_of_the_readers_language(mona):
    champion()
    assert [(line.words, line.aside) for line in panel(mona, "Models").lines] == [
        ("Without labels", "champion")
    ]
    with override("de"):
        (line,) = panel(mona, "Modelle").lines
    assert (line.words, line.aside) == ("Ohne Labels", "Champion")


def test_mona_sees_a_run_by_its_verdict(mona):
    TrainingRun.objects.create(state="DONE", verdict="Nothing changed since v1")
    assert panel(mona, "Trainings").lines[0].words == "Nothing changed since v1"


# --- the platform in words ------------------------------------------------------------------------
def parts() -> dict[str, condition.Component]:
    return {part.name: part for part in condition.components()}


def all_alive() -> None:
    for name in health.EXPECTED:
        Heartbeat.objects.update_or_create(name=name, defaults={"at": Now()})


def test_every_part_that_must_live_has_a_name_for_people():
    named = {condition._title(name) for name in health.EXPECTED}
    assert len(named) == len(health.EXPECTED)
    assert not any(name.startswith("Worker of") for name in named)


def test_a_healthy_platform_wants_nobody(adam):
    all_alive()
    champion()
    AuditEvent.objects.filter(number=None)  # events of this test are young
    assert [part.name for part in condition.components() if part.cure] == []
    page = client_of(adam).get(reverse("system")).content.decode()
    assert "parts do their work" in page


def test_a_silent_worker_is_named_with_since_when_and_what_to_do(adam):
    all_alive()
    champion()
    Heartbeat.objects.filter(name="queue:detect").update(at=Now() - timedelta(minutes=5))
    part = parts()["Scoring of files"]
    assert "5 min ago" in strip_tags(part.words)
    assert part.since is not None
    assert "make run" in part.cure
    page = client_of(adam).get(reverse("system")).content.decode()
    assert "1 of" in page
    assert "want somebody" in page
    assert "Scoring of files" in home(adam)


def test_a_worker_that_never_was_and_a_missing_model_are_said():
    found = parts()
    assert found["Ticker"].words == "Nobody has done this here yet."
    assert "REVIEW" in found["Model"].words
    assert found["Model"].cure


def test_rows_set_aside_and_stopped_endpoints_are_said(adam):
    TrainingRun.objects.create(state="QUARANTINED")
    Endpoint.objects.create(
        name="gateway", url="https://upstream.example", events=[], salt=b"x", mark="m",
        made_by=adam, state="STOPPED", stopped_because="It answered 410: gone.",
    )  # fmt: skip
    found = parts()
    assert "trainingrun" in found["Set aside"].words
    assert found["Upstream"].words == "It answered 410: gone."


def test_without_a_database_the_page_still_says_so(monkeypatch):
    from django.db import OperationalError

    def gone():
        raise OperationalError("gone to host 10.0.0.1")

    monkeypatch.setattr(condition, "LOOKS", [gone])
    monkeypatch.setattr(condition.connection, "close", lambda: None)
    (only,) = condition.components()
    assert only.name == "Database"
    assert "10.0.0.1" not in only.words


def test_the_system_page_is_for_admins(ana, mona, adam):
    for person in (ana, mona):
        assert client_of(person).get(reverse("system")).status_code == 403
    part = client_of(adam).get(reverse("system"), headers=NOTHING)
    assert part.content.lstrip().startswith(b'<div id="live"')


def test_ones_own_doings_are_told_in_words(ana):
    record(by=ana, action="alert.claimed")
    record(by=ana, action="data.read")
    said = [line.title for line in panel(ana, "My last actions").lines]
    assert said == ["Took an alert"]  # looking is no act


def test_what_is_nothing_on_the_trail_is_a_dash(ana):
    after = {"status": None, "typology": "", "draft": False}
    record(by=ana, action="case.opened", before={"status": "NEW"}, after=after)
    page = client_of(ana).get(reverse("audit")).content.decode()
    assert "<code>NEW</code> → <code>–</code>" in page
    assert "None" not in page.split("<tbody>")[1]
    assert "<code></code>" not in page


def test_a_refused_attempt_does_not_read_as_done(ana, adam):
    record(by=ana, action="model.promoted", outcome="DENIED", reason="Not yours.")
    assert panel(ana, "My last actions").lines[0].title == "Promoted a model (refused)"
    assert panel(adam, "Refused lately").lines[0].words == "Promoted a model (refused): Not yours."
