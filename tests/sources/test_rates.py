"""Exchange rates: imported whole or not at all, used by the day of the payment, never guessed."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from io import BytesIO, StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from anomalyshield.accounts.models import User
from scoring import mending, rates, uploads
from scoring.accepting import Sent, accept
from scoring.columns import Refused
from scoring.engine import exchange
from scoring.engine.transaction import Defaults, Invalid, parse
from scoring.models import ExchangeRate, RejectedRecord, Source, Transaction
from tests.conftest import client_of
from tests.scoring import making
from tests.sources.conftest import event

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
TABLE = exchange.table_of(
    [
        ("EUR", date(2026, 11, 2), Decimal("1.10")),
        ("EUR", date(2026, 11, 6), Decimal("1.20")),
        ("JPY", date(2026, 11, 6), Decimal("0.0065")),
        ("BHD", date(2026, 11, 6), Decimal("2.6526")),
    ]
)


def read(amount: object, currency: str, day: str, table: Any = TABLE) -> Any:
    record = {"transaction_id": "t", "user_id": "u", "amount": amount, "currency": currency}
    defaults = Defaults("USD", "USD", "UTC", NOW, rate=table.rate if table else None)
    return parse({**record, "timestamp": f"{day}T10:00:00Z"}, defaults=defaults)


@pytest.mark.parametrize(
    ("amount", "currency", "day", "units"),
    [
        (100, "USD", "2026-11-06", 1_000_000),
        (100, "EUR", "2026-11-02", 1_100_000),
        (100, "EUR", "2026-11-05", 1_100_000),  # the last known of that day or before
        (100, "EUR", "2026-11-06", 1_200_000),
        (100, "EUR", "2026-11-13", 1_200_000),
        ("1000", "JPY", "2026-11-07", 65_000),  # no decimals
        ("1.234", "BHD", "2026-11-07", 32_733),  # three: 3.2733084
    ],
)
def test_an_amount_is_converted_at_the_rate_of_its_day(
    amount: object, currency: str, day: str, units: int
) -> None:
    found = read(amount, currency, day)
    assert (found.amount_units, found.amount, found.currency) == (
        units, Decimal(str(amount)), currency,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("currency", "day"), [("EUR", "2026-11-01"), ("EUR", "2026-11-14"), ("CHF", "2026-11-06")]
)
def test_without_a_rate_that_is_near_it_is_refused_and_never_guessed(
    currency: str, day: str
) -> None:
    with pytest.raises(Invalid) as refusal:
        read(1, currency, day)
    assert refusal.value.reasons == {
        "currency": f"has no exchange rate from {currency} to USD within 7 days before {day}"
    }


def test_another_rate_does_not_make_it_another_payment() -> None:
    other = exchange.table_of([("EUR", date(2026, 11, 6), Decimal("9"))])
    one, two = read(5, "EUR", "2026-11-06"), read(5, "EUR", "2026-11-06", other)
    assert one.digest == two.digest
    assert one.amount_units != two.amount_units


GOOD = "Date,Currency,Rate\n2026-11-06,EUR,1.20\n2026-11-06,jpy,0.0065\n\n"


@pytest.mark.django_db
def test_a_table_is_imported_and_another_replaces_its_days(dana: User) -> None:
    assert rates.import_rates(by=dana, text=GOOD) == 2
    later = "\ufeffcurrency,rate,date\nEUR,1.25,2026-11-06\nEUR,1.3,2026-11-07\n"
    assert rates.import_rates(by=dana, text=later) == 2
    kept = ExchangeRate.objects.order_by("currency", "day").values_list("currency", "day", "rate")
    assert [(c, d.day, r) for c, d, r in kept] == [
        ("EUR", 6, Decimal("1.25")), ("EUR", 7, Decimal("1.3")), ("JPY", 6, Decimal("0.0065")),
    ]  # fmt: skip
    rates.forget()
    assert rates.rate_of("EUR", date(2026, 11, 9)) == Decimal("1.3")
    assert rates.rate_of("EUR", date(2026, 11, 5)) is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "first line names the columns"),
        ("a,b\n1,2\n", "first line names the columns"),
        ("date,currency,rate\n", "There is no rate in it"),
        ("date,currency,rate\n06.11.2026,EUR,1\n", "Line 2: the date is written like"),
        ("date,currency,rate\n2999-01-01,EUR,1\n", "Line 2: the date lies in the future"),
        ("date,currency,rate\n2026-11-06,EURO,1\n", "Line 2: the currency is a code"),
        ("date,currency,rate\n2026-11-06,USD,1\n", "Line 2: the house currency needs no rate"),
        ("date,currency,rate\n2026-11-06,CHF,1e-20\n", "Line 2: the rate is above"),
        ("date,currency,rate\n2026-11-06,EUR,NaN\n", "Line 2: the rate is"),
        ("date,currency,rate\n2026-11-06,EUR,1\n2026-11-06,EUR,2\n", "Line 3: that currency has"),
    ],
)
def test_a_table_that_is_wrong_is_refused_whole(dana: User, text: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        rates.import_rates(by=dana, text=text)
    assert not ExchangeRate.objects.exists()


@pytest.mark.django_db
def test_the_page_the_api_and_the_command_take_it(dana: User, ana: User, tmp_path: Path) -> None:
    page = client_of(dana)
    assert page.post("/rates/", {"rates": GOOD}).status_code == 302
    text = page.get("/rates/").content.decode()
    assert "JPY" in text
    assert "0.0065" in text
    bad = page.post("/rates/", {"rates": "date,currency,rate\nx,EUR,1\n"})
    assert bad.status_code == 400
    assert "Line 2" in bad.content.decode()
    answer = page.post("/api/v1/rates", {"csv": GOOD}, content_type="application/json")
    assert answer.json() == {"rates": 2}
    wrong = page.post("/api/v1/rates", {"csv": "x"}, content_type="application/json")
    assert (wrong.status_code, wrong.json()["pointer"]) == (400, "/csv")
    assert page.get("/api/v1/rates?currency=eur").json()["results"][0]["rate"].startswith("1.2")
    file, said = tmp_path / "rates.csv", StringIO()
    file.write_text(GOOD, encoding="utf-8")
    call_command("rates", file, stdout=said)
    assert "2 rates are taken" in said.getvalue()
    assert client_of(ana).get("/rates/").status_code == 403


@pytest.mark.django_db(transaction=True)
def test_payments_of_every_door_are_converted_and_those_refused_follow(
    till: Source, dana: User, ana: User
) -> None:
    day = f"{datetime.now(UTC) - timedelta(days=2):%Y-%m-%d}"
    paid = {"currency": "EUR", "timestamp": f"{day}T10:00:00Z"}
    accept(source=till, sent=[Sent(event(1, **paid))], door="rest")
    reject = RejectedRecord.objects.get()
    assert "no exchange rate from EUR" in reject.reasons["currency"]
    rates.import_rates(by=dana, text=f"date,currency,rate\n{day},EUR,1.5\n")
    mending.replay(by=dana, reject=reject)
    rows = f"transaction_id,user_id,amount,currency,timestamp\nf1,u,20,EUR,{day}T11:00:00Z\n"
    uploads.receive(by=dana, source=till, name="a.csv", file=BytesIO(rows.encode()), options={})
    making.work_through()
    units = Transaction.objects.order_by("external_id").values_list("external_id", "amount_units")
    assert dict(units) == {"e1": 150_000, "f1": 300_000}
    one = Transaction.objects.get(external_id="e1")
    text = client_of(ana).get(f"/transactions/{one.pk}/").content.decode()
    assert "= 15.00" in text, "both amounts stand on its page"
