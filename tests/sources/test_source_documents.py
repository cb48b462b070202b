"""A source as a YAML document: as other systems write it, and back again."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from anomalyshield.accounts.models import User
from scoring.accepting import Sent, accept
from scoring.columns import Refused
from scoring.keeping import set_keepers
from scoring.models import Source
from scoring.source_documents import read, write
from scoring.sourcing import load_document, make_source, secret_of
from tests.rest.asking import get, pointers, post

pytestmark = pytest.mark.django_db
SEED = """\
# Data source configuration
name: "credit_card_transactions"
source_type: "kafka"
config:
  topic: "transactions"
  bootstrap_servers: ["localhost:9092"]
schema:
  type: "object"
  properties:
    user_id: {type: "string"}
    amount: {type: "number"}
    timestamp: {type: "string"}
  required: ["user_id", "amount"]
pii_fields: ["user_id"]
"""


def test_the_document_of_the_first_specification_loads_as_it_is(dana: User) -> None:
    made, new = load_document(by=dana, text=SEED)
    assert new
    assert (made.name, made.kind, made.pii) == ("credit_card_transactions", "kafka", ["user_id"])
    assert made.connection == {"topic": "transactions", "bootstrap_servers": ["localhost:9092"]}
    done = accept(source=made, sent=[Sent({"transaction_id": "1", "amount": 5})], door="kafka")
    assert done.rejected == {0: {"user_id": "is required"}}


def test_the_same_again_is_no_version_and_a_change_is_one(dana: User) -> None:
    load_document(by=dana, text=SEED)
    assert load_document(by=dana, text=SEED)[0].version == 1
    changed, new = load_document(by=dana, text=SEED.replace('"transactions"', '"payments"'))
    assert (changed.version, changed.connection["topic"], new) == (2, "payments", False)
    assert changed.versions.first().changed == ["connection"]


def test_a_written_document_makes_the_same_source(dana: User) -> None:
    made, _ = load_document(by=dana, text=SEED)
    again, new = load_document(by=dana, text=write(made))
    assert (again.version, new) == (1, False)


def test_secrets_in_a_document_are_sealed_and_never_written_out(dana: User) -> None:
    text = "name: m\nsource_type: mqtt\nconfig: {host: broker, password: hunter2}\n"
    made, _ = load_document(by=dana, text=text)
    assert made.connection == {"host": "broker"}
    assert secret_of(made, "password") == "hunter2"
    assert "hunter2" not in write(made)


def test_a_name_with_spaces_becomes_the_title(dana: User) -> None:
    made, _ = load_document(by=dana, text="name: Card Payments EU\nsource_type: REST\n")
    assert (made.name, made.title, made.kind) == ("card-payments-eu", "Card Payments EU", "rest")


@pytest.mark.parametrize(
    ("text", "field", "why"),
    [
        ("", "document", "names name"),
        ("- a", "document", "names name"),
        ("name: [", "document", r"not YAML \(line"),
        ("a: &x 1\nb: *x", "document", "aliases"),
        ("x" * 200_000, "document", "100,000"),
        ("name: a", "source_type", "required"),
        ("source_type: csv", "name", "required"),
        ("name: 7\nsource_type: csv", "name", "required"),
        ("name: a\nsource_type: csv\nname: b", "document", r"“name” is said twice \(line 3\)"),
        ("name: a\nsource_type: csv\nmapping: {x: amount, x: mcc}", "document", "“x” is said"),
        (f"name: a\nsource_type: csv\ntitle: {'t' * 121}", "title", "at most 120"),
        ('name: a\nsource_type: csv\ntitle: "a\\0b"', "title", "one line"),
        (
            "name: a\nsource_type: webhook\nconfig: {signing_secret: short}",
            "config/signing_secret",
            "guessed",
        ),
        (
            "name: a\nsource_type: webhook\nconfig: {signing_secret: whsec_!}",
            "config/signing_secret",
            "base64",
        ),
        ("name: '!!'\nsource_type: csv", "name", "letters"),
        ("name: a\nsource_type: fax", "source_type", "one of"),
        ("name: a\nsource_type: csv\ncolour: red", "colour", "no “colour”"),
        ("name: a\nsource_type: csv\nactive: maybe", "active", "true or false"),
        ("name: a\nsource_type: csv\ncurrency: 12", "currency", "is a text"),
        ("name: a\nsource_type: csv\npii_fields: user_id", "pii_fields", "list"),
        ("name: a\nsource_type: csv\nlate_after: soon", "late_after", "seconds"),
        ("name: a\nsource_type: csv\nschema: []\n", "schema", "is an object"),
        ("name: a\nsource_type: csv\nconfig: {topic: t}", "config/topic", "no such setting"),
        ("name: a\nsource_type: kafka\nconfig: 7", "config", "object"),
        (
            "name: a\nsource_type: kafka\nconfig: {bootstrap_servers: [nowhere]}",
            "config/bootstrap_servers",
            "host:port",
        ),
        ("name: a\nsource_type: mqtt\nconfig: {port: 70000}", "config/port", "65535"),
        ("name: a\nsource_type: mqtt\nconfig: {password: 7}", "config/password", "is a text"),
        ("!!python/object:os.system {}", "document", "not YAML"),
    ],
)
def test_a_document_that_makes_no_sense_is_refused_by_field(
    text: str, field: str, why: str, dana: User
) -> None:
    with pytest.raises(Refused, match=why) as refused:
        load_document(by=dana, text=text)
    assert refused.value.field == field
    assert not Source.objects.exists()


def test_a_source_of_others_is_not_changed_by_its_name(dana: User, adam: User) -> None:
    kept = make_source(by=adam, name="closed", kind="rest")
    set_keepers(by=adam, source=kept, people=[], whole_team=False)
    with pytest.raises(Refused, match="taken"):
        load_document(by=dana, text="name: closed\nsource_type: rest\ntitle: Mine\n")


def test_by_the_api_and_by_the_command(dana: User, tmp_path: Path) -> None:
    told = post(dana, "sources/document", {"yaml": SEED})
    assert (told["name"], told["version"], told["secrets"]) == ("credit_card_transactions", 1, [])
    shown = get(dana, f"sources/{told['id']}/document")["yaml"]
    assert read(shown)[0]["connection"]["topic"] == "transactions"
    assert pointers(post(dana, "sources/document", {"yaml": "name: a"}, 400)) == ["/yaml"]
    file, sample = tmp_path / "s.yaml", tmp_path / "s.ndjson"
    file.write_text(SEED.replace("localhost", "broker"))
    sample.write_text('{"transaction_id": "1", "amount": 5}\n')
    said = StringIO()
    call_command("source", file, sample=sample, stdout=said)
    assert "user_id is required: 1" in said.getvalue()
    assert Source.objects.get().version == 1
    call_command("source", file, stdout=said)
    assert "version 2" in said.getvalue()
    file.write_text("name: a")
    with pytest.raises(CommandError, match="source_type"):
        call_command("source", file)
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("source", tmp_path / "none.yaml")
