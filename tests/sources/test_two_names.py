"""Two names of one record that give the same field of ours: nothing is lost, and it is said."""

import json
from typing import Any

import pytest
from django.core.files.base import ContentFile

from anomalyshield.accounts.models import User
from scoring import uploads
from scoring.accepting import accept
from scoring.models import RejectedRecord, Source, Transaction, Upload
from scoring.sourcing import change_source
from scoring.streaming.messages import Message, sent
from tests.conftest import client_of
from tests.rest.asking import post
from tests.scoring import making
from tests.sources.conftest import sender

pytestmark = pytest.mark.django_db
SAID = {"user_id": "u1", "entity_id": "e77", "merchant": "Kiosk", "merchant_name": "Kiosk"}
ASIDE = {"column": "entity_id", "field": "user_id", "rows": 1}


def record(number: int = 1, **more: Any) -> dict[str, Any]:
    return {"transaction_id": f"t{number}", "amount": "10", **SAID, **more}


def file_of(source: Source, by: User, *records: dict[str, Any], hold: bool = False) -> Upload:
    lines = [",".join(records[0]), *(",".join(map(str, one.values())) for one in records)]
    content = ContentFile("\n".join(lines).encode(), "two.csv")
    return uploads.receive(
        by=by, source=source, name="two.csv", file=content, options={}, hold=hold
    )


@pytest.mark.django_db(transaction=True)
def test_every_door_keeps_what_the_lesser_name_says(till: Source, dana: User, adam: User) -> None:
    send = sender(adam, till, scopes=["events:write", "score:write"])
    making.first_model()
    assert send(record(1)).status_code == 202
    assert send(record(2), "/detect").status_code == 200
    batch = {"transactions": [record(3)]}
    assert send(batch, "/predict/batch").status_code == 200
    message = Message("topic/0@7", json.dumps(record(4)).encode(), None)
    accept(source=till, sent=sent([message]), door="kafka")
    file_of(till, dana, record(5), record(6, entity_id="u1"))
    making.work_through()
    kept = dict(Transaction.objects.order_by("external_id").values_list("external_id", "extra"))
    assert kept.pop("t6") is None
    assert kept == {f"t{number}": {"entity_id": "e77"} for number in range(1, 6)}
    assert set(Transaction.objects.values_list("user_id", "merchant_name")) == {("u1", "Kiosk")}


def test_the_dry_run_of_a_file_says_which_columns_differ(till: Source, dana: User) -> None:
    upload = file_of(till, dana, record(1), record(2, entity_id="u1"), hold=True)
    assert post(dana, f"ingest/files/{upload.pk}/try", {})["aside"] == [ASIDE]
    address = f"/uploads/{upload.pk}/preview/"
    proposed = client_of(dana).get(address).context["form"].initial
    shown = client_of(dana).post(address, {**proposed, "do": "check"}).content.decode()
    assert "In 1 row “entity_id” and another column both give user_id, and differ." in shown


def test_a_sample_shows_the_lesser_one_as_further_data(dana: User) -> None:
    body = {"source": {"kind": "rest"}, "sample": json.dumps(record())}
    told = post(dana, "sources/try", body)
    assert told["aside"] == [ASIDE]
    cells = {cell["theirs"]: (cell["ours"], cell["value"]) for cell in told["records"][0]["cells"]}
    assert (cells["user_id"], cells["entity_id"]) == (("user_id", "u1"), ("", "e77"))


def test_the_page_of_the_payment_says_so_and_hides_what_names_people(
    till: Source, dana: User, ana: User
) -> None:
    accept(source=till, sent=sent([Message("a", json.dumps(record()).encode(), None)]), door="rest")
    address = f"/transactions/{Transaction.objects.get().pk}/"
    shown = client_of(ana).get(address).content.decode()
    assert "e77 <span" in shown
    assert "also gives user_id; another one counted" in shown
    assert "e77" not in client_of(dana).get(address).content.decode()


def test_what_is_declared_personal_is_sealed_under_its_other_name_too(
    till: Source, dana: User
) -> None:
    till = change_source(by=dana, source=till, pii=["user_id"])
    accept(source=till, sent=sent([Message("a", json.dumps(record()).encode(), None)]), door="rest")
    assert Transaction.objects.get().extra["entity_id"].startswith("pii1:")


def test_a_mapping_counts_before_our_own_names(till: Source, dana: User) -> None:
    till = change_source(by=dana, source=till, mapping={"total": "amount"})
    said = record(amount="12.5", total="7")
    accept(source=till, sent=sent([Message("a", json.dumps(said).encode(), None)]), door="rest")
    row = Transaction.objects.get()
    assert (str(row.amount), row.extra["amount"]) == ("7.0000", "12.5")
    assert not RejectedRecord.objects.exists()
