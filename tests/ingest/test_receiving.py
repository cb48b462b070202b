"""Receiving a file: what is taken, what is refused in words, and what is left on disk."""

import io
from pathlib import Path

import pytest
from django.conf import settings

from anomalyshield.audit.models import AuditEvent
from scoring import columns, uploads
from scoring.models import Source, Upload

pytestmark = pytest.mark.django_db
GOOD = b"transaction_id,user_id,amount\nt1,u1,10.00\n"


def receive(source, content=GOOD, name="day.csv", by="command", **options):
    return uploads.receive(
        by=by, source=source, name=name, file=io.BytesIO(content), options=options
    )


def on_disk() -> list[Path]:
    folder = Path(settings.UPLOADS)
    return sorted(folder.iterdir()) if folder.exists() else []


def test_a_file_is_kept_under_a_name_of_ours_and_left_for_a_worker(bank, dana):
    upload = receive(bank, by=dana)
    assert [path.name for path in on_disk()] == [upload.path]
    assert on_disk()[0].read_bytes() == GOOD
    assert (upload.state, upload.kind, upload.bytes) == ("READY", "csv", len(GOOD))
    assert upload.created_by == dana
    event = AuditEvent.objects.get(action="upload.received")
    assert (event.actor, event.after["sha256"]) == ("dana", upload.sha256)


def test_it_says_how_the_file_will_be_read(bank):
    upload = receive(bank, "transaction_id;user_id;amount\nä;ü;1\n".encode("cp1252"))
    assert upload.options["read_as"] == "Windows-1252, separated by semicolons"


@pytest.mark.parametrize("state", ["READY", "RUNNING", "DONE"])
def test_the_same_bytes_again_give_the_earlier_upload(bank, state):
    first = receive(bank)
    Upload.objects.update(state=state)
    again = receive(bank, name="other name.csv")
    assert again.pk == first.pk
    assert again.already_received
    assert len(on_disk()) == 1
    assert AuditEvent.objects.filter(action="upload.received").count() == 1


@pytest.mark.parametrize("state", ["CANCELLED", "QUARANTINED"])
def test_a_file_that_was_stopped_may_be_sent_again(bank, state):
    first = receive(bank)
    Upload.objects.update(state=state)
    assert receive(bank).pk != first.pk


def test_the_same_bytes_for_another_source_are_another_file(bank):
    first = receive(bank)
    assert receive(Source.objects.create(name="other")).pk != first.pk


@pytest.mark.parametrize(
    "name, label",
    [
        ("../../settings.csv", "settings.csv"),
        ("/etc/passwd.csv", "passwd.csv"),
        ("C:\\Temp\\CON.csv", "CON.csv"),
        ("nul\x00l.csv", "nul\\x00l.csv"),
        ("\u202eexe.csv", "\\u202eexe.csv"),
        ("x" * 5000 + ".csv", "x" * 251 + ".csv"),
    ],
)
def test_a_hostile_name_is_a_label_and_never_a_path(bank, name, label):
    upload = receive(bank, name=name)
    assert upload.name == label
    assert [path.parent for path in on_disk()] == [Path(settings.UPLOADS)]
    assert len(upload.path) == 32


@pytest.mark.parametrize(
    "content, name, field, sentence",
    [
        (GOOD, "day.docx", "file", "must end in one of .csv, .tsv, .txt, .gz, .bz2"),
        (GOOD, "", "file", "must end in one of"),
        (b"", "day.csv", "file", "empty"),
        (b"\x7fELF" + b"\x00" * 99, "day.csv", "file", "a program"),
        (b"PK\x03\x04xl/", "day.csv", "file", "zip archive is damaged"),
        (GOOD, "day.parquet", "file", "not Parquet"),
        (b"transaction_id,user_id,amount\n", "day.csv", "file", "no rows"),
        (b"1,2,3\n4,5,6\n", "day.csv", "mapping", "gives transaction_id"),
        (b"transaction_id,user_id\nt,u\n", "day.csv", "mapping", "gives amount"),
    ],
)
def test_what_cannot_be_read_is_refused_and_leaves_nothing(bank, content, name, field, sentence):
    with pytest.raises(uploads.Refused, match=sentence) as refusal:
        receive(bank, content, name)
    assert refusal.value.field == field
    assert on_disk() == []
    assert not Upload.objects.exists()


def test_a_file_beyond_the_limit_is_refused_and_leaves_nothing(bank, monkeypatch):
    monkeypatch.setattr(uploads, "MOST_BYTES", len(GOOD) - 1)
    with pytest.raises(uploads.Refused, match="larger than"):
        receive(bank)
    assert on_disk() == []


def test_a_source_that_is_switched_off_takes_no_files(bank):
    bank.active = False
    with pytest.raises(uploads.Refused, match="switched off"):
        receive(bank)


def test_a_full_disk_is_a_clean_refusal(bank):
    class Endless(io.RawIOBase):
        def read(self, size=-1):
            raise OSError(28, "No space left on device")

    with pytest.raises(uploads.Unkept, match="No space left on device"):
        uploads.receive(by="command", source=bank, name="a.csv", file=Endless(), options={})
    assert on_disk() == []


# --- options --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "options, field, sentence",
    [
        ({"colour": "red"}, "colour", "no such option"),
        ({"mapping": ["a"]}, "mapping", "names for each of their columns"),
        ({"mapping": {"x": "amout"}}, "mapping", "not one of our fields"),
        ({"mapping": {"x": 5}}, "mapping", "not one of our fields"),
        ({"mapping": {"x": "amount", "y": "amount"}}, "mapping", "both give amount"),
        ({"label_column": "fraud"}, "label_column", "date they became known"),
        ({"label_column": ["fraud"]}, "label_column", "name of a column"),
        ({"label_known_column": "seen"}, "label_column", "column of the labels too"),
        ({"label_delay_days": 3}, "label_column", "column of the labels too"),
        (
            {"label_column": "a", "label_known_column": "b", "label_delay_days": 3},
            "label_delay_days",
            "not both",
        ),
        ({"label_column": "a", "label_known_column": "a"}, "label_known_column", "two columns"),
        *(
            ({"label_column": "a", "label_delay_days": bad}, "label_delay_days", "0 and 3650")
            for bad in (-1, 3651, "soon", "nan", "1e400", True)
        ),
    ],
)
def test_an_option_that_makes_no_sense_is_refused_by_its_field(options, field, sentence):
    with pytest.raises(columns.Refused, match=sentence) as refusal:
        columns.checked_options(options)
    assert refusal.value.field == field


def test_a_delay_of_no_days_is_a_delay():
    kept = columns.checked_options({"label_column": "a", "label_delay_days": 0})
    assert kept["label_delay_days"] == 0


@pytest.mark.parametrize(
    "header, of_source, options, mapping",
    [
        (["transaction_id", "user_id", "amount"], {}, {}, {}),
        (["transaction_id", "entity_id", "amount"], {}, {}, {}),  # the parser knows this one
        (
            ["Transaction ID", "User-Id", "AMOUNT", "City"],
            {},
            {},
            {
                "Transaction ID": "transaction_id",
                "User-Id": "user_id",
                "AMOUNT": "amount",
                "City": "location",
            },
        ),
        (
            ["id", "cust", "amount"],
            {"id": "transaction_id", "gone": "mcc"},
            {"mapping": {"cust": "user_id"}},
            {"id": "transaction_id", "cust": "user_id"},
        ),
        (  # what is asked for wins over the look of a name
            ["transaction_id", "user_id", "Amount", "net"],
            {},
            {"mapping": {"net": "amount"}},
            {"net": "amount"},
        ),
    ],
)
def test_columns_find_their_fields(header, of_source, options, mapping):
    assert columns.map_columns(header, of_source, options) == mapping


@pytest.mark.parametrize(
    "options, field",
    [
        ({"mapping": {"nowhere": "mcc"}}, "mapping"),
        ({"label_column": "nowhere"}, "label_column"),
        ({"label_column": "amount"}, "mapping"),  # then nothing gives the amount
    ],
)
def test_a_column_that_is_not_there_is_named(options, field):
    with pytest.raises(columns.Refused) as refusal:
        columns.map_columns(["transaction_id", "user_id", "amount"], {}, options)
    assert refusal.value.field == field
    assert "user_id" in str(refusal.value)
