"""Sources and files for programs."""

from typing import Any

import pytest

from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from scoring.keeping import set_keepers
from scoring.models import Source, Upload
from tests.rest.asking import answer, get, patch, pointers, post
from tests.scoring import making

pytestmark = pytest.mark.django_db
SOURCE = {"name": "till", "title": "Tills", "currency": "EUR", "timezone": "Asia/Kolkata"}


def test_a_source_is_made_listed_and_changed(dana: User) -> None:
    made = post(dana, "sources", {**SOURCE, "mapping": {"Cust No": "user_id"}}, 201)
    assert made["mapping"] == {"Cust No": "user_id"}
    assert made.pop("signing_secret") == ""  # only of a webhook, and only now
    assert get(dana, "sources")["results"] == [made]
    changed = patch(dana, f"sources/{made['id']}", {"active": False})
    assert changed == {**made, "active": False, "version": 2}
    told = AuditEvent.objects.filter(actor="dana", action__startswith="source.").order_by("pk")
    assert [event.action for event in told] == ["source.made", "source.changed"]


def test_a_name_is_taken_once(dana: User) -> None:
    post(dana, "sources", SOURCE, 201)
    assert pointers(post(dana, "sources", SOURCE, 409)) == ["/name"]


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"name": "with spaces"}, "/name"),
        ({"name": ""}, "/name"),
        ({"currency": "EURO"}, "/currency"),
        ({"timezone": "Mars/Olympus"}, "/timezone"),
        ({"mapping": {"a": "no field"}}, "/mapping"),
        ({"mapping": "a"}, "/mapping"),
        ({"active": "yes"}, "/active"),
        ({"kind": "fax"}, "/kind"),
        ({"id": 7}, "/id"),
    ],
)
def test_what_cannot_be_read_is_refused_by_field(
    change: dict[str, Any], pointer: str, dana: User
) -> None:
    assert pointers(post(dana, "sources", {**SOURCE, **change}, 400)) == [pointer]
    assert not Source.objects.exists()


def test_of_two_engineers_the_second_reads_again(dana: User, adam: User) -> None:
    pk = post(dana, "sources", SOURCE, 201)["id"]
    read = answer(dana, "get", f"sources/{pk}")["ETag"]
    patch(adam, f"sources/{pk}", {"title": "All tills"})
    late = answer(dana, "patch", f"sources/{pk}", {"title": "Tills 2"}, if_match=read)
    assert late.status_code == 412
    assert Source.objects.get().title == "All tills"
    assert pointers(patch(dana, f"sources/{pk}", {"name": "other"}, 400)) == ["/name"]


def test_files_are_listed_and_stopped(dana: User) -> None:
    upload = making.send(making.csv_of(making.ordinary_rows(5)), by=dana)
    assert [row["id"] for row in get(dana, "ingest/files")["results"]] == [upload.pk]
    assert post(dana, f"ingest/files/{upload.pk}/cancel")["state"] == "CANCELLED"
    post(dana, f"ingest/files/{upload.pk}/cancel", None, 409)
    assert Upload.objects.get().state == "CANCELLED"


def test_a_source_kept_by_others_does_not_exist(dana: User, adam: User) -> None:
    kept = making.source()
    set_keepers(by=adam, source=kept, people=[], whole_team=False)
    upload = making.send(making.csv_of(making.ordinary_rows(5)), by=adam)
    assert get(dana, "sources")["results"] == get(dana, "ingest/files")["results"] == []
    get(dana, f"sources/{kept.pk}", 404)
    patch(dana, f"sources/{kept.pk}", {"active": False}, 404)
    post(dana, f"ingest/files/{upload.pk}/cancel", None, 404)
    assert get(adam, f"sources/{kept.pk}")["active"]
