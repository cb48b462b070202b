"""Files for programs: sent and held, looked at, tried, started, stopped, resumed, read back."""

import io
from typing import Any

import pyarrow.parquet as pq
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from anomalyshield.accounts import keys
from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from scoring.keeping import kept_by_team
from scoring.models import Transaction, Upload
from tests.conftest import client_of, person
from tests.rest.asking import answer, get, pointers, post
from tests.scoring import making

pytestmark = pytest.mark.django_db
HEAD = "Beleg,Kunde,Betrag,Gebucht am\n"
ROWS = 'b1,k1,"1.234,50",31.10.2026 23:05\nb2,k2,"7,10",01.11.2026 08:00\nb3,k3,,x\n'
MEANING = {
    "mapping": {
        "Beleg": "transaction_id",
        "Kunde": "user_id",
        "Betrag": "amount",
        "Gebucht am": "timestamp",
    },
    "decimal_mark": ",",
    "date_format": "%d.%m.%Y %H:%M",
}


@pytest.fixture(autouse=True)
def folder(settings: Any, tmp_path: Any) -> None:
    settings.UPLOADS, settings.BUNDLES = tmp_path / "uploads", tmp_path / "models"


def send(who: User, status: int = 202, /, **parts: Any) -> Any:
    parts.setdefault("file", SimpleUploadedFile("bank.csv", (HEAD + ROWS).encode()))
    parts.setdefault("source", making.source("bank").name)
    got = client_of(who).post("/api/v1/ingest/files", parts)
    assert got.status_code == status, got.content
    return got.json()


@pytest.fixture
def held(dana: User) -> int:
    return int(send(dana, hold="true")["id"])


@pytest.mark.django_db(transaction=True)
def test_a_held_file_is_looked_at_tried_and_started(held: int, dana: User) -> None:
    at = f"ingest/files/{held}"
    told = get(dana, at)
    assert (told["state"], told["finished"]) == ("WAITING", False)
    seen = get(dana, f"{at}/preview")
    assert seen["columns"][0] == {"name": "Beleg", "examples": ["b1", "b2", "b3"]}
    assert seen["options"]["decimal_mark"] == ","
    tried = post(dana, f"{at}/try", MEANING)
    assert (tried["read"], tried["accepted"], tried["rejected"]) == (3, 2, 1)
    assert {reason["field"] for reason in tried["reasons"]} == {"Gebucht am"}
    assert not Transaction.objects.exists()
    assert post(dana, f"{at}/start", tried["options"])["state"] == "READY"
    post(dana, f"{at}/start", MEANING, 409)
    get(dana, f"{at}/preview", 409)
    making.first_model()
    making.work_through()
    done = get(dana, at)
    assert (done["finished"], done["accepted"], done["rejected"]) == (True, 2, 1)
    assert AuditEvent.objects.filter(action="upload.started", actor="dana").exists()


@pytest.mark.django_db(transaction=True)
def test_rows_come_back_scored_or_with_what_was_wrong(dana: User) -> None:
    making.first_model()
    rows = [*making.ordinary_rows(5), "t9,u1,much,x,groceries,Delhi,d1"]
    pk = making.send(making.csv_of(rows), by=dana).pk
    making.work_through()
    at = f"ingest/files/{pk}"
    csv = answer(dana, "get", f"{at}/scored.csv")
    lines = b"".join(csv.streaming_content).decode().splitlines()
    assert len(lines) == 6
    parquet = answer(dana, "get", f"{at}/scored.parquet")
    table = pq.read_table(io.BytesIO(b"".join(parquet.streaming_content)))
    assert table.num_rows == 5
    rejects = b"".join(answer(dana, "get", f"{at}/rejects").streaming_content).decode()
    assert "much" in rejects
    get(dana, f"{at}/scored.xml", 404)
    assert AuditEvent.objects.filter(action="data.exported", actor="dana").count() == 3


def test_downloads_do_not_mind_what_is_accepted(dana: User) -> None:
    pk = making.send(making.csv_of(making.ordinary_rows(2)), by=dana).pk
    got = answer(dana, "get", f"ingest/files/{pk}/rejects", accept="text/csv")
    assert got.status_code == 200


def test_a_stopped_file_goes_on(held: int, dana: User) -> None:
    at = f"ingest/files/{held}"
    post(dana, f"{at}/resume", None, 409)
    assert post(dana, f"{at}/cancel")["state"] == "CANCELLED"
    assert post(dana, f"{at}/resume")["state"] == "WAITING"


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"mapping": {"Beleg": "what"}}, "/mapping"),
        ({"mapping": {"Nowhere": "amount"}}, "/mapping"),
        ({"mapping": {}}, "/mapping"),
        ({"decimal_mark": ";"}, "/decimal_mark"),
        ({"date_format": "%H"}, "/date_format"),
        ({"label_column": "Kunde"}, "/label_column"),
        ({"label_delay_days": "3"}, "/label_delay_days"),
        ({"label_values": {"fraud": "x"}}, "/label_values/fraud"),
        ({"constants": {"amount": "5"}}, "/constants"),
        ({"time_unit": "weeks"}, "/time_unit"),
        ({"delimiter": ";"}, "/delimiter"),
    ],
)
def test_options_without_sense_are_refused_by_field(
    change: dict[str, Any], pointer: str, held: int, dana: User
) -> None:
    for verb in ("try", "start"):
        problem = post(dana, f"ingest/files/{held}/{verb}", {**MEANING, **change}, 400)
        assert pointers(problem) == [pointer]
    assert Upload.objects.get().state == "WAITING"


def test_a_part_without_sense_is_refused(dana: User) -> None:
    assert pointers(send(dana, 400, hold="maybe")) == ["/hold"]
    assert pointers(send(dana, 400, source="nowhere")) == ["/source"]
    assert not Upload.objects.exists()


def test_a_key_of_one_source_sees_that_sources_files_alone(held: int, dana: User) -> None:
    adam = person("adam", "admin")
    other = making.source("other")
    _, key = keys.make_key(by=adam, name="k", scopes=["events:write"], source=other)
    got = Client().get(f"/api/v1/ingest/files/{held}/preview", headers={"X-Api-Key": key})
    assert got.status_code == 404


def test_admins_say_who_keeps_a_source(dana: User, adam: User, ana: User) -> None:
    kept = making.source("bank")
    person("dora", "engineer")
    at = f"sources/{kept.pk}/keepers"
    assert get(adam, at) == {"all_engineers": True, "people": []}
    told = post(adam, at, {"all_engineers": False, "people": ["dora"]})
    assert told == get(adam, at) == {"all_engineers": False, "people": ["dora"]}
    assert not kept_by_team(kept)
    get(dana, f"sources/{kept.pk}", 404)
    assert pointers(post(adam, at, {"all_engineers": True, "people": ["ana"]}, 400)) == [
        "/people/0"
    ]
    assert pointers(post(adam, at, {"people": []}, 400)) == ["/all_engineers"]
    get(dana, at, 403)


@pytest.mark.django_db(transaction=True)
def test_what_means_none_is_proposed_tried_and_sent_back(dana: User) -> None:
    rows = "".join(f"t{n},u{n},5,{'0' if n % 2 else n + 9}\n" for n in range(40))
    file = SimpleUploadedFile("b.csv", b"transaction_id,user_id,amount,device_id\n" + rows.encode())
    at = f"ingest/files/{send(dana, file=file, hold='true')['id']}"
    seen = get(dana, f"{at}/preview")
    [proposal] = seen["proposed"]
    assert (proposal["column"], proposal["value"], proposal["share"]) == ("device_id", "0", 0.5)
    assert "empty_values" not in seen["options"]
    tried = post(dana, f"{at}/try", {"empty_values": {"device_id": ["0"]}})
    assert tried["emptied"] == {"device_id": 20}
    assert tried["options"]["empty_values"] == {"device_id": ["0"]}
    wrong = post(dana, f"{at}/try", {"empty_values": {"device": ["0"]}}, 400)
    assert pointers(wrong) == ["/empty_values"]
    post(dana, f"{at}/start", {"empty_values": {"device_id": 0}}, 400)
    assert post(dana, f"{at}/start", tried["options"])["state"] == "READY"
