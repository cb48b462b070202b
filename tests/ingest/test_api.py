"""The API of files: sent, asked about, refused with a pointer."""

import io
import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework_simplejwt.tokens import AccessToken

from anomalyshield.accounts import keys
from anomalyshield.accounts.authentication import forget_keys
from scoring.models import Source, Transaction, Upload
from tests.ingest.test_storing import work

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/ingest/files"
GOOD = b"transaction_id,user_id,amount\nt1,u1,10.00\nt2,u1,bad\n"


@pytest.fixture(autouse=True)
def no_keys_remembered():
    forget_keys()


def key(adam, source=None, scopes=("events:write",)):
    _, secret = keys.make_key(by=adam, name="feed", scopes=list(scopes), source=source)
    return {"X-Api-Key": secret}


def token(user):
    return {"Authorization": f"Bearer {AccessToken.for_user(user)}"}


def send(headers, content=GOOD, name="day.csv", **fields):
    parts = {"file": SimpleUploadedFile(name, content), **fields}
    return Client().post(ADDRESS, parts, headers=headers)


def ask(headers, pk):
    return Client().get(f"{ADDRESS}/{pk}", headers=headers)


def test_a_file_is_acknowledged_at_once_and_asked_about_until_it_is_stored(bank, adam):
    mine = key(adam)
    answer = send(mine, source="bank")
    assert answer.status_code == 202
    receipt = answer.json()
    assert receipt["status_url"] == answer["Location"] == f"{ADDRESS}/{receipt['id']}"
    before = Client().get(receipt["status_url"], headers=mine).json()
    assert (before["state"], before["read"], before["finished"]) == ("READY", 0, False)
    work()
    after = ask(mine, receipt["id"]).json()
    assert (after["state"], after["stage"], after["progress"]) == ("DONE", "SCORING", 0.5)
    assert (after["read"], after["accepted"], after["rejected"]) == (2, 1, 1)
    assert (after["source"], after["read_as"]) == ("bank", "UTF-8, separated by commas")
    rejects = Client().get(f"{receipt['status_url']}/rejects", headers=mine)
    assert b"amount is not a plain number" in b"".join(rejects.streaming_content)


def test_the_same_bytes_again_are_said_with_the_first_number(bank, adam):
    mine = key(adam)
    first = send(mine, source="bank").json()
    again = send(mine, source="bank")
    assert again.status_code == 200
    assert again.json() == {**first, "already_received": True}


def test_a_key_of_a_source_needs_no_name_and_speaks_for_no_other(bank, adam):
    mine = key(adam, bank)
    assert send(mine).status_code == 202
    Source.objects.create(name="other")
    answer = send(mine, source="other")
    assert (answer.status_code, answer.json()["code"]) == (403, "other_source")
    other = key(adam, Source.objects.get(name="other"))
    assert ask(other, Upload.objects.get().pk).status_code == 404


def test_options_come_as_parts_or_as_one_object(bank, dana):
    content = b"No,user_id,amount,fraud\n1,u,5,1\n"
    mapping = {"No": "transaction_id"}
    labels = {"label_column": "fraud", "label_delay_days": 3}
    parts = send(token(dana), content, source="bank", mapping=json.dumps(mapping), **labels)
    assert parts.status_code == 202, parts.json()
    whole = json.dumps({"mapping": mapping, **labels})
    other = send(token(dana), content + b"2,u,5,0\n", source="bank", options=whole)
    assert other.status_code == 202, other.json()
    work()
    assert Transaction.objects.count() == 2


@pytest.mark.parametrize(
    "fields, status, pointer",
    [
        ({}, 400, "/source"),
        ({"source": "nowhere"}, 400, "/source"),
        ({"source": "bank", "colour": "red"}, 400, "/colour"),
        ({"source": "bank", "mapping": "x"}, 400, "/mapping"),
        ({"source": "bank", "mapping": "[]"}, 400, "/mapping"),
        ({"source": "bank", "mapping": '{"a":1}'}, 400, "/mapping"),
        ({"source": "bank", "mapping": '{"a":"mcc","a":"mcc"}'}, 400, "/mapping/a"),
        ({"source": "bank", "options": "{"}, 400, "/options"),
        ({"source": "bank", "options": '{"colour":1}'}, 400, "/colour"),
        ({"source": "bank", "label_column": "amount"}, 400, "/label_column"),
        (
            {"source": "bank", "label_column": "nowhere", "label_delay_days": "1"},
            400,
            "/label_column",
        ),
        (
            {"source": "bank", "label_column": "amount", "label_delay_days": "x"},
            400,
            "/label_delay_days",
        ),
    ],
)
def test_what_is_wrong_is_pointed_at(bank, dana, fields, status, pointer):
    answer = send(token(dana), **fields)
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["pointer"] == pointer
    assert not Upload.objects.exists()


def test_the_file_itself_is_required_and_looked_into(bank, dana):
    missing = Client().post(ADDRESS, {"source": "bank"}, headers=token(dana))
    assert (missing.status_code, missing.json()["pointer"]) == (400, "/file")
    text = Client().post(ADDRESS, {"source": "bank", "file": "text"}, headers=token(dana))
    assert (text.status_code, text.json()["pointer"]) == (400, "/file")
    wrong = send(token(dana), b"PK\x03\x04xl/", source="bank")
    assert (wrong.status_code, wrong.json()["pointer"]) == (400, "/file")
    assert "zip archive is damaged" in wrong.json()["detail"]
    plain = Client().post(ADDRESS, b"{}", content_type="application/json", headers=token(dana))
    assert plain.status_code == 415


def test_without_room_the_sender_is_told_to_come_again(bank, dana, monkeypatch):
    class Full(io.BytesIO):
        def read(self, *_):
            raise OSError(28, "No space left on device")

    from scoring import uploads

    keep = uploads.keep
    monkeypatch.setattr(uploads, "keep", lambda file: keep(Full()))
    answer = send(token(dana), source="bank")
    assert (answer.status_code, answer.json()["code"]) == (503, "no_room")
    assert answer["Retry-After"] == "60"


def test_an_analyst_and_a_key_for_scores_may_not_send_files(bank, ana, adam):
    assert send(token(ana), source="bank").status_code == 403
    assert send(key(adam, scopes=["score:write"]), source="bank").status_code == 403
    assert send({}, source="bank").status_code == 401
    assert not Upload.objects.exists()


@pytest.mark.parametrize("pk", [0, 10**9, 10**18])
def test_an_unknown_file_is_not_found(dana, pk):
    assert ask(token(dana), pk).status_code == 404


def test_more_parts_than_anybody_sends_are_refused_as_a_problem(adam):
    part = b'--x\r\nContent-Disposition: form-data; name="a%d"\r\n\r\n1\r\n'
    body = b"".join(part % number for number in range(100_000)) + b"--x--\r\n"
    client, kind = Client(raise_request_exception=False), "multipart/form-data; boundary=x"
    answer = client.post(ADDRESS, body, content_type=kind, headers=key(adam))
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_parts")


def test_what_is_not_there_is_called_by_no_name_of_ours(adam, dana):
    answer = ask(token(dana), 10**6)
    assert (answer.status_code, answer.json()["detail"]) == (
        404,
        "There is nothing at this address.",
    )
