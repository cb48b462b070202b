"""That a field is personal no longer takes two people, by every way a source is changed."""

from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from anomalyshield.accounts.models import User
from anomalyshield.asking import Refused
from anomalyshield.audit.models import AuditEvent
from scoring import columns, keeping, personal, unmarking
from scoring.accepting import Sent, accept
from scoring.models import Source, Transaction, Unmarking
from scoring.sourcing import change_source, load_document, make_source
from tests.conftest import client_of, person
from tests.sources.conftest import event

pytestmark = pytest.mark.django_db
WHY = "It is the colour of the bag."
DOCUMENT = "name: shop\nsource_type: rest\npii_fields: [phone]\n"


@pytest.fixture
def shop(dana: User) -> Source:
    return make_source(by=dana, name="shop", kind="rest", pii=["phone", "bag"])


def asked(by: User, shop: Source) -> Unmarking:
    return unmarking.ask(by=by, source=shop, names=["bag"], reason=WHY)


def stored(shop: Source, number: int) -> Any:
    accept(source=shop, sent=[Sent(event(number, bag="red"))], door="rest")
    return Transaction.objects.get(external_id=f"e{number}").extra["bag"]


def test_two_people_take_a_mark_off_and_only_what_comes_then_is_open(
    shop: Source, dana: User, adam: User
) -> None:
    assert personal.is_sealed(stored(shop, 1))
    request = asked(dana, shop)
    assert personal.is_sealed(stored(shop, 2)), "asked is not agreed"
    after = unmarking.approve(by=adam, request=request, answer="Seen it.")
    assert (after.pii, after.version) == (["phone"], 2)
    assert stored(after, 3) == "red"
    assert personal.is_sealed(Transaction.objects.get(external_id="e1").extra["bag"])
    request.refresh_from_db()
    assert (request.state, request.answered_by, request.version) == ("APPROVED", adam, 2)
    told = AuditEvent.objects.get(action="source.unmarked")
    assert (told.actor, told.before["pii"], told.after["pii"]) == (
        "adam",
        ["phone", "bag"],
        ["phone"],
    )
    last = shop.versions.first()
    assert (last.number, last.by, last.changed) == (2, "adam", ["pii"])


def test_nobody_agrees_to_what_they_asked_for(shop: Source, dana: User) -> None:
    with pytest.raises(Refused, match="second person"):
        unmarking.approve(by=dana, request=asked(dana, shop))
    assert Source.objects.get().pii == ["phone", "bag"]
    assert AuditEvent.objects.filter(action="source.unmarked", outcome="DENIED").exists()


def test_the_database_holds_it_as_well(shop: Source, dana: User) -> None:
    request = asked(dana, shop)
    with pytest.raises(IntegrityError), transaction.atomic():
        Unmarking.objects.filter(pk=request.pk).update(
            state="APPROVED", answered_by=dana, answered_at=timezone.now()
        )


def test_whoever_lost_the_role_agrees_to_nothing(shop: Source, dana: User, ana: User) -> None:
    with pytest.raises(Refused, match="may not say"):
        unmarking.approve(by=ana, request=asked(dana, shop))
    with pytest.raises(Refused, match="Who may agree"):
        unmarking.refuse(by=ana, request=Unmarking.objects.get(), answer="No.")


@pytest.mark.parametrize(
    "said, field, names",
    [
        ({"pii": ["phone"]}, "pii", "bag"),
        ({"pii": []}, "pii", "bag, phone"),
        ({"pii": ["phone", "Bag"]}, "pii", "bag"),
    ],
)
def test_a_change_of_the_source_takes_no_mark_off(
    said: dict[str, Any], field: str, names: str, shop: Source, dana: User, adam: User
) -> None:
    for by in (dana, adam):
        with pytest.raises(columns.Refused, match=f"that {names} is") as refusal:
            change_source(by=by, source=shop, title="Shop", **said)
        assert refusal.value.field == field
    found = Source.objects.get()
    assert (found.pii, found.title, found.version) == (["phone", "bag"], "", 1)


def test_nor_does_another_mapping_by_which_it_was_read(dana: User) -> None:
    shop = make_source(
        by=dana, name="shop", kind="rest", pii=["user_id"], mapping={"Kunde": "user_id"}
    )
    with pytest.raises(columns.Refused, match="Kunde") as refusal:
        change_source(by=dana, source=shop, mapping={})
    assert refusal.value.field == "mapping"
    after = change_source(by=dana, source=shop, mapping={}, pii=["user_id", "Kunde"])
    assert after.version == 2


def test_marks_are_added_and_put_in_another_order_by_one_person(shop: Source, dana: User) -> None:
    after = change_source(by=dana, source=shop, pii=["mail", "bag", "phone"])
    assert after.pii == ["mail", "bag", "phone"]


def test_a_document_with_fewer_marks_is_refused_from_every_hand(shop: Source, dana: User) -> None:
    for by in (dana, "command"):
        with pytest.raises(columns.Refused, match="bag") as refusal:
            load_document(by=by, text=DOCUMENT)
        assert refusal.value.field == "pii_fields"
    assert Source.objects.get().pii == ["phone", "bag"]


def test_the_command_says_so_in_a_line(shop: Source, tmp_path: Any) -> None:
    path = tmp_path / "shop.yaml"
    path.write_text(DOCUMENT)
    with pytest.raises(CommandError, match="pii_fields: A second person"):
        call_command("source", path)


def test_one_person_alone_may_where_the_installation_is_theirs(
    shop: Source, dana: User, settings: Any
) -> None:
    settings.FOUR_EYES = False
    assert change_source(by=dana, source=shop, pii=["phone"]).pii == ["phone"]
    more = unmarking.ask(by=dana, source=shop, names=["phone"], reason=WHY)
    assert unmarking.approve(by=dana, request=more).pii == []


def test_one_question_of_a_source_waits_at_a_time(shop: Source, dana: User, adam: User) -> None:
    request = asked(dana, shop)
    with pytest.raises(Refused, match="asked for bag already"):
        unmarking.ask(by=adam, source=shop, names=["phone"], reason=WHY)
    unmarking.refuse(by=dana, request=request, answer="Wrong field.")
    assert AuditEvent.objects.filter(action="source.unmark_withdrawn").count() == 1
    with pytest.raises(Refused, match="already"):
        unmarking.approve(by=adam, request=request)
    assert unmarking.ask(by=adam, source=shop, names=["phone"], reason=WHY).state == "OPEN"


@pytest.mark.parametrize(
    "names, reason, field",
    [
        (["colour"], WHY, "names"),
        ([], WHY, "names"),
        (["bag"], " ", "reason"),
        (["bag"], "x" * 2001, "reason"),
        (["bag"], "a\x00b", "reason"),
    ],
)
def test_nonsense_is_refused_beside_its_field(
    names: list[str], reason: str, field: str, shop: Source, dana: User
) -> None:
    with pytest.raises(Refused) as refusal:
        unmarking.ask(by=dana, source=shop, names=names, reason=reason)
    assert list(refusal.value.fields) == [field]


def test_what_is_personal_no_longer_meanwhile_is_not_taken_off_twice(
    shop: Source, dana: User, adam: User, settings: Any
) -> None:
    request = asked(dana, shop)
    settings.FOUR_EYES = False
    change_source(by=dana, source=shop, pii=["phone"])
    with pytest.raises(Refused, match="nothing would change"):
        unmarking.approve(by=adam, request=request)


def test_the_pages_lead_from_the_field_to_a_second_person(
    shop: Source, dana: User, adam: User, mona: User
) -> None:
    engineer = client_of(dana)
    page = engineer.get(f"/sources/{shop.pk}/").content.decode()
    assert f"/sources/{shop.pk}/unmark/" in page
    bad = engineer.post(f"/sources/{shop.pk}/unmark/", {"reason": WHY})
    assert (bad.status_code, WHY in bad.content.decode()) == (400, True)
    answer = engineer.post(f"/sources/{shop.pk}/unmark/", {"names": ["bag"], "reason": WHY})
    request = Unmarking.objects.get()
    assert answer.headers["Location"] == f"/sources/unmarkings/{request.pk}/"
    assert "Withdraw" in engineer.get(answer.headers["Location"]).content.decode()
    own = engineer.post(f"/sources/unmarkings/{request.pk}/approve/", {})
    assert own.status_code == 409
    admin = client_of(adam)
    assert f"/sources/unmarkings/{request.pk}/" in admin.get("/").content.decode()
    assert "Agree" in admin.get(f"/sources/unmarkings/{request.pk}/").content.decode()
    admin.post(f"/sources/unmarkings/{request.pk}/approve/", {"reason": ""})
    assert Source.objects.get().pii == ["phone"]
    done = engineer.get(f"/sources/unmarkings/{request.pk}/").content.decode()
    assert "Version 2" in done
    assert client_of(mona).get(f"/sources/unmarkings/{request.pk}/").status_code in (403, 404)


def test_the_form_keeps_what_was_typed_when_a_mark_would_go(shop: Source, dana: User) -> None:
    typed = {"kind": "rest", "currency": "EUR", "timezone": "UTC", "pii": "phone", "active": "on"}
    answer = client_of(dana).post(f"/sources/{shop.pk}/", {**typed, "do": "save"})
    page = answer.content.decode()
    assert answer.status_code == 400
    assert "bag is personal no longer" in page
    assert "phone, bag</p>" in page, "the panel beside says what is in force"
    assert Source.objects.get().currency == "USD"


def test_a_source_of_others_is_not_there(shop: Source, dana: User, adam: User) -> None:
    keeping.set_keepers(by=adam, source=shop, people=[dana], whole_team=False)
    request = asked(dana, shop)
    client = client_of(person("dora", "engineer"))
    assert client.get(f"/sources/{shop.pk}/unmark/").status_code == 404
    assert client.get(f"/sources/unmarkings/{request.pk}/").status_code == 404
    assert client.post(f"/sources/unmarkings/{request.pk}/approve/").status_code == 404
    assert client.get(f"/api/v1/sources/unmarkings/{request.pk}").status_code == 404
    assert f"unmarkings/{request.pk}" not in client.get("/").content.decode()


def test_programs_ask_and_answer_as_well(shop: Source, dana: User, adam: User) -> None:
    engineer, admin = client_of(dana), client_of(adam)
    address, kind = f"/api/v1/sources/{shop.pk}/unmarkings", "application/json"
    bad = engineer.post(address, {"names": ["colour"], "reason": WHY}, content_type=kind)
    assert (bad.status_code, bad.json()["errors"][0]["pointer"]) == (400, "/names")
    made = engineer.post(address, {"names": ["bag"], "reason": WHY}, content_type=kind)
    assert (made.status_code, made.json()["state"]) == (201, "OPEN")
    one = f"/api/v1/sources/unmarkings/{made.json()['id']}"
    assert engineer.post(f"{one}/approve", {}, content_type=kind).status_code == 409
    done = admin.post(f"{one}/approve", {"reason": "Seen."}, content_type=kind)
    assert (done.status_code, done.json()["version"]) == (200, 2)
    assert admin.get(address).json()["results"][0]["answered_by"] is not None
    patched = engineer.patch(f"/api/v1/sources/{shop.pk}", {"pii": []}, content_type=kind)
    assert (patched.status_code, patched.json()["errors"][0]["pointer"]) == (400, "/pii")
