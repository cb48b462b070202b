"""The page of a file that waits: guessed with evidence, tried, and started as chosen."""

import io
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import yaml
from django.urls import reverse
from django.utils import timezone

from anomalyshield.audit.models import AuditEvent
from scoring import guessing, uploads
from scoring.models import Label, Source, Transaction, Upload
from tests.conftest import client_of
from tests.ingest.test_pages import bring, send, settle
from tests.ingest.test_storing import claim, work
from tests.scoring import making

pytestmark = pytest.mark.django_db
FOREIGN = (
    "Txn Ref;Client No;Betrag;Gebucht am;Ort;Betrug\n"
    "r1;c1;1.234,50 €;31.10.2026 23:05;Köln;nein\n"
    "r2;c2;12,00 €;01.11.2026 00:10;Köln;ja\n"
    "r3;c1;zwölf;01.11.2026 00:11;Bonn;?\n"
)


def waiting(user, to, content=FOREIGN) -> Upload:
    bring(user, to, content)
    return Upload.objects.first()


def shown(user, upload):
    answer = client_of(user).get(reverse("upload-preview", args=[upload.pk]))
    assert answer.status_code == 200
    return answer


def test_a_foreign_file_is_guessed_with_evidence(bank, dana):
    upload = waiting(dana, bank)
    page = shown(dana, upload).content.decode()
    form = shown(dana, upload).context["form"].initial
    columns = upload.options["columns"]
    meant = {name: form[f"column-{n}"] for n, name in enumerate(columns)}
    assert meant["Txn Ref"] == "transaction_id"
    assert meant["Client No"] == "user_id"
    assert (meant["Betrag"], meant["Gebucht am"]) == ("", "timestamp")  # one amount is no amount
    assert "separated by semicolons" in page
    assert not Transaction.objects.exists()


def test_what_the_first_rows_would_give_is_tried_and_nothing_is_stored(bank, dana):
    upload = waiting(dana, bank)
    meant = {"Betrag": "amount", "Gebucht am": "timestamp", "Ort": "location"}
    answer = settle(
        dana, upload, do="check", **meant, decimal_mark=",", date_format="%d.%m.%Y %H:%M"
    )
    tried = answer.context["tried"]
    assert (tried.read, tried.accepted, tried.rejected) == (3, 2, 1)
    assert [reason for (field, reason), _ in tried.most if field == "Betrag"]
    assert "1,234.50 USD" in answer.content.decode()
    upload.refresh_from_db()
    assert upload.state == "WAITING"
    assert not Transaction.objects.exists()


def test_it_is_stored_as_it_was_settled_and_the_next_file_begins_there(bank, dana):
    upload = waiting(dana, bank)
    meant = {"Betrag": "amount", "Gebucht am": "timestamp", "Ort": "location", "Betrug": "label"}
    words = {"fraud": "ja", "legitimate": "nein", "unknown": "?", "label_delay_days": "3"}
    more = {"decimal_mark": ",", "date_format": "%d.%m.%Y %H:%M", **words}
    answer = settle(dana, upload, **meant, **more)
    assert answer["Location"] == f"/uploads/{upload.pk}/"
    work()
    rows = {row.external_id: row for row in Transaction.objects.all()}
    assert {name: str(row.amount) for name, row in rows.items()} == {
        "r1": "1234.5000",
        "r2": "12.0000",
    }
    assert f"{rows['r1'].event_time:%Y-%m-%dT%H:%M}" == "2026-10-31T23:05"
    labels = dict(Label.objects.values_list("transaction__external_id", "value"))
    assert labels == {"r1": "FALSE_POSITIVE", "r2": "TRUE_FRAUD"}
    started = AuditEvent.objects.get(action="upload.started")
    assert started.actor == "dana"
    later = waiting(dana, bank, FOREIGN.replace("r1", "r9"))
    proposed = shown(dana, later).context["form"].initial
    assert proposed["decimal_mark"] == ","
    assert proposed["column-5"] == "label"


def test_days_and_months_that_could_be_either_are_said_to_be_unsure():
    records = [{"when": "03/04/2026"}, {"when": "05/06/2026"}]
    made = guessing.guess(["when"], records, {"mapping": {"when": "timestamp"}})
    assert "date_format" in made.unsure
    assert "nobody can tell day from month" in made.evidence["date_format"]
    sure = guessing.guess(["when"], [{"when": "31/12/2026"}], {"mapping": {"when": "timestamp"}})
    assert (sure.options["date_format"], sure.unsure) == ("%d/%m/%Y", set())


def test_what_was_remembered_of_other_columns_is_left_out():
    remembered = {"label_column": "label", "label_delay_days": 3, "mapping": {"x": "amount"}}
    made = guessing.guess(["amount", "note"], [], remembered)
    assert made.options == {"mapping": {"amount": "amount"}}


def test_columns_without_telling_names_are_told_by_what_they_hold():
    rows = [
        {"a": f"K{n}", "b": f"{n}.{n:02d}0,50 €", "c": f"{n}.10.2026 23:05"} for n in range(1, 20)
    ]
    made = guessing.guess(["a", "b", "c"], rows, {})
    assert made.options["mapping"] == {"c": "timestamp", "b": "amount"}
    assert made.options["decimal_mark"] == ","
    assert made.options["date_format"] == "%d.%m.%Y %H:%M"


@pytest.mark.parametrize(
    "values, mark",
    [
        (["$1,234.56", "$3.10"], "."),
        (["1.234,56 €", "3,10 €"], ","),
        (["12.50", "3"], None),
        (["(12.50)", "$1.00"], "."),
        (["R$ 1.234,50", "-€3,00"], ","),
        (["INR 1,200.00", "Rs. 3.10"], "."),
        (["K12", "K13"], None),
        (["twelve", "x"], None),
    ],
)
def test_money_is_guessed_from_how_it_is_written(values, mark):
    records = [{"sum": value} for value in values]
    made = guessing.guess(["sum"], records, {"mapping": {"sum": "amount"}})
    assert made.options.get("decimal_mark") == mark


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"Ort": "amount", "Betrag": "amount"}, "both give amount"),
        ({"Betrag": ""}, "No column of the file gives amount"),
        ({"Betrug": "label"}, "date they became known"),
        ({"label_delay_days": "soon"}, "Enter a number"),
        ({"Ort": "colour"}, "not one of the available choices"),
        (
            {"fraud": "ja", "legitimate": "ja", "Betrug": "label", "label_delay_days": "1"},
            "two things",
        ),
        ({"currency": "EURO"}, "at most 3"),
    ],
)
def test_what_makes_no_sense_is_said_and_nothing_starts(bank, dana, changes, words):
    upload = waiting(dana, bank)
    answer = settle(dana, upload, **{"Betrag": "amount", **changes})
    assert answer.status_code == 400
    assert words in answer.content.decode()
    upload.refresh_from_db()
    assert upload.state == "WAITING"


def test_the_mapping_file_shown_gives_the_same_again(bank, dana):
    upload = waiting(dana, bank)
    said = yaml.safe_load(shown(dana, upload).context["yaml"])
    said["mapping"] |= {"Betrag": "amount"}
    said["decimal_mark"] = ","
    address = reverse("upload-preview", args=[upload.pk])
    text = yaml.safe_dump(said)
    answer = client_of(dana).post(address, {"do": "yaml", "yaml": text})
    assert answer.context["form"].initial["decimal_mark"] == ","
    assert answer.context["tried"].accepted == 2


@pytest.mark.parametrize(
    "text", ["a: [", "- x", "a: &x 1\nb: *x", "!!python/object/apply:os.system [ls]", "x" * 200_000]
)
def test_a_mapping_file_that_is_none_is_refused_in_words(bank, dana, text):
    upload = waiting(dana, bank)
    address = reverse("upload-preview", args=[upload.pk])
    answer = client_of(dana).post(address, {"do": "yaml", "yaml": text})
    assert answer.status_code == 400


def test_somebody_elses_waiting_file_is_not_there(bank, ana, lena):
    upload = waiting(lena, bank)
    assert client_of(ana).get(reverse("upload-preview", args=[upload.pk])).status_code == 404
    assert settle(lena, upload, Betrag="amount").status_code == 302


def test_it_cannot_be_started_twice(bank, dana):
    upload = waiting(dana, bank, "transaction_id,user_id,amount\nt1,u1,5\n")
    settle(dana, upload)
    with pytest.raises(uploads.Refused, match="already"):
        uploads.start(by=dana, upload=upload, options={})


def test_a_stopped_file_goes_on_where_it_stopped(bank, dana, monkeypatch):
    lines = "".join(f"t{n},u1,{n}\n" for n in range(1, 40))
    send(dana, bank, "transaction_id,user_id,amount\n" + lines)
    monkeypatch.setattr("scoring.reading.BLOCK_ROWS", 10)
    [row] = claim()
    from scoring import ingest, reading

    for parsed in list(reading.blocks_of(row))[:2]:
        ingest.store_block(row, parsed)
    client = client_of(dana)
    client.post(f"/uploads/{row.pk}/cancel/")
    assert Transaction.objects.count() == 20
    assert "Go on where it stopped" in client.get(f"/uploads/{row.pk}/").content.decode()
    client.post(f"/uploads/{row.pk}/resume/")
    work()
    row.refresh_from_db()
    assert (row.state, row.read, row.accepted) == ("DONE", 39, 39)
    assert Transaction.objects.count() == 39
    taken = [pk for chunk in row.chunks.all() for pk in chunk.transaction_ids]
    assert len(taken) == len(set(taken)) == 39


def test_what_nobody_started_is_let_go_after_a_week(
    bank, dana, settings, django_capture_on_commit_callbacks
):
    upload = waiting(dana, bank)
    Upload.objects.update(created_at=timezone.now() - timedelta(days=8))
    with django_capture_on_commit_callbacks(execute=True):
        assert uploads.tidy() == 1
    upload.refresh_from_db()
    assert (upload.state, upload.path) == ("CANCELLED", "")
    assert not list(Path(settings.UPLOADS).iterdir())
    assert client_of(dana).post(f"/uploads/{upload.pk}/resume/").status_code == 302


@pytest.mark.django_db(transaction=True)
def test_the_page_of_a_finished_file_counts_and_exports_what_was_decided(bank, dana, mona):
    making.first_model()
    rows = [*making.ordinary_rows(30), f"=cmd,u1,90000,{making.START.isoformat()},gambling,Rio,d1"]
    upload = making.send(making.csv_of(rows), by=dana)
    making.work_through()
    page = client_of(dana).get(f"/uploads/{upload.pk}/")
    counted = page.context["results"]
    assert sum(rows for _, rows, _ in counted.levels) == 31
    assert sum(rows for _, rows, _ in counted.scores) == 31
    assert sum(rows for _, rows, _ in counted.hours) == 31
    assert ("HIGH_AMOUNT", 1) in counted.reasons
    csv = b"".join(client_of(dana).get(f"/uploads/{upload.pk}/scored.csv").streaming_content)
    lines = csv.decode().splitlines()
    assert len(lines) == 32
    assert not any(line.startswith("=") for line in lines)
    answer = client_of(dana).get(f"/uploads/{upload.pk}/scored.parquet")
    table = pq.read_table(io.BytesIO(b"".join(answer.streaming_content)))
    assert table.num_rows == 31
    assert client_of(dana).get(f"/uploads/{upload.pk}/scored.xlsx").status_code == 404
    assert AuditEvent.objects.filter(action="data.exported", actor="dana").count() == 2


@pytest.mark.django_db(transaction=True)
def test_an_id_too_short_to_show_its_ends_is_told_by_its_row(bank, dana, ana):
    making.first_model()
    upload = making.send(making.csv_of(making.ordinary_rows(2)), by=ana)
    making.work_through()
    assert ">row 1</a>" in client_of(dana).get(f"/uploads/{upload.pk}/").content.decode()
    shown = client_of(ana).get(f"/uploads/{upload.pk}/").content.decode()
    assert (">t1</a>" in shown, ">row 1</a>" in shown) == (True, False)


@pytest.mark.django_db(transaction=True)
def test_ids_made_from_rows_are_the_same_when_the_file_is_read_again(dana):
    source = Source.objects.create(name="noids")
    content = b"user_id,amount,t\nu1,5,0\nu2,6,3600\n"
    options = {
        "id_from": "row",
        "mapping": {"t": "timestamp"},
        "time_unit": "seconds",
        "time_origin": "2026-01-01",
        "constants": {"country": "DE"},
    }
    first = uploads.receive(
        by=dana, source=source, name="a.csv", file=io.BytesIO(content), options=options
    )
    work()
    rows = list(Transaction.objects.order_by("pk"))
    assert [row.external_id for row in rows] == [f"{first.sha256[:12]}-1", f"{first.sha256[:12]}-2"]
    assert [f"{row.event_time:%H:%M}" for row in rows] == ["00:00", "01:00"]
    assert {row.country for row in rows} == {"DE"}
