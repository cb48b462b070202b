"""Scoring by hand: the same answer as a program gets, and nothing is stored."""

import json

import pytest
from django.urls import reverse

from anomalyshield.audit.models import AuditEvent
from scoring.models import Decision, RejectedRecord, Source, Transaction
from tests.conftest import client_of
from tests.scoring.making import csv_of, first_model, ordinary_rows, send, work_through

pytestmark = pytest.mark.django_db
PAYMENT = {
    "user_id": "u3",
    "amount": "12500.50",
    "currency": "USD",
    "timestamp": "2026-11-19T03:10:00Z",
    "merchant_category": "electronics",
    "location": "Delhi",
    "mcc": "7995",
}


@pytest.fixture(autouse=True)
def folder(settings, tmp_path):
    settings.BUNDLES, settings.UPLOADS = tmp_path / "models", tmp_path / "uploads"


@pytest.fixture
def model(db):
    return first_model()


def ask(person, status=200, **fields):
    answer = client_of(person).post(reverse("try"), PAYMENT | fields)
    assert answer.status_code == status, answer.content.decode()[:3000]
    return answer


def page(person, **asked):
    answer = client_of(person).get(reverse("try"), asked)
    assert answer.status_code == 200
    return answer


def api(person, **fields) -> dict:
    body = json.dumps(PAYMENT | {"transaction_id": "by-program"} | fields)
    answer = client_of(person).post("/detect", body, content_type="application/json")
    assert answer.status_code == 200
    return answer.json()


def test_each_example_can_be_sent_as_it_stands_and_shows_what_it_is_called_after(dana, model):
    fired = {}
    for name, (title, fields) in page(dana).context["examples"].items():
        shown = page(dana, example=name)
        assert title in shown.content.decode()
        assert shown.context["form"].initial == fields
        sent = client_of(dana).post(reverse("try"), fields)
        assert sent.status_code == 200
        fired[name] = sent.context["answer"].reason_codes
    assert fired == {
        "ordinary": [],
        "large": ["HIGH_AMOUNT"],
        "night": ["UNUSUAL_HOUR"],
        "risky": ["HIGH_RISK_MCC"],
    }


@pytest.mark.django_db(transaction=True)
def test_trying_gives_the_score_of_the_api_and_stores_nothing(ana, model):
    send(csv_of(ordinary_rows()))
    work_through()
    client = client_of(ana)  # logging in is on the trail
    tables = (Transaction, Decision, Source, RejectedRecord, AuditEvent)
    before = [table.objects.count() for table in tables]
    assert before[0] == 200
    tried = client.post(reverse("try"), PAYMENT)
    assert [table.objects.count() for table in tables] == before
    assert "Nothing was stored" in tried.content.decode()
    told, answer = api(ana), tried.context["answer"]
    assert answer.risk_score == told["risk_score"]
    assert answer.level == told["risk_level"]
    assert answer.outcome == told["recommendation"]
    assert answer.reason_codes == told["reason_codes"]


def test_the_page_shows_the_gauge_the_hits_with_their_values_and_a_table_of_each_drawing(
    ana, model
):
    shown = ask(ana).content.decode()
    for words in (
        'class="gauge"',
        "The gauge as a table",
        "The bars as a table",
        "HIGH_AMOUNT",
        "UNUSUAL_HOUR",
        "HIGH_RISK_MCC",
        "12,500.5",
        ">7995<",
        "10,000",
        "policy 1",
        str(model),
    ):
        assert words in shown, words
    assert " style=" not in shown


def test_a_level_that_a_rule_raised_is_told_apart_from_the_score(ana, model):
    quiet = {"timestamp": "2026-11-19T14:10:00Z", "mcc": "", "user_id": "nobody-yet"}
    answer = ask(ana, **quiet)
    assert answer.context["answer"].level == "HIGH"
    assert "by the score alone" in answer.content.decode()
    assert "by the score alone" not in ask(ana, **quiet, amount="12").content.decode()


def test_the_drawn_contributions_lead_from_the_base_to_the_margin(ana, model):
    context = ask(ana).context
    moved = sum(value for _, _, value, _ in context["bars"])
    why = context["answer"].why
    assert why.base + moved == pytest.approx(why.margin, abs=1e-6)


@pytest.mark.parametrize(
    ("field", "value"),
    [("amount", "much"), ("timestamp", "yesterday"), ("user_id", ""), ("latitude", "900"),
     ("currency", "dollars"), ("country", "\u0000"), ("amount", "-1"), ("mcc", "x"),
     ("amount", ""), ("timezone", "Mars/Olympus"), ("user_id", "x" * 500)],
)  # fmt: skip
def test_a_wrong_field_is_refused_beside_it_and_nothing_typed_is_lost(ana, model, field, value):
    answer = ask(ana, 400, **{field: value})
    assert answer.context["form"][field].errors
    assert answer.context["form"]["merchant_category"].value() == "electronics"
    assert not Transaction.objects.exists()


def test_all_wrong_fields_are_named_at_once(ana, model):
    form = ask(ana, 400, amount="much", mcc="x", timestamp="yesterday").context["form"]
    assert set(form.errors) == {"amount", "mcc", "timestamp"}


def test_without_a_model_it_says_so_and_wants_a_person(ana):
    shown = ask(ana).content.decode()
    assert "Scoring was not whole" in shown
    assert "It would wait for a person" in shown


def test_an_analyst_starts_from_a_stored_payment_and_others_do_not_see_it(ana, dana, model):
    api(ana)
    stored = Transaction.objects.get()
    like = page(ana, like=stored.pk).context["form"].initial
    assert (like["user_id"], like["amount"]) == ("u3", "12500.5")
    assert AuditEvent.objects.filter(action="data.read", actor="ana").count() == 1
    assert f"?like={stored.pk}" in page(ana).content.decode()
    assert "Like the latest" not in page(dana).content.decode()
    assert page(dana, like=stored.pk).context["form"].initial["user_id"] == "user_001"
    assert f"like={stored.pk}" in client_of(ana).get(f"/transactions/{stored.pk}/").content.decode()


@pytest.mark.parametrize("like", ["x", "0", "9" * 40, "-1", "", "²"])
def test_a_payment_that_is_not_there_gives_the_example(ana, like):
    assert page(ana, like=like).context["form"].initial["user_id"] == "user_001"
