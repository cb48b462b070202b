"""The page of a source: made, changed, tried on a sample; its API does the same."""

from typing import Any

import pytest

from anomalyshield.accounts.models import User
from scoring.models import Source, Transaction
from scoring.personal import token_of
from scoring.sourcing import make_source, secret_of
from tests.conftest import client_of
from tests.rest.asking import get, patch, pointers, post
from tests.scoring import making

pytestmark = pytest.mark.django_db
KAFKA = {
    "name": "core", "kind": "kafka", "currency": "USD", "timezone": "UTC", "active": "on",
    "set-bootstrap_servers": "a.example:9092\nb.example:9092", "set-topic": "payments",
    "set-auto_offset_reset": "earliest", "set-preset": "plain", "set-tls": "on",
    "set-sasl_mechanism": "PLAIN", "set-username": "shield", "set-password": "hunter2",
    "schema": '{"required": ["channel"]}', "pii": "user_id\nemail", "mapping": "Cust = user_id",
    "late": "REJECT", "late_after": "2 d", "future": "CLAMP", "future_after": "90 s",
}  # fmt: skip


def test_a_source_is_made_with_everything_it_says(dana: User) -> None:
    client = client_of(dana)
    assert b"set-bootstrap_servers" in client.get("/sources/new/?kind=kafka").content
    said = client.post("/sources/new/", KAFKA, follow=True).content.decode()
    made = Source.objects.get()
    assert made.connection["bootstrap_servers"] == ["a.example:9092", "b.example:9092"]
    assert (made.pii, made.schema) == (["user_id", "email"], {"required": ["channel"]})
    assert (made.late, made.late_after, made.future, made.future_after) == (
        "REJECT", 172_800, "CLAMP", 90,
    )  # fmt: skip
    assert secret_of(made, "password") == "hunter2"
    assert "hunter2" not in said
    assert "2 d" in said


def test_a_secret_left_empty_stays_and_is_shown_nowhere(dana: User) -> None:
    client = client_of(dana)
    client.post("/sources/new/", KAFKA)
    made = Source.objects.get()
    again = {**KAFKA, "set-password": "", "title": "Core"}
    shown = client.post(f"/sources/{made.pk}/", again, follow=True).content.decode()
    made.refresh_from_db()
    assert (made.title, made.version) == ("Core", 2)
    assert secret_of(made, "password") == "hunter2"
    told = get(dana, f"sources/{made.pk}")
    assert told["secrets"] == ["password"]
    for text in (shown, str(told), str(get(dana, f"sources/{made.pk}/versions"))):
        assert "hunter2" not in text
        assert made.sealed["password"] not in text


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("set-bootstrap_servers", "nowhere", "is not host:port"),
        ("set-sasl_mechanism", "NONE", "not one of the available choices"),
        ("schema", "{", "This is not JSON (line 1)"),
        ("schema", '{"properties": {"a": {"pattern": "(a+)+"}}}', "repeat inside a repeat"),
        ("late_after", "soon", "Write a length such as"),
        ("future_after", "9 d", "between 0 and 604,800"),
        ("pii", "x" * 300, "at most 200 characters"),
        ("about", "nobody", "There is no source named nobody."),
    ],
)
def test_what_makes_no_sense_is_refused_at_its_field(
    field: str, value: str, words: str, dana: User
) -> None:
    answer = client_of(dana).post("/sources/new/", {**KAFKA, field: value})
    assert answer.status_code == 400
    assert words in answer.content.decode()
    assert not Source.objects.exists()


def test_a_change_that_makes_no_sense_is_refused_at_its_field(dana: User) -> None:
    made = make_source(by=dana, name="kept", kind="rest")
    form = {"kind": "rest", "timezone": "UTC", "currency": "USD", "about": "nobody"}
    answer = client_of(dana).post(f"/sources/{made.pk}/", form)
    assert (answer.status_code, list(answer.context["form"].errors)) == (400, ["about"])
    assert Source.objects.get().version == 1


def test_a_sample_is_read_field_by_field_and_nothing_is_stored(dana: User) -> None:
    sample = '{"transaction_id":"t1","Cust":"u1","amount":"12.50","channel":"pos","x":1}\n[]'
    form = {**KAFKA, "sample": sample, "do": "try"}
    shown = client_of(dana).post("/sources/new/", form)
    assert shown.status_code == 200
    tried = shown.context["tried"]
    assert (tried.read, tried.accepted) == (2, 1)
    cells = {cell.theirs: cell for cell in tried.rows[0][1]}
    assert (cells["Cust"].ours, cells["Cust"].value) == ("user_id", token_of("u1"))  # personal
    assert (cells["amount"].value, cells["x"].ours) == ("12.5", "")
    assert "kept as further data" in shown.content.decode()
    assert not Source.objects.exists()
    assert not Transaction.objects.exists()


@pytest.mark.parametrize("sample", ["[]", "", "   ", "{", "a,b\n", '[{"a": NaN}]', '{"a":1}\n{"b"'])
def test_a_sample_that_is_none_is_told_in_words(sample: str, dana: User) -> None:
    form = {**KAFKA, "sample": sample, "do": "try"}
    answer = client_of(dana).post("/sources/new/", form)
    assert answer.status_code == 400
    assert answer.context["refusal"].field == "sample"


def test_a_sample_is_read_as_its_doors_would_read_it(dana: User, till: Source) -> None:
    def told(sample: str, **source: Any) -> Any:
        return post(dana, "sources/try", {"source": {"kind": "rest", **source}, "sample": sample})

    semicolons = told("transaction_id;user_id;amount\nt1;u1;5\n")
    assert (semicolons["accepted"], len(semicolons["records"][0]["cells"])) == (1, 3)
    notice = '{"dispute_id": "d1", "payment_id": "p1", "is_fraud": 1, "more": 2}'
    (record,) = told(notice, about=["till"])["records"]
    assert [(one["ours"], one["value"]) for one in record["cells"]] == [
        ("notice_id", "d1"), ("transaction_id", "p1"), ("label", "TRUE_FRAUD"), ("", "2"),
    ]  # fmt: skip


def test_a_page_of_a_source_shows_who_changed_what(dana: User, adam: User) -> None:
    made = make_source(by=dana, name="till", kind="rest")
    patch(adam, f"sources/{made.pk}", {"timezone": "Asia/Kolkata"})
    shown = client_of(dana).get(f"/sources/{made.pk}/").content.decode()
    assert "adam" in shown
    assert "Asia/Kolkata" in shown
    versions = get(dana, f"sources/{made.pk}/versions")["results"]
    assert [(v["number"], v["by"], v["changed"]) for v in versions] == [
        (2, "adam", ["timezone"]), (1, "dana", []),
    ]  # fmt: skip


def test_the_document_page_makes_a_source_or_says_why_not(dana: User) -> None:
    client = client_of(dana)
    assert b"source_type" in client.get("/sources/document/").content
    refused = client.post("/sources/document/", {"yaml": "name: a"})
    assert (refused.status_code, refused.context["refusal"].field) == (400, "source_type")
    client.post("/sources/document/", {"yaml": "name: a\nsource_type: rest"})
    made = Source.objects.get()
    answer = client.get(f"/sources/{made.pk}/document.yaml")
    assert answer["Content-Disposition"] == 'attachment; filename="a.yaml"'
    assert b"source_type: rest" in answer.content


def tried(who: User, sample: str, status: int = 200, **source: Any) -> Any:
    return post(who, "sources/try", {"sample": sample, "source": source}, status)


def test_programs_try_samples_too(dana: User) -> None:
    told = tried(
        dana, "transaction_id,user_id,amount\n1,u,5\n2,u,x\n", schema={"required": ["mcc"]}
    )
    assert (told["read"], told["accepted"], told["rejected"]) == (2, 0, 2)
    reasons = {(one["field"], one["reason"]): one["records"] for one in told["reasons"]}
    assert reasons[("mcc", "is required")] == 2
    assert {"theirs", "ours", "value", "reason"} == told["records"][0]["cells"][0].keys()
    assert pointers(tried(dana, "", 400)) == ["/sample"]
    assert pointers(tried(dana, "{}", 400, schema={"type": 7})) == ["/source/schema"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"connection": {"topic": "t"}}, "/connection/topic"),
        ({"kind": "kafka", "connection": {"password": "x"}}, "/connection/password"),
        ({"kind": "kafka", "secrets": {"colour": "x"}}, "/secrets/colour"),
        ({"schema": {"type": "list"}}, "/schema"),
        ({"late_after": 0}, "/late_after"),
        ({"future_after": 10**6}, "/future_after"),
        ({"late": "never"}, "/late"),
    ],
)
def test_programs_are_refused_by_field(change: dict[str, Any], pointer: str, dana: User) -> None:
    assert pointers(post(dana, "sources", {"name": "a", **change}, 400)) == [pointer]


def test_a_source_of_another_kind_forgets_how_the_former_was_reached(dana: User) -> None:
    made = post(
        dana, "sources",
        {"name": "a", "kind": "mqtt", "connection": {"host": "h"}, "secrets": {"password": "x"}},
        201,
    )  # fmt: skip
    assert made["secrets"] == ["password"]
    changed = patch(dana, f"sources/{made['id']}", {"kind": "rest"})
    assert (changed["connection"], changed["secrets"]) == ({}, [])


def test_a_source_of_files_was_heard_of_when_its_file_came(dana: User, settings, tmp_path) -> None:
    settings.UPLOADS = tmp_path
    sent = making.send(b"transaction_id,user_id,amount,timestamp\nt1,u1,5,2026-07-01T10:00Z\n")
    shown = client_of(dana).get(f"/sources/{sent.source_id}/").content.decode()
    assert "Last heard of" in shown
    assert "nothing came yet" not in shown
