"""Sources by grant: who keeps one sees it, its files and its rejects; nobody else knows of it."""

import importlib
import io

import pytest
from django.apps import apps
from django.test import Client
from django.urls import reverse
from guardian.models import GroupObjectPermission

from anomalyshield.accounts import keys
from anomalyshield.accounts.authentication import forget_keys
from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from scoring import keeping, uploads
from scoring.models import Source, Upload
from scoring.sourcing import make_source
from tests.conftest import client_of, person

pytestmark = pytest.mark.django_db
FILE = b"transaction_id,user_id,amount,timestamp\nt1,u1,5,2026-01-01T00:00:00Z\n"


@pytest.fixture
def drew(db) -> User:
    """Another data engineer."""
    return person("drew", "engineer")


@pytest.fixture
def closed(adam: User, dana: User) -> Source:
    """A source that dana keeps, and no other engineer."""
    source = make_source(by=adam, name="closed")
    return keeping.set_keepers(by=adam, source=source, people=[dana], whole_team=False)


def upload_to(source: Source, by: User | None, content: bytes = FILE) -> Upload:
    return uploads.receive(
        by=by or "command", source=source, name="day.csv", file=io.BytesIO(content), options={}
    )


def sent_on_the_page(by: User, source: Source, content: bytes = FILE):
    file = io.BytesIO(content)
    file.name = "day.csv"
    return client_of(by).post("/uploads/", {"file": file, "source": source.pk})


# --- who sees what --------------------------------------------------------------------------------
def test_a_new_source_is_its_makers_and_every_engineers(dana: User, drew: User, ana: User) -> None:
    made = make_source(by=dana, name="bank")
    assert [*keeping.keepers(made)] == [dana]
    assert keeping.kept_by_team(made)
    seen = [Source.objects.visible_to(who).filter(pk=made.pk).exists() for who in (dana, drew, ana)]
    assert seen == [True, True, False]


def test_a_source_nobody_made_on_a_page_is_every_engineers_too(drew: User) -> None:
    made, _ = Source.objects.get_or_create(name="rest")
    made.save()
    assert list(Source.objects.visible_to(drew)) == [made]
    assert GroupObjectPermission.objects.count() == 1


def test_what_is_granted_to_some_is_404_to_the_rest(closed, dana, drew, adam) -> None:
    page = reverse("source", args=[closed.pk])
    assert [client_of(who).get(page).status_code for who in (dana, adam, drew)] == [200, 200, 404]
    assert client_of(drew).post(page, {"title": "mine now"}).status_code == 404
    assert b"closed" in client_of(dana).get("/sources/").content
    assert b"closed" not in client_of(drew).get("/sources/").content


def test_files_and_their_rejects_follow_the_source(closed, dana, drew, adam, ana) -> None:
    upload = upload_to(closed, None)
    for address in (
        reverse("upload", args=[upload.pk]),
        reverse("upload-rejects", args=[upload.pk]),
    ):
        answers = [client_of(who).get(address, follow=True) for who in (dana, adam, drew, ana)]
        assert [answer.status_code for answer in answers] == [200, 200, 404, 404], address


def test_ones_own_file_stays_ones_own_when_the_source_is_taken_away(closed, dana, adam) -> None:
    upload = upload_to(closed, dana)
    keeping.set_keepers(by=adam, source=closed, people=[], whole_team=False)
    assert [*Upload.objects.visible_to(dana)] == [upload]
    assert client_of(dana).get(reverse("source", args=[closed.pk])).status_code == 404


# --- who may send ---------------------------------------------------------------------------------
def test_an_engineer_sends_files_only_to_sources_they_keep(closed, dana, drew) -> None:
    answer = sent_on_the_page(drew, closed)
    assert answer.status_code == 400
    assert "There is no source of this name." in answer.content.decode()
    assert b'value="%d"' % closed.pk not in client_of(drew).get("/uploads/").content
    assert not Upload.objects.exists()
    assert sent_on_the_page(dana, closed).status_code == 302


def test_who_keeps_no_sources_sends_to_any_and_sees_their_own_file(closed, ana, lena) -> None:
    upload = upload_to(closed, ana)
    assert [*Upload.objects.visible_to(ana)] == [upload]
    assert not Upload.objects.visible_to(lena).exists()


def test_by_the_api_a_source_of_others_is_one_that_does_not_exist(closed, drew) -> None:
    file = io.BytesIO(FILE)
    file.name = "day.csv"
    answers = []
    for name in ("closed", "nothing"):
        file.seek(0)
        body = {"file": file, "source": name}
        answers.append(client_of(drew).post(reverse("ingest-files"), body))
    assert [answer.status_code for answer in answers] == [400, 400]
    assert {answer.json()["code"] for answer in answers} == {"unknown_source"}


def test_a_key_is_made_only_for_a_source_one_keeps(closed, dana, drew) -> None:
    form = {"name": "feed", "scopes": ["events:write"], "source": closed.pk}
    assert client_of(drew).post("/keys/new/", form).status_code == 400
    with pytest.raises(keys.NotYours, match="not yours"):
        keys.make_key(by=drew, name="feed", scopes=["events:write"], source=closed)
    assert client_of(dana).post("/keys/new/", form).status_code == 200


def test_a_key_of_a_source_sees_that_sources_files_only(closed, dana, adam) -> None:
    mine, other = upload_to(closed, None), upload_to(Source.objects.create(name="other"), None)
    _, key = keys.make_key(by=dana, name="feed", scopes=["events:write"], source=closed)
    forget_keys()
    found = [
        Client().get(reverse("ingest-file", args=[one.pk]), headers={"X-Api-Key": key}).status_code
        for one in (mine, other)
    ]
    assert found == [200, 404]


# --- who says so ----------------------------------------------------------------------------------
def test_an_admin_says_who_keeps_a_source_and_it_is_on_the_trail(adam, dana, drew) -> None:
    source = make_source(by=dana, name="bank")
    page = reverse("source-keepers", args=[source.pk])
    assert b"drew" in client_of(adam).get(page).content.lower()
    assert client_of(adam).post(page, {"people": [drew.pk]}).status_code == 302
    assert [*keeping.keepers(source)] == [drew]
    assert not keeping.kept_by_team(source)
    event = AuditEvent.objects.get(action="source.keepers")
    assert event.before == {"all_engineers": True, "people": ["dana"]}
    assert event.after == {"all_engineers": False, "people": ["drew"]}
    client_of(adam).post(page, {"people": [drew.pk]})
    assert AuditEvent.objects.filter(action="source.keepers").count() == 1, "nothing changed"


def test_nobody_is_given_a_source_who_sees_none(adam, ana, closed) -> None:
    answer = client_of(adam).post(
        reverse("source-keepers", args=[closed.pk]), {"people": [ana.pk, 10**9]}
    )
    assert answer.status_code == 400
    assert not Source.objects.visible_to(ana).exists()


def test_an_engineer_gives_no_source_away(dana, drew, closed) -> None:
    page = reverse("source-keepers", args=[closed.pk])
    assert client_of(dana).post(page, {"people": [drew.pk]}).status_code == 403
    assert b"Who keeps it" not in client_of(dana).get(reverse("source", args=[closed.pk])).content


def test_sources_from_before_grants_stay_with_all_engineers(drew) -> None:
    old = Source.objects.create(name="old")
    GroupObjectPermission.objects.all().delete()
    assert not Source.objects.visible_to(drew).exists()
    migration = importlib.import_module("scoring.migrations.0008_sources_are_kept_by_grant")
    for _ in range(2):
        migration.grant_to_the_team(apps, None)
    assert list(Source.objects.visible_to(drew)) == [old]


def test_lists_ask_the_same_however_many_sources_there_are(
    dana, django_assert_max_num_queries
) -> None:
    client = client_of(dana)
    for number in range(20):
        Source.objects.create(name=f"s{number}")
    client.get("/sources/")
    with django_assert_max_num_queries(8):
        client.get("/sources/")
