"""Every sentence has its German words, and pages speak the language of who reads them."""

import ast
import re
from datetime import UTC, datetime
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.conf import settings
from django.test import Client
from django.utils import translation

from alerts.analytics import section
from alerts.counting import Count
from anomalyshield import languages
from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from anomalyshield.context import read_in
from anomalyshield.exports import Column
from anomalyshield.languages import catalogue, gather
from anomalyshield.templatetags import words
from scoring import policies
from tests.alerts import making
from tests.conftest import client_of

SPOKEN = {"title", "aria-label", "placeholder", "alt", "label"}
# Where numbers are written for pages: rooms, and the modules of models, rules and costs.
ROOMS = ("alerts", "cases", "anomalyshield/dashboard")
OF_MODELS = ("figures.py", "costs.py", "policies.py", "policy_forms.py", "charts.py")
MOMENTS = {"when", "ago", "left", "due"}
# Where no element can stand: labels of drawings, letters, paper.
PLAIN = {"alerts/analytics/live.py", "alerts/report_pdf.py", "alerts/views/links.py"}
MARKING = {"figure", "lazy(figure, str)"}
SILENT = {"script", "style", "code", "kbd", "svg"}
LOOKED_UP = re.compile(
    r"{% blocktranslate.*?{% endblocktranslate %}|{#.*?#}|{%.*?%}|{{.*?}}", re.DOTALL
)


def value_of(keyword: ast.keyword) -> ast.expr:
    return keyword.value


# --- the catalogue --------------------------------------------------------------------------------
def test_every_sentence_has_its_german_words() -> None:
    """`manage.py words` adds the new ones to locale/de; a person fills them in."""
    assert catalogue.faults("de") == []


def test_sentences_are_found_in_templates_and_code() -> None:
    page = (
        "{% translate 'One' %}{% blocktranslate count n=m %}{{ n }} row{% plural %}{{ n }} rows"
        "{% endblocktranslate %}"
    )
    found = list(gather.in_template(page))
    rows = ("%(n)s row", "%(n)s rows")
    assert [(one.text, one.plural) for one in found] == [("One", ""), rows]
    code = (
        'raise Refused(_("Two"))\nngettext("a day", "{n} days", n)\nlabel = pgettext("door", "Bar")'
    )
    assert {(one.context, one.text, one.plural) for one in gather.in_code(code)} == {
        (None, "Two", ""),
        (None, "a day", "{n} days"),
        ("door", "Bar", ""),
    }


def bare(template: str) -> list[str]:
    """The words of a template that stand outside of what is looked up."""
    found: list[str] = []

    class Words(HTMLParser):
        silent = 0

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            self.silent += tag in SILENT
            found.extend(value for name, value in attrs if name in SPOKEN and value)

        def handle_endtag(self, tag: str) -> None:
            self.silent -= tag in SILENT

        def handle_data(self, data: str) -> None:
            found.extend([] if self.silent else [data])

    Words().feed(LOOKED_UP.sub("", template))
    return [words.strip() for words in found if re.search(r"[A-Za-z]{2}", words)]


def test_no_words_of_a_template_stand_outside_of_what_is_looked_up() -> None:
    assert bare('<p title="Help">{% translate "x" %} {{ n }} rows</p>') == ["Help", "rows"]
    pages = Path(settings.BASE_DIR, "templates")
    ours = [path for path in pages.rglob("*.html") if "drf_spectacular" not in path.parts]
    assert len(ours) > 100
    found = {path.name: bare(path.read_text(encoding="utf-8")) for path in ours}
    assert {name: words for name, words in found.items() if words} == {}


def test_a_translation_with_other_placeholders_is_a_fault() -> None:
    assert gather.placeholders("{n:,} of %(all)s, 100 %%") == {"{n:,}", "%(all)s"}


def test_a_changed_catalogue_is_compiled_into_a_folder_of_its_own(tmp_path: Path) -> None:
    file = tmp_path / "locale/de" / languages.SOURCE
    file.parent.mkdir(parents=True)
    made = set()
    for said in ("Tür", "Tor"):
        file.write_text(
            f'msgid ""\nmsgstr "Content-Type: text/plain; charset=UTF-8\\n"\n\n'
            f'msgid "door"\nmsgstr "{said}"\n',
            encoding="utf-8",
        )
        folder = Path(languages.prepared(tmp_path / "locale", tmp_path / "made"))
        assert said.encode() in (folder / "de/LC_MESSAGES/django.mo").read_bytes()
        made.add(folder)
    assert len(made) == 2
    assert sorted((tmp_path / "made").iterdir()) == sorted(made)  # and nothing half made


# --- how values read ------------------------------------------------------------------------------
def test_numbers_have_the_marks_of_the_language() -> None:
    with translation.override("de"):
        assert words.money(Decimal("1234.5"), "EUR") == "1.234,50 EUR"
        assert (words.score(0.417), words.percent(0.123), words.upto(12345)) == (
            "0,42", "12,3 %", "12.345",
        )  # fmt: skip
        assert words.signed(-0.5) == "−0,50"
        assert words.when(datetime(2026, 3, 2, 9, tzinfo=UTC), "short") == "02 Mär 09:00"
        assert words.unlocalized(0.25) == "0.2500"  # an attribute
    assert words.money(Decimal("1234.5"), "EUR") == "1,234.50 EUR"


# --- whose language -------------------------------------------------------------------------------
@pytest.fixture
def german(ana: User) -> Client:
    User.objects.filter(pk=ana.pk).update(language="de")
    return client_of(ana)


@pytest.mark.django_db
def marked_in_english(path: Path) -> list[str]:
    """Numbers written with a comma of thousands that no `figure` gives the reader's marks."""
    tree = ast.parse(path.read_text())
    told = {
        id(part)
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and ast.unparse(call.func) in MARKING
        for part in ast.walk(call)
    }
    return [
        f"{path.relative_to(settings.BASE_DIR)}:{part.lineno}"
        for part in ast.walk(tree)
        if isinstance(part, ast.FormattedValue) and part.format_spec and id(part) not in told
        if "," in ast.unparse(part.format_spec)
    ]


def test_numbers_that_pages_show_get_their_marks() -> None:
    files = [path for room in ROOMS for path in sorted((settings.BASE_DIR / room).rglob("*.py"))]
    files += [settings.BASE_DIR / "scoring" / name for name in OF_MODELS]
    assert [found for path in files for found in marked_in_english(path)] == []


def test_tables_of_figures_follow_the_language() -> None:
    columns = [Column("Seen", "number"), Column("Rate", "score"), Column("Mean", "number")]
    with translation.override("de"):
        assert [section.words(v, c) for v, c in zip((12345, 0.25, 1.5), columns, strict=True)] == [
            "12.345", "0,25", "1,5",
        ]  # fmt: skip
        assert str(Count(1000, more=True)) == "1.000+"
        assert policies.shown(12000.0) == "12.000"
    assert [section.words(v, c) for v, c in zip((12345, 0.25, 1.5), columns, strict=True)] == [
        "12,345", "0.25", "1.5",
    ]  # fmt: skip


def test_before_log_in_the_browser_says_which_language() -> None:
    german = Client(headers={"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"})
    answer = german.get("/accounts/login/")
    assert answer["Content-Language"] == "de"
    assert '<html lang="de">' in answer.content.decode()
    assert '<html lang="en">' in Client().get("/accounts/login/").content.decode()
    french = Client(headers={"Accept-Language": "fr"})
    assert '<html lang="en">' in french.get("/accounts/login/").content.decode()


@pytest.mark.django_db
def test_ana_chooses_german_and_the_browser_no_longer_matters(ana: User) -> None:
    here = client_of(ana)
    here.post("/profile/", {"timezone": "UTC", "language": "de", "keys": "on"})
    page = here.get("/profile/", headers={"Accept-Language": "en"}).content.decode()
    assert '<html lang="de">' in page
    assert "Zeiten anzeigen in" in page
    event = AuditEvent.objects.get(action="profile.changed")
    assert (event.before, event.after) == ({"language": ""}, {"language": "de"})
    assert translation.get_language() == "en"  # the next request of this thread is another's


@pytest.mark.django_db
def test_a_language_that_is_not_spoken_here_is_refused(ana: User) -> None:
    answer = client_of(ana).post("/profile/", {"timezone": "UTC", "language": "tlh"})
    assert answer.status_code == 400
    ana.refresh_from_db()
    assert ana.language == ""


@pytest.mark.django_db
def test_programs_are_answered_in_english(german: Client) -> None:
    answer = german.get("/api/v1/me", headers={"Accept-Language": "de"})
    assert answer["Content-Language"] == "en"
    assert answer.json()["language"] == "de"


# --- first words ----------------------------------------------------------------------------------
@pytest.mark.django_db
def test_a_hint_is_put_away_for_good_and_can_be_asked_for_again(ana: User) -> None:
    here = client_of(ana)
    assert here.post("/profile/hints/queue/close/", {"back": "/alerts/"}).url == "/alerts/"
    assert here.post("/profile/hints/queue/close/", {"back": "//evil.example/"}).url == "/"
    assert here.post("/profile/hints/nowhere/close/").status_code == 404
    ana.refresh_from_db()
    assert ana.hints_closed == ["queue"]
    here.post("/profile/hints/")
    ana.refresh_from_db()
    assert ana.hints_closed == []


@pytest.mark.django_db
def test_the_queue_begins_with_a_few_words_until_they_are_put_away(ana: User) -> None:
    here = client_of(ana)
    assert 'action="/profile/hints/queue/close/"' in here.get("/alerts/").content.decode()
    here.post("/profile/hints/queue/close/", {"back": "/alerts/"})
    assert "/profile/hints/queue/close/" not in here.get("/alerts/").content.decode()
    here.post("/profile/hints/")
    assert "/profile/hints/queue/close/" in here.get("/alerts/").content.decode()


# --- moments --------------------------------------------------------------------------------------
def test_a_moment_is_words_that_say_in_iso_when_it_was() -> None:
    moment = datetime(2026, 3, 2, 9, 5, tzinfo=UTC)
    with read_in("Europe/Berlin"):
        assert words.when_shown(moment) == (
            '<time datetime="2026-03-02T09:05:00+00:00" title="2026-03-02 10:05:00 CET '
            '(2026-03-02T09:05:00+00:00)">2026-03-02 10:05 CET</time>'
        )
        assert words.ago_shown(moment).startswith('<time datetime="2026-03-02T09:05:00+00:00" ')
    for nothing in (None, ""):  # a template's missing name is an empty text
        assert {words.when_shown(nothing), words.ago_shown(nothing), words.day(nothing)} == {"–"}
        assert words.day_said(nothing) == ""


def test_templates_show_moments_by_these_filters_alone() -> None:
    """Django's own would show UTC, and nothing under the pointer."""
    others = re.compile(r"\|(date|time|timesince|timeuntil|localtime)\b|{% (now|localtime) ")
    assert others.search("{{ at|date:'c' }}")
    pages = Path(settings.BASE_DIR, "templates").rglob("*.html")
    found = {page.name: others.findall(page.read_text(encoding="utf-8")) for page in pages}
    assert {name: filters for name, filters in found.items() if filters} == {}


def test_elements_of_moments_stand_in_no_attribute() -> None:
    within_a_tag = re.compile(
        r"""<[a-z][^<>]*="[^"<>]*\|(when|ago|due|left|day)\b[^"<>]*"[^<>]*>"""
    )
    assert within_a_tag.search('<td title="{{ at|when }}">')
    pages = Path(settings.BASE_DIR, "templates").rglob("*.html")
    assert [page.name for page in pages if within_a_tag.search(page.read_text())] == []


def moments_in_plain_words(path: Path) -> list[str]:
    """Sentences that code makes with `.format` of a moment, which loses its element."""
    tree = ast.parse(path.read_text())
    made = [call for call in ast.walk(tree) if isinstance(call, ast.Call)]
    formats = [call for call in made if getattr(call.func, "attr", "") == "format"]
    given = [(call, one) for call in formats for one in (*call.args, *map(value_of, call.keywords))]
    return [
        f"{path.relative_to(settings.BASE_DIR)}:{call.lineno}"
        for call, one in given
        if isinstance(one, ast.Call) and getattr(one.func, "id", "") in MOMENTS
    ]


def test_sentences_made_by_code_keep_their_moments_as_elements() -> None:
    rooms = [settings.BASE_DIR / room for room in ("alerts", "cases", "scoring", "anomalyshield")]
    files = [path for room in rooms for path in sorted(room.rglob("*.py"))]
    found = [one for path in files for one in moments_in_plain_words(path)]
    assert [one for one in found if one.partition(":")[0] not in PLAIN] == []
    assert {one.partition(":")[0] for one in found} == PLAIN


@pytest.mark.django_db
def test_the_queue_says_of_each_moment_when_it_was(german: Client) -> None:
    making.alert(making.queue("cards", User.objects.get(username="ana"), is_default=True))
    page = german.get("/alerts/").content.decode()
    assert re.search(
        r'<time datetime="20\d\d-[^"]+\+00:00" title="20\d\d-[^"]+">\d+ (s|min)<', page
    )
