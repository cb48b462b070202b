"""The frame around every page, the probes, the metrics, and what a browser may do with them."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from inspect import getsource
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.staticfiles import finders
from django.db import OperationalError, connection
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from anomalyshield import health, metrics, pulse
from anomalyshield.accounts.keys import make_key
from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from anomalyshield.leases import Leased
from anomalyshield.models import Heartbeat
from anomalyshield.views import PAGES
from anomalyshield.waiting import waiting
from scoring.models import Chunk, ModelVersion
from tests.conftest import client_of

pytestmark = pytest.mark.django_db
TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
NUMBERED = re.compile(r'"([A-Z]+)-\{self\.pk\}"')
WITHOUT_PAGE = {"Regrouping"}  # it stands on its alerts
STYLES = sorted((settings.BASE_DIR / "static/css").glob("*.css"))


def champion() -> ModelVersion:
    return ModelVersion.objects.create(
        number=1, state="CHAMPION", folder="x", sha256="0" * 64, kind="cold", cutoff=timezone.now()
    )


# --- what a browser may do ------------------------------------------------------------------------
class Inline(HTMLParser):
    """Collects what our policy would block: the page would silently be less than it should."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "style" or (tag == "script" and "src" not in given):
            self.found.append(f"<{tag}>")
        self.found += [n for n in given if n == "style" or n.startswith(("on", "hx-on"))]
        if (given.get("href") or "").startswith("javascript:"):
            self.found.append("javascript:")


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_no_template_has_inline_style_or_script(path: Path) -> None:
    reader = Inline()
    reader.feed(re.sub(r"{[%#].*?[%#]}", "", path.read_text(encoding="utf-8"), flags=re.S))
    assert reader.found == []


@pytest.mark.parametrize("path", [*TEMPLATES, *STYLES], ids=lambda path: path.name)
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"(?:src|href|url\(|@import)\s*[=(]?\s*[\"']?(?:https?:)?//", text)


@pytest.mark.parametrize("path", STYLES, ids=lambda path: path.name)
def test_only_one_sheet_decides_colours(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    if path.name not in {"tokens.css", "manual.css"}:
        outside = re.sub(r"light-dark\([^;]*\)", "", text)
        assert not re.search(r"(?<!&)#[0-9a-fA-F]{3,8}\b", outside)
    assert "var(--undefined" not in text


def test_every_colour_that_is_used_has_a_name() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in STYLES)
    assert set(re.findall(r"var\((--[\w-]+)\)", text)) <= set(re.findall(r"(--[\w-]+):", text))


@pytest.mark.parametrize(
    "path", ["/", "/accounts/login/", "/health", "/nothing", "/docs", "/users/"]
)
def test_every_answer_carries_the_strict_headers(adam: User, path: str) -> None:
    answer = client_of(adam).get(path)
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Referrer-Policy"] == "same-origin"
    assert "no-store" in answer["Cache-Control"]
    assert "Access-Control-Allow-Origin" not in answer


def test_only_the_reference_page_relaxes_the_policy_and_only_for_styles(ana: User) -> None:
    policy = client_of(ana).get("/redoc")["Content-Security-Policy"]
    assert "style-src 'self' 'unsafe-inline'" in policy
    assert "script-src 'self';" in policy
    assert "unsafe-eval" not in policy


def test_a_form_from_elsewhere_is_refused_in_words(adam: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(adam, backend=settings.AUTHENTICATION_BACKENDS[0])
    answer = client.post("/users/new/", {"username": "eve"})
    assert answer.status_code == 403
    assert b"too old" in answer.content
    assert not User.objects.filter(username="eve").exists()


def test_cookies_are_out_of_reach_of_scripts_and_other_sites(ana: User) -> None:
    ana.set_password("correct horse battery staple")
    ana.save()
    client = Client()
    client.post("/accounts/login/", {"login": "ana", "password": "correct horse battery staple"})
    session = client.cookies[settings.SESSION_COOKIE_NAME]
    assert session["httponly"]
    assert session["samesite"] == "Lax"


# --- request numbers and refusals -----------------------------------------------------------------
def test_every_answer_has_a_number_and_a_given_one_is_kept(ana: User) -> None:
    assert len(Client().get("/health")["X-Request-ID"]) == 36
    given = {"X-Request-ID": "from-the-gateway-7"}
    assert Client().get("/health", headers=given)["X-Request-ID"] == "from-the-gateway-7"
    client_of(ana).get("/users/", headers=given)
    event = AuditEvent.objects.get(outcome="DENIED")
    assert (event.request_id, event.ip) == ("from-the-gateway-7", "127.0.0.1")


@pytest.mark.parametrize("given", ["x" * 37, "a b", "é", "<script>", ""])
def test_a_number_that_could_harm_a_log_is_replaced(given: str) -> None:
    answer = Client().get("/health", headers={"X-Request-ID": given})
    assert len(answer["X-Request-ID"]) == 36
    assert answer["X-Request-ID"] != given


def test_nobody_names_another_address_for_the_trail(ana: User) -> None:
    client_of(ana).get("/users/", headers={"X-Forwarded-For": "203.0.113.9"})
    assert AuditEvent.objects.get(outcome="DENIED").ip == "127.0.0.1"


def test_a_page_that_is_not_there_says_so_with_the_request_and_nothing_else() -> None:
    answer = Client().get("/nothing", headers={"X-Request-ID": "r-1"})
    assert answer.status_code == 404
    text = answer.content.decode()
    assert "r-1" in text
    assert "urlpatterns" not in text
    assert "Traceback" not in text


def test_the_api_refuses_in_its_own_format() -> None:
    answer = Client().get("/api/v1/nothing")
    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "not_found"


def test_a_failure_shows_its_number_and_no_trace(
    adam: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(user: User) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr("anomalyshield.dashboard.boards", broken)
    client = client_of(adam)
    client.raise_request_exception = False
    answer = client.get("/", headers={"X-Request-ID": "r-2"})
    assert answer.status_code == 500
    assert b"r-2" in answer.content
    assert b"secret" not in answer.content


@pytest.mark.parametrize(
    "path", ["/.git/config", "/static/../manage.py", "/static/%2e%2e/manage.py"]
)
def test_files_of_the_project_are_not_served(path: str) -> None:
    assert Client().get(path).status_code in {400, 404}


# --- frame ----------------------------------------------------------------------------------------
def test_each_role_sees_its_own_links(ana: User, dana: User, mona: User, adam: User) -> None:
    def links(user: User) -> set[str]:
        page = client_of(user).get("/").content.decode()
        return set(re.findall(r'<a href="([^"]+)"', page.split("</nav>")[0]))

    assert "/alerts/" in links(ana)
    assert "/users/" not in links(ana)
    assert "/keys/" in links(dana)
    assert "/models/" in links(mona)
    assert {"/users/", "/keys/", "/audit/", "/permissions/"} <= links(adam)


@pytest.mark.parametrize("name", ["ana", "dana", "mona", "adam"])
def test_every_link_of_the_first_page_opens_for_its_reader(
    name: str, request: pytest.FixtureRequest
) -> None:
    client = client_of(request.getfixturevalue(name))
    page = client.get("/").content.decode()
    for address in {
        link for link in re.findall(r'href="(/[^"]*)"', page) if "/static/" not in link
    }:
        assert client.get(address).status_code in {200, 302}, address


def test_the_place_one_is_at_is_marked(adam: User) -> None:
    page = client_of(adam).get("/users/").content.decode()
    assert re.findall(r'href="([^"]+)" aria-current="page"', page) == ["/users/"]


def test_the_frame_can_be_walked_by_keyboard(ana: User) -> None:
    page = client_of(ana).get("/").content.decode()
    assert page.index('href="#content"') < page.index("<nav")
    assert 'id="content" tabindex="-1"' in page
    assert '<html lang="en">' in page


def test_a_name_is_shown_as_text(adam: User) -> None:
    adam.first_name = "<img src=x onerror=alert(1)>"
    adam.save()
    assert "<img src=x" not in client_of(adam).get("/").content.decode()


@pytest.mark.parametrize(
    "wanted,address",
    [
        ("A-12", "/alerts/12/"),
        ("a12", "/alerts/12/"),
        (" C-3 ", "/cases/3/"),
        ("c3", "/cases/3/"),
        ("B-4", "/alerts/bulk/4/"),
        ("S-5", "/suppressions/5/"),
        ("btl-6", "/reviews/samples/6/"),
        ("Q-7", "/reviews/questions/7/"),
        ("R-8", "/reviews/8/"),
        ("L-9", "/lists/9/"),
    ],
)
def test_the_jump_box_knows_names_of_things(ana: User, wanted: str, address: str) -> None:
    assert client_of(ana).get("/jump", {"to": wanted})["Location"] == address


def test_no_two_kinds_of_things_are_numbered_alike() -> None:
    """And what has a page is found by its number."""
    ours = [model for model in apps.get_models() if "__str__" in vars(model)]
    called = {model.__name__: NUMBERED.search(getsource(model.__str__)) for model in ours}
    prefixes = {name: found[1] for name, found in called.items() if found}
    assert len(set(prefixes.values())) == len(prefixes), prefixes
    assert {prefixes[name] for name in prefixes if name not in WITHOUT_PAGE} == {*PAGES}


@pytest.mark.parametrize(
    "wanted", ["S12", "r8", "user_42", "", "A-" + "9" * 30, "https://evil.example", "\x00"]
)
def test_the_jump_box_looks_for_anything_else(ana: User, wanted: str) -> None:
    answer = client_of(ana).get("/jump", {"to": wanted})
    assert answer.status_code == 302
    assert answer["Location"].startswith("/transactions/?")


@pytest.mark.parametrize("name", ["four_eyes", "open_scoring"])
def test_a_lowered_guard_is_on_every_page(ana: User, settings, name: str) -> None:
    setattr(settings, name.upper(), name == "open_scoring")
    assert b'class="banner"' in client_of(ana).get("/").content
    setattr(settings, name.upper(), name != "open_scoring")
    assert b'class="banner"' not in client_of(ana).get("/").content


def test_the_first_page_asks_little(adam: User, django_assert_max_num_queries) -> None:
    client = client_of(adam)
    client.get("/")
    with django_assert_max_num_queries(8):
        client.get("/")


# --- probes ---------------------------------------------------------------------------------------
def test_liveness_asks_nothing_of_the_database(ana: User, django_assert_num_queries) -> None:
    client = client_of(ana)
    with django_assert_num_queries(0):
        assert client.get("/health").json() == {"status": "ok"}


def test_readiness_names_what_is_missing() -> None:
    answer = Client().get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["problems"] == ["No model is champion yet: train and promote one."]
    champion()
    answer = Client().get("/health/ready")
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")


def test_readiness_sees_work_that_nobody_does() -> None:
    champion()
    chunk = Chunk.objects.create(transaction_ids=[], known_at="2026-01-01T00:00Z")
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE scoring_chunk SET due_at = now() - make_interval(secs => %s)",
            [health.PATIENCE + 100],
        )
    answer = Client().get("/health/ready")
    assert answer.status_code == 503
    assert "is a worker running?" in answer.json()["problems"][0]
    Chunk.objects.filter(pk=chunk.pk).update(state=Leased.State.DONE)
    assert Client().get("/health/ready").status_code == 200


def test_readiness_without_a_database_is_a_no_that_names_no_host(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def gone() -> None:
        raise OperationalError('connection to server on socket "/srv/secret" failed')

    monkeypatch.setattr(health, "tables_there", gone)
    monkeypatch.setattr(health.connection, "close", lambda: None)
    answer = Client().get("/health/ready")
    assert answer.status_code == 503
    assert answer.json()["problems"] == ["The database does not answer."]


def test_deep_health_names_the_processes_that_show_no_sign_of_life(adam: User) -> None:
    champion()
    pulse._shown.clear()
    for name in {*health.EXPECTED} - {"queue:train"}:
        pulse.show(name)
    Heartbeat.objects.filter(name="queue:explain").update(at=Now() - timedelta(seconds=60))
    found = client_of(adam).get("/health/deep").json()
    assert set(found["silent"]) == {"queue:explain", "queue:train"}
    assert found["status"] == "unavailable"
    assert "No sign of life of queue:train: is it running?" in found["problems"]
    assert found["signs"]["ticker"] < 5 < 55 < found["signs"]["queue:explain"]
    assert Client().get("/health/ready").status_code == 200, "pages are served all the same"


def test_adam_sees_how_much_waits(adam: User) -> None:
    Chunk.objects.create(transaction_ids=[], known_at="2026-01-01T00:00Z")
    found = client_of(adam).get("/health/deep").json()
    assert found["work"]["chunk"]["ready"] == 1


def test_every_kind_of_work_is_watched() -> None:
    assert {"upload", "chunk", "explanation", "trainingrun"} <= {work.name for work in waiting()}


# --- metrics --------------------------------------------------------------------------------------
def test_a_scraper_with_the_token_reads_the_promised_names(settings) -> None:
    settings.SCRAPE_TOKEN = "let-me-scrape"
    assert Client().get("/metrics").status_code == 401
    wrong = {"Authorization": "Bearer let-me-scrapf"}
    assert Client().get("/metrics", headers=wrong).status_code == 401
    right = {"Authorization": "Bearer let-me-scrape"}
    metrics.TRANSACTIONS.labels("HIGH").inc()
    text = Client().get("/metrics", headers=right).content.decode()
    assert "# HELP transactions_processed_total Total transactions processed" in text
    assert 'transactions_processed_total{risk_level="HIGH"}' in text
    assert "# HELP scoring_latency_seconds Time to score a transaction" in text
    assert "# TYPE scoring_latency_seconds histogram" in text
    assert 'work_ready{work="chunk"} 0.0' in text


@pytest.mark.parametrize("given", ["", "Bearer ", "Bearer", "let-me-scrape", "Bearer \xff"])
def test_without_a_token_set_no_token_opens_the_metrics(settings, given: str) -> None:
    settings.SCRAPE_TOKEN = ""
    assert Client().get("/metrics", headers={"Authorization": given}).status_code == 401


def test_answers_are_counted_by_name_and_never_by_address(adam: User, ana: User) -> None:
    client_of(ana).get("/users/7/")
    Client().get("/nothing/7")
    text = client_of(adam).get("/metrics").content.decode()
    assert 'http_responses_total{route="user",status="403"}' in text
    assert 'http_responses_total{route="other",status="404"}' in text
    assert "/7" not in text


# --- the manual -----------------------------------------------------------------------------------
def test_the_manual_loads_its_scripts_from_here(ana: User) -> None:
    for path in ("/docs", "/redoc"):
        page = client_of(ana).get(path).content.decode()
        scripts = re.findall(r'<(?:script|link)[^>]*(?:src|href)="([^"?]+)', page)
        assert scripts
        for script in scripts:
            if script.startswith("/static/"):
                assert finders.find(script.removeprefix("/static/")), script
            else:
                assert script == path


def test_the_schema_describes_the_tokens(ana: User) -> None:
    answer = client_of(ana).get("/api/schema/", headers={"Accept": "application/json"})
    assert answer.status_code == 200
    assert answer.json()["openapi"] == "3.1.0"
    assert "/api/v1/auth/login" in answer.json()["paths"]


def test_names_of_pages_are_what_the_rooms_agreed_on() -> None:
    assert reverse("home") == "/"
    assert reverse("health-ready") == "/health/ready"
    assert reverse("token") == "/api/v1/auth/login"


# --- the short way --------------------------------------------------------------------------------
def test_a_program_that_scores_gets_the_headers_of_every_answer(adam: User) -> None:
    _, key = make_key(by=adam, name="gateway", scopes=["score:write"])
    told = {"content_type": "application/json", "headers": {"X-Api-Key": key}}
    short = Client().post("/detect", "[]", **told)
    browser = Client()
    browser.cookies["any"] = "thing"  # whoever sends cookies goes the way of pages
    long = browser.post("/detect", "[]", **told)
    assert short.status_code == long.status_code == 400
    left_out = {"X-Request-ID", "Content-Length"}
    assert {*short.headers} - left_out == {*long.headers} - left_out
    assert all(short[name] == long[name] for name in {*short.headers} - left_out)
    assert int(short["Content-Length"]) == len(short.content)
    assert not hasattr(short.wsgi_request, "session")
    assert hasattr(long.wsgi_request, "session")


def test_a_program_that_scores_calls_us_by_a_name_of_ours(adam: User, settings) -> None:
    settings.ALLOWED_HOSTS = ["testserver"]
    _, key = make_key(by=adam, name="gateway", scopes=["score:write"])
    headers = {"X-Api-Key": key, "Host": "elsewhere.example"}
    answer = Client().post("/detect", "[]", content_type="application/json", headers=headers)
    assert answer.status_code == 400
    assert b"elsewhere" not in answer.content
