"""What an analyst who chose German reads: every word, a comma in numbers, attributes as ever."""

import re
from html.parser import HTMLParser

import pytest
from django.test import Client
from django.utils import translation

from alerts.models import Alert, Queue
from anomalyshield.accounts.models import User
from scoring import retelling
from scoring.engine.features import FEATURES
from scoring.engine.rules import RULES
from tests.alerts import making
from tests.conftest import client_of

pytestmark = pytest.mark.django_db
# Attributes made of words; all others are for programs and never change with the language.
SPOKEN = {
    "title", "aria-label", "placeholder", "alt", "lang", "label", "data-system", "data-dark",
    "data-light",
}  # fmt: skip
# Names, codes and what is the same in both languages.
SAME = re.compile(
    r"[A-Z_]{2,}|A-\d+|C-\d+|[\w.-]*\d[\w.-]*|USD|UTC|AnomalyShield|Ana|Cards|cards|Score|Enter|Ctrl|"
    r"Esc|Name|PDF|JSON|API|Webhooks|Feedback|online|min|h|d|j|k|[a-z]|Code|Champion|till|Sync|English"
)

SEEN = re.compile(r"seen=[0-9a-f]+")  # what was shown, with the minute in which it was


class Read(HTMLParser):
    """The words of a page, and the attributes that programs read."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.words: list[str] = []
        self.attributes: list[tuple[str, str, str | None]] = []
        self.silent = 0
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.silent += tag in {"script", "style", "code", "kbd"}
        told = {"nonce", "value"} if ("name", "csrfmiddlewaretoken") in attrs else SPOKEN
        for name, value in attrs:
            if name in SPOKEN and value:
                self.words.append(value)
            elif name not in told:
                self.attributes.append((tag, name, SEEN.sub("seen=", value or "")))

    def handle_endtag(self, tag: str) -> None:
        self.silent -= tag in {"script", "style", "code", "kbd"}

    def handle_data(self, data: str) -> None:
        if not self.silent and data.strip():
            self.words.append(" ".join(data.split()))


@pytest.fixture
def alert(cards: Queue) -> Alert:
    sentence = "The amount of 12,345.60 is above the limit of 5,000.00."
    hit = {"code": "HIGH_AMOUNT", "sentence": sentence, "observed": 12345.6, "limit": 5000}
    return making.alert(cards, amount="12345.60", hits=[hit])


@pytest.fixture
def both(alert: Alert, ana: User) -> tuple[Client, Client]:
    """Ana with pages in English, and Ana with pages in German."""
    return client_of(ana), Client(headers={"Accept-Language": "de"}, **_session_of(ana))


def _session_of(user: User) -> dict[str, str]:
    return {"HTTP_COOKIE": f"sessionid={client_of(user).session.session_key}"}


@pytest.mark.parametrize("page", ["/alerts/", "/alerts/{pk}/", "/cases/", "/reviews/", "/labels/"])
def test_only_words_change_with_the_language(both, alert: Alert, page: str) -> None:
    english, german = (
        Read(client.get(page.format(pk=alert.pk)).content.decode()) for client in both
    )
    assert german.attributes == english.attributes
    unchanged = {words for words in english.words if words in german.words}
    left = {words for words in unchanged if re.search(r"[A-Za-z]{2}", SAME.sub("", words))}
    assert left == set()


def test_the_pages_of_the_house_speak_german_as_well(alert: Alert, adam: User) -> None:
    english, german = (
        client_of(adam),
        Client(headers={"Accept-Language": "de"}, **_session_of(adam)),
    )
    for page in (
        "/users/", "/keys/", "/models/", "/rules/", "/costs/", "/features/", "/sources/",
        "/uploads/", "/transactions/", "/lists/", "/routes/", "/analytics/", "/suppressions/",
        "/playbooks/", "/corrections/", "/cases/board/", "/cases/terms/",
    ):  # fmt: skip
        told, said = (Read(one.get(page).content.decode()) for one in (english, german))
        assert said.attributes == told.attributes, page
        same = {words for words in told.words if words in said.words}
        assert {one for one in same if re.search(r"[A-Za-z]{2}", SAME.sub("", one))} == set(), page


def test_the_alert_page_speaks_german_to_whom_chose_it(alert: Alert, ana: User) -> None:
    User.objects.filter(pk=ana.pk).update(language="de")
    page = client_of(ana).get(f"/alerts/{alert.pk}/").content.decode()
    for words in ("Betrug", "Regeln", "12.345,60 USD", "liegt über der Grenze von 5.000,00"):
        assert words in page


def test_what_is_wrong_with_a_form_is_said_in_german(alert: Alert, ana: User) -> None:
    User.objects.filter(pk=ana.pk).update(language="de")
    answer = client_of(ana).post(f"/alerts/{alert.pk}/decide/", {"disposition": ""})
    assert "Wählen, was es war" in answer.content.decode()


# --- reasons that are kept in English -------------------------------------------------------------
def test_a_kept_reason_is_told_with_its_values() -> None:
    with translation.override("de"):
        told = retelling.of_feature(
            "time_since_last_transaction_minutes", "The user's last transaction was 3 hours before."
        )
        assert told == "Die letzte Transaktion des Kunden war 3 Stunden davor."
        assert retelling.of_feature("amount", "The amount is 1,234.50.") == (
            "Der Betrag ist 1.234,50."
        )
        assert retelling.of_hit("GONE", "A rule of an older release.") == (
            "A rule of an older release."
        )


def test_every_phrase_of_the_registers_is_found_again() -> None:
    with translation.override("de"):
        for feature in FEATURES:
            said = re.sub(r"\{[^}]*\}", "7", feature.phrase)
            said = said[:1].upper() + said[1:]
            assert retelling.of_feature(feature.name, said) != said, feature.name
        for rule in RULES:
            said = re.sub(r"\{[^}]*\}", "7", rule.sentence)
            assert retelling.of_hit(rule.code, said) != said, rule.code
