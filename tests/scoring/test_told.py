"""What engine and workers say in English is told in the reader's language, values and all."""

import ast
import re

import pytest
from django.conf import settings
from django.utils import translation

from scoring import kept, reasons, refusals, ways

ENGINE = ("fields", "amounts", "translation", "transaction")


@pytest.fixture(autouse=True)
def german():
    with translation.override("de"):
        yield


def said(node: ast.expr) -> str:
    """A text of the code, with a 7 for each of its values."""
    if isinstance(node, ast.JoinedStr):
        return "".join(
            str(one.value) if isinstance(one, ast.Constant) else "7" for one in node.values
        )
    return str(node.value) if isinstance(node, ast.Constant) else ""


def refusals_of_the_engine() -> list[str]:
    found = []
    for name in ENGINE:
        code = (settings.BASE_DIR / f"scoring/engine/{name}.py").read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(code)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Unfit":
                found.append(said(node.args[0]))
    return [text for text in found if text]


def test_every_refusal_of_the_engine_is_told() -> None:
    found = refusals_of_the_engine()
    assert len(found) > 30
    assert [text for text in found if refusals.in_words(text) == text] == []
    assert refusals.in_words("is of nobody's making") == "is of nobody's making"


def test_a_refusal_keeps_its_values() -> None:
    told = refusals.in_words("is 12,000 characters long; at most 200 fit")
    assert told == "ist 12.000 Zeichen lang; höchstens 200 passen"
    assert refusals.in_words("is an object, not a text") == "ist ein Objekt, kein Text"


def test_ways_to_another_decision_are_taken_apart_and_told() -> None:
    sentence = (
        "With an amount of 1,250.00 USD or less, from the device this customer uses most and "
        "around 09:00, when this customer usually pays (5 hours earlier), it would "
        "have been approved: MEDIUM, score 0.65."
    )
    assert ways.told(sentence) == (
        "Mit einem Betrag von höchstens 1.250,00 USD, vom Gerät, das dieser Kunde am meisten "
        "benutzt und gegen 09:00, wenn dieser Kunde üblicherweise zahlt (5 Stunden früher): Sie "
        "wäre freigegeben worden (MEDIUM, Score 0,65)."
    )
    assert ways.told("Somebody wrote this.") == "Somebody wrote this."


def test_what_a_worker_kept_is_told() -> None:
    verdict = (
        "Better than v3: average precision 0.913 against 0.870, a difference of +0.043 "
        "(+0.010 to +0.080, 95 %)."
    )
    told = kept.told(f"Too good? Check for a leak. {verdict}")
    assert told.startswith("Zu gut? Auf ein Leck prüfen. Besser als v3")
    assert "0,913" in told
    assert re.search(r"\d\.\d", told) is None
    with translation.override("en"):
        assert kept.told(verdict) == verdict


def test_the_title_of_a_case_is_told_if_reasons_made_it() -> None:
    assert reasons.titled("High amount, unusual hour") != "High amount, unusual hour"
    assert reasons.titled("The Miller case") == "The Miller case"
