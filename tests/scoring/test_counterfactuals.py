"""What would have changed a decision: found from its own past, or said why not; reasons stand."""

import json
from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.db import DataError, connection
from django.db.models import F

from scoring import counterfactuals, deciding, explaining, history, lists
from scoring.lists import Wish
from scoring.models import Decision, Explanation, Transaction
from scoring.tasks import do_next, work_named
from tests.conftest import person
from tests.scoring import making
from tests.scoring.test_deciding import parsed, record, rest

pytestmark = pytest.mark.django_db(transaction=True)
USUAL = [
    f"t{n},u1,{40 + n % 5}.00,{(making.START + timedelta(days=n, hours=12)).isoformat()},"
    "groceries,Delhi,d1"
    for n in range(12)
]
BIG = f"big,u1,25000.00,{(making.START + timedelta(days=13, hours=3)).isoformat()},games,Rome,d9"


def worked(*names: str) -> None:
    for name in names:
        while do_next(work_named(name)):
            pass


def explained(lines: list[str]) -> dict[str, Any]:
    """What is kept of the payment called big, sent in a file."""
    making.send(making.csv_of(lines))
    making.work_through()
    return kept()


def kept(name: str = "big") -> dict[str, Any]:
    row = Explanation.objects.get(decision__transaction__external_id=name)
    assert row.state == Explanation.State.DONE, row.error
    assert row.sentences
    assert row.base + sum(row.contributions.values()) == pytest.approx(row.margin, abs=1e-6)
    return row.counterfactual


def test_a_payment_of_a_file_and_of_a_request_are_told_the_same() -> None:
    making.first_model()
    of_file = explained([*USUAL, BIG])
    sent = record(BIG.replace("big", "again"))
    Transaction.objects.filter(external_id="big").update(user_key=1, device_key=1, merchant_key=1)
    deciding.decide_one(parsed(sent), source=rest(), record=sent)
    worked("explanation")
    assert of_file["state"] == "approved"
    assert of_file["ways"][0]["changes"] == ["amount"]
    assert of_file["sentence"].endswith(f"score {of_file['ways'][0]['risk_score']:.2f}.")
    assert kept("again") == of_file


def test_what_is_told_is_what_would_have_been_decided() -> None:
    """Each way is paid for real, by another user with the same past."""
    making.first_model()
    told = explained([*USUAL, BIG])
    [way] = [one for one in told["ways"] if one["changes"] == ["amount"]]
    amount = way["sentence"].split()[4].replace(",", "")
    others = [line.replace(",u1,", ",u2,").replace("t", "s", 1).replace(",d", ",e")
              for line in USUAL]  # fmt: skip
    less = BIG.replace("big,u1,25000.00", f"less,u2,{amount}").replace(",d9", ",e9")
    making.send(making.csv_of([*others, less]))
    making.work_through()
    decision = Decision.objects.get(transaction__external_id="less")
    assert decision.outcome == way["outcome"] == "APPROVE"
    assert decision.risk_score == pytest.approx(way["risk_score"], abs=1e-9)


def test_one_on_the_deny_list_is_told_what_counts() -> None:
    making.first_model()
    dana = person("dana", "engineer", is_lead=True, is_superuser=True)
    lists.put(by=dana, wish=Wish(kind="DENY", entity="user", value="u1", reason="Mule."))
    told = explained([*USUAL, BIG])
    assert (told["state"], told["ways"]) == ("nothing", [])
    assert told["sentence"] == counterfactuals.NOTHING
    assert told["counts"][0].startswith("This user is on the deny list")


def test_a_payment_that_came_later_takes_nothing_away() -> None:
    """Explained once its past has changed: read again as it was when it was decided."""
    making.first_model()
    making.send(making.csv_of([*USUAL, BIG]))
    worked("upload", "chunk")
    making.send(making.csv_of([line.replace("t", "late", 1).replace(":00", ":30", 1)
                               for line in USUAL]))  # fmt: skip
    worked("upload")
    assert Transaction.objects.count() == 25
    worked("explanation")
    assert kept()["state"] == "approved"


def test_a_past_that_is_gone_is_said() -> None:
    making.first_model()
    making.send(making.csv_of([*USUAL, BIG]))
    worked("upload", "chunk")
    Decision.objects.filter(transaction__external_id="big").update(level="MEDIUM")
    Transaction.objects.exclude(external_id="big").update(
        event_time=F("event_time") - timedelta(days=90)
    )
    worked("explanation")
    assert kept() == counterfactuals.untold(counterfactuals.OTHER_PAST)


def test_a_decision_that_was_not_whole_is_not_guessed_about() -> None:
    making.first_model()
    making.send(making.csv_of([*USUAL, BIG]))
    worked("upload", "chunk")
    Decision.objects.update(degraded="the scoring deadline was missed")
    worked("explanation")
    assert kept() == counterfactuals.untold(counterfactuals.NOT_WHOLE)


def broken(*_: Any, **__: Any) -> Any:
    raise ZeroDivisionError


def refused(*_: Any, **__: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 / 0")


@pytest.mark.parametrize("failing", [broken, refused])
def test_where_it_breaks_the_reasons_stand_without_it(monkeypatch, failing) -> None:
    making.first_model()
    monkeypatch.setattr(history, "read_users", failing)
    told = explained([*USUAL, BIG])
    assert told["state"] == "untold"
    error = "ZeroDivisionError" if failing is broken else DataError.__name__
    assert told["sentence"] == f"What would have changed it could not be found: {error}."


def test_what_is_told_of_many_together_is_what_is_told_of_each_alone() -> None:
    making.first_model()
    lines = [line.replace("u1", f"u{n}").replace("t", f"s{n}-", 1).replace(",d", f",d{n}")
             for n in range(2, 6) for line in USUAL]  # fmt: skip
    bigs = [BIG.replace("big", f"big{n}").replace("u1", f"u{n}") for n in range(2, 6)]
    making.send(making.csv_of([*lines, *bigs]))
    making.work_through()
    together = [kept(f"big{n}") for n in range(2, 6)]
    rows = Explanation.objects.select_related("decision__policy", "model").order_by("pk")
    for row, told in zip(rows, together, strict=True):
        vector = explaining.widened(explaining.stored_vector(row.decision))
        bundle = explaining.bundle_of(row.model)
        parts = explaining.engine.explain(bundle, vector[None, :]).values[0]
        alone = counterfactuals.found([(row.decision, vector, parts)], bundle)
        assert json.loads(json.dumps(alone)) == [told]


def test_an_old_vector_of_fewer_features_is_still_its_own_past() -> None:
    made = np.array([1.0, 2.0, np.nan])
    assert counterfactuals._same(np.array([1.0, 2.0, 5.0]), made)
    assert not counterfactuals._same(np.array([1.0, 2.5, 5.0]), made)
