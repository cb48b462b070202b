"""Texts that mean “none”: read as empty cells when somebody says so, proposed with their share."""

import io
import math
from datetime import UTC, datetime

import pytest
from django.urls import reverse

from scoring import columns, guessing, uploads
from scoring.engine.translation import Translation
from scoring.mapping_form import MappingForm, as_yaml, from_yaml
from scoring.models import Source, Transaction, Upload
from scoring.placeholders import placeholders
from tests.conftest import client_of
from tests.ingest.test_pages import bring, settle
from tests.ingest.test_storing import work

HEAD = "transaction_id,user_id,amount,device_id,country\n"
FILE = HEAD + "".join(f"t{n},u{n},5,{'0' if n % 2 else f'd{n}'},DE\n" for n in range(60))


def read(options, content=b"transaction_id,user_id,amount,device_id\nt1,u1,5, NONE \nt2,u2,6,00\n"):
    source, _ = Source.objects.get_or_create(name="bank")
    file = io.BytesIO(content)
    uploads.receive(by=None, source=source, name="a.csv", file=file, options=options)
    work()
    return Upload.objects.first(), {row.external_id: row for row in Transaction.objects.all()}


@pytest.mark.django_db
def test_a_cell_that_means_none_is_stored_as_none():
    upload, rows = read({"empty_values": {"device_id": ["none", "0"]}})
    assert (rows["t1"].device_id, rows["t1"].device_key) == ("", 0)
    assert rows["t2"].device_id == "00"  # not one of the texts
    assert upload.options["empty_values"] == {"device_id": ["none", "0"]}


@pytest.mark.parametrize(
    "value, emptied",
    [
        *(("0", True), (0, True), (0.0, True), (" 0\t", True), ("NoNe", True), ("00", False)),
        *((0.5, False), (None, False), ("", False), (math.nan, False), (math.inf, False)),
    ],
)
def test_the_whole_cell_is_compared_without_blanks_and_case(value, emptied):
    said, reasons = Translation(empty={"d": frozenset({"0", "none"})}).of({"d": value}, 1)
    assert reasons == {}
    assert (said["d"] is None) == (emptied or value is None)


def test_what_follows_takes_the_cell_for_an_empty_one():
    translation = Translation(
        empty={"country": frozenset({"??"}), "b": frozenset({"0"}), "sum": frozenset({"-"})},
        constants={"country": "DE"},
        id_columns=("a", "b"),
        amount_column="sum",
        decimal_mark=",",
    )
    said, reasons = translation.of({"country": "??", "a": 1, "b": 0, "sum": "-"}, 1)
    assert (said["country"], said["transaction_id"], said["sum"], reasons) == ("DE", "", None, {})
    whole, _ = translation.of({"country": "FR", "a": 1, "b": 7, "sum": "1,50"}, 1)
    assert (whole["country"], whole["transaction_id"], whole["sum"]) == ("FR", "1-7", "1.50")


@pytest.mark.django_db
def test_a_row_that_loses_what_it_needs_is_rejected_by_name():
    upload, rows = read({"empty_values": {"user_id": ["u1"], "amount": "6"}})
    assert rows == {}
    refused = upload.rejects.order_by("position")
    assert [list(row.reasons) for row in refused] == [["user_id"], ["amount"]]
    assert refused[0].record["user_id"] == "u1"  # shown as it stood, for the person who mends it


@pytest.mark.parametrize(
    "given, words",
    [
        (["0"], "Name for each column"),
        ("0", "Name for each column"),
        ({"device_id": {"0": "x"}}, "Give each value as text"),
        ({"device_id": [None]}, "Give each value as text"),
        ({"device_id": [["0"]]}, "Give each value as text"),
        ({"device_id": [str(n) for n in range(51)]}, "51 values are given; at most 50 fit"),
        ({"device_id": ["x" * 201]}, "at most 200 characters"),
        ({"device": ["0"]}, "The file has no column “device”"),
        ({"fraud": ["0"]}, "say what its values mean in label_values"),
        ({"told": ["0"]}, "say what its values mean in label_values"),
    ],
)
def test_what_makes_no_sense_is_refused_with_the_option_and_why(given, words):
    labels = {"label_column": "fraud", "label_known_column": "told"}
    there = ["transaction_id", "user_id", "amount", "device_id", "fraud", "told"]
    with pytest.raises(columns.Refused, match=words) as refused:
        columns.map_columns(there, {}, columns.checked_options({**labels, "empty_values": given}))
    assert refused.value.field == "empty_values"


def test_it_goes_through_a_mapping_file_and_the_form_and_back():
    options = {"empty_values": {"device_id": ["0", "no, none", 'so "called"'], "city": ["-"]}}
    assert from_yaml(as_yaml(options)) == options
    form = MappingForm(["city", "device_id"], options)
    assert form.initial["empty-1"] == '0, "no, none", "so ""called"""'
    again = MappingForm(["city", "device_id"], {}, form.initial)
    assert again.is_valid()
    assert again.options()["empty_values"] == options["empty_values"]
    assert columns.checked_options({"empty_values": {"a": [], "b": ["", " "]}}) == {}


def proposed(field, values):
    records = [{field: value} for value in values]
    found = placeholders([field], records, {"mapping": {field: field}})
    return [(one.value, one.evidence) for one in found]


def test_a_text_that_says_nothing_is_proposed_with_its_share():
    half = [0 if n % 2 else n + 10 for n in range(100)]
    assert proposed("device_id", half) == [("0", "“0” stands in 50% of the first 100 rows")]
    assert proposed("card_id", [f"c{n}" if n > 5 else "Unknown" for n in range(100)]) == [
        ("unknown", "“unknown” stands in 6% of the first 100 rows")
    ]
    zeros = "00000000-0000-0000-0000-000000000000"
    assert proposed("device_id", [zeros, zeros, *(f"d{n}" for n in range(90))])[0][0] == zeros
    assert proposed("device_id", ["till", *(f"d{n}" for n in range(60))] + ["till"] * 40)


@pytest.mark.parametrize(
    "field, values",
    [
        ("device_id", [f"d{n}" for n in range(100)]),  # nothing in common
        ("device_id", [f"d{n % 3}" for n in range(100)]),  # one household's
        ("device_id", ["0"] + [f"d{n}" for n in range(99)]),  # one row of a hundred
        ("device_id", ["0", "d1"]),  # too few to say anything of
        ("merchant_name", ["Aldi"] * 60 + [f"m{n}" for n in range(40)]),  # a large shop
        ("country", ["NA"] * 60 + ["ZA"] * 40),  # Namibia
        ("amount", ["0"] * 60 + ["5"] * 40),  # a number is a number
        ("device_id", [""] * 60 + [f"d{n}" for n in range(40)]),  # empty is empty already
    ],
)
def test_what_may_well_be_meant_is_not_proposed(field, values):
    assert proposed(field, values) == []


def test_nothing_is_emptied_that_nobody_asked_for():
    records = [{"device_id": "0"} for _ in range(50)]
    made = guessing.guess(["device_id"], records, {})
    assert [one.column for one in made.proposed] == ["device_id"]
    assert "empty_values" not in made.options
    kept = guessing.guess(["device_id"], records, {"empty_values": {"device_id": ["0"], "x": "1"}})
    assert (kept.options["empty_values"], kept.proposed) == ({"device_id": ["0"]}, [])


@pytest.mark.django_db
def test_the_preview_proposes_it_and_a_tick_takes_it_for_this_file_and_the_next(bank, dana):
    bring(dana, bank, FILE)
    upload = Upload.objects.get()
    page = client_of(dana).get(reverse("upload-preview", args=[upload.pk]))
    assert "“0” stands in 50% of the first 60 rows" in page.content.decode()
    assert page.context["tried"].emptied == []
    answer = settle(dana, upload, do="check", **{"none-3": "on"})
    assert answer.context["tried"].emptied == [("device_id", 30)]
    assert "30 cells of" in answer.content.decode()
    settle(dana, upload, **{"none-3": "on"})
    work()
    assert Transaction.objects.filter(device_id="").count() == 30
    bring(dana, bank, FILE.replace("t", "s").replace("sransacsion", "transaction"))
    later = client_of(dana).get(reverse("upload-preview", args=[Upload.objects.first().pk]))
    assert later.context["form"].initial["empty-3"] == "0"
    assert "stands in" not in later.content.decode()


@pytest.mark.django_db
def test_without_the_tick_the_file_is_taken_as_it_is(bank, dana):
    bring(dana, bank, FILE)
    settle(dana, Upload.objects.get())
    work()
    assert Transaction.objects.filter(device_id="0").count() == 30


@pytest.mark.django_db
@pytest.mark.parametrize(
    "text",
    [
        *("empty_values: x", "empty_values: {nowhere: '0'}", "empty_values: {device_id: [{a: b}]}"),
        *("mapping: x", "label_values: x", "time_columns: x", "constants: x"),
    ],
)
def test_a_mapping_file_with_nonsense_in_it_is_an_answer_and_no_error(bank, dana, text):
    bring(dana, bank, FILE)
    address = reverse("upload-preview", args=[Upload.objects.get().pk])
    answer = client_of(dana).post(address, {"do": "yaml", "yaml": text})
    assert answer.status_code == 400
    assert text in answer.content.decode().replace("&#x27;", "'")


@pytest.mark.django_db
def test_a_mended_file_of_ours_is_emptied_as_the_first_one_was():
    content = (
        b"rejected_row,rejected_because,transaction_id,user_id,amount,device_id\n1,x,t1,u1,5,'-\n"
    )
    _, rows = read({"empty_values": {"device_id": ["-"]}}, content)
    assert rows["t1"].device_id == ""
    assert rows["t1"].event_time <= datetime.now(UTC)
