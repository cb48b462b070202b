"""The commands `ingest_file` and `load`: the same door as the page and the API."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from scoring.models import Decision, Source, Upload

pytestmark = pytest.mark.django_db(transaction=True)
GOOD = "No,user_id,amount\nt1,u1,10.00\nt2,u1,bad\n"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "day.csv"
    path.write_text(GOOD)
    return path


def run(name, *arguments):
    out = StringIO()
    call_command(name, *map(str, arguments), stdout=out, stderr=out)
    return out.getvalue()


def test_ingest_file_leaves_it_for_the_workers(file):
    said = run("ingest_file", file, "--source", "bank", "--map", "No=transaction_id")
    upload = Upload.objects.get()
    assert said == f"File {upload.pk}: day.csv for bank\n"
    assert (upload.state, upload.source.kind, upload.created_by) == ("READY", "csv", None)
    assert "received before" in run(
        "ingest_file", file, "--source", "bank", "--map", "No=transaction_id"
    )
    assert file.read_text() == GOOD


def test_load_follows_it_to_the_end(file):
    said = run("load", file, "--source", "bank", "--map", "No=transaction_id", "--inline")
    assert "2 rows: 1 new, 0 known already, 1 rejected; 1 scored" in said
    assert Upload.objects.get().stage == "FINISHED"
    assert Decision.objects.count() == 1


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["--source", "two words"], "letters, digits"),
        (["--source", "bank"], "No column of the file gives transaction_id"),
        (["--source", "bank", "--map", "No"], "is not THEIRS=OURS"),
        (["--source", "bank", "--map", "No=colour"], "not one of our fields"),
        (["--source", "bank", "--label-column", "amount"], "date they became known"),
        (["--source", "bank", "--label-delay-days", "3"], "column of the labels too"),
    ],
)
def test_a_wrong_argument_is_said_in_words(file, arguments, words):
    with pytest.raises(CommandError, match=words):
        run("load", file, *arguments)
    assert not Upload.objects.exists()


def test_a_file_that_is_not_there_is_said_in_words(tmp_path):
    with pytest.raises(CommandError, match="cannot be read: No such file"):
        run("ingest_file", tmp_path / "none.csv", "--source", "bank")
    with pytest.raises(CommandError, match="cannot be read"):
        run("ingest_file", tmp_path, "--source", "bank")
    assert not Source.objects.exists()


def test_load_fails_when_the_file_does(file, monkeypatch):
    monkeypatch.setattr("scoring.ingest.finish", lambda *_: 1 / 0)
    monkeypatch.setattr("scoring.ingest.failed", lambda upload, error: _give_up(upload, error))
    with pytest.raises(CommandError, match="division by zero"):
        run("load", file, "--source", "bank", "--map", "No=transaction_id", "--inline")


def _give_up(upload, error):
    from scoring import ingest

    ingest.give_up(upload, str(error))


def test_a_mapping_file_says_what_a_foreign_file_means(tmp_path):
    path, mapping = tmp_path / "foreign.csv", tmp_path / "foreign.yaml"
    path.write_text("who;sum;on\nu1;1.234,50;31.10.2026\n", encoding="utf-8")
    mapping.write_text(
        "mapping: {who: user_id, sum: amount, on: timestamp}\n"
        "decimal_mark: ','\ndate_format: '%d.%m.%Y'\nid_from: row\nconstants: {country: DE}\n",
        encoding="utf-8",
    )
    run("load", path, "--source", "bank", "--mapping", mapping, "--inline")
    decision = Decision.objects.select_related("transaction").get()
    assert str(decision.transaction.amount) == "1234.5000"
    assert decision.transaction.country == "DE"


@pytest.mark.parametrize(
    "text, words",
    [
        ("- a", "names options"),
        ("colour: red", "no such option"),
        ("decimal_mark: x", "point or a comma"),
        ("date_format: '%H'", "does not say day"),
        ("time_unit: weeks", "is one of"),
        ("time_unit: days", "unit and the moment"),
        ("id_from: hash", "write row"),
        ("id_columns: [nowhere]", "no column"),
        ("constants: {amount: 3}", "cannot be constant|can be constant"),
        ("label_values: {maybe: [x]}", "mean fraud"),
    ],
)
def test_a_wrong_mapping_file_is_said_in_words(file, tmp_path, text, words):
    mapping = tmp_path / "wrong.yaml"
    mapping.write_text(text)
    with pytest.raises(CommandError, match=words):
        run("load", file, "--source", "bank", "--mapping", mapping)
    assert not Upload.objects.exists()
