"""The lists as people work them: looked through, added to, approved, ended, masked for others."""

import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from scoring import lists
from scoring.models import ListEntry
from tests.conftest import client_of
from tests.lists.making import allowed, denied, soon, wish

pytestmark = pytest.mark.django_db


def page(person, query: str = "") -> str:
    answer = client_of(person).get(f"/lists/{query}")
    assert answer.status_code == 200
    return answer.content.decode()


def put(person, **fields: str):
    said = {"kind": "DENY", "entity": "card", "value": "4000-1", "reason": "stolen", "expires": ""}
    return client_of(person).post("/lists/put/", said | fields)


def test_what_is_put_on_the_list_is_seen_there(ana):
    assert put(ana).status_code == 302
    shown = page(ana)
    assert "4000-1" in shown
    assert "stolen" in shown
    assert "in force" in shown


def test_what_is_wrong_stands_beside_its_field_and_what_was_typed_stays(ana):
    answer = put(ana, kind="ALLOW", reason="a regular customer")
    text = answer.content.decode()
    assert answer.status_code == 400
    assert "An allow entry needs an end." in text
    assert "a regular customer" in text
    assert put(ana, entity="city").status_code == 400
    assert put(ana, expires="tomorrow").status_code == 400


def test_twice_says_where_it_stands(ana):
    put(ana)
    answer = put(ana)
    assert answer.status_code == 409
    assert f"on the deny list already: {ListEntry.objects.get()}." in answer.content.decode()


def test_filters_and_search(ana):
    denied(ana, value="4000-1")
    denied(ana, "user", "cust-7")
    lists.put(by=ana, wish=wish("ALLOW", "merchant", "Acme Shop"))
    lists.end(by=ana, entry=denied(ana, "device", "dev-9"), reason="over")
    assert "dev-9" not in page(ana)
    assert "dev-9" in page(ana, "?state=ENDED")
    assert "dev-9" in page(ana, "?state=all")
    assert "cust-7" not in page(ana, "?entity=card")
    assert "4000-1" not in page(ana, "?kind=ALLOW")
    assert "Acme Shop" in page(ana, "?q=acme++SHOP")
    assert "Acme Shop" in page(ana, "?q=cme")
    number = ListEntry.objects.get(value="cust-7")
    assert "cust-7" in page(ana, f"?q={number}")
    assert "Nothing matches" in page(ana, "?q=nobody")


@pytest.mark.parametrize(
    "query", ["?before=0", "?before=x", "?kind=GREY", "?q=%00", "?q=L-99999999999999999999999"]
)
def test_a_filter_that_makes_no_sense_is_no_error(ana, query):
    denied(ana)
    page(ana, query)


def test_pages_follow_one_another_without_a_gap(ana, django_assert_max_num_queries):
    for number in range(55):
        denied(ana, value=f"card-{number:03}")
    client = client_of(ana)
    first = client.get("/lists/").content.decode()
    last = ListEntry.objects.order_by("-pk")[49].pk
    assert f"before={last}" in first
    second = page(ana, f"?before={last}")
    assert [f"card-{n:03}" in second for n in (4, 5)] == [True, False]
    with django_assert_max_num_queries(8):
        client.get("/lists/")


def test_who_may_not_see_people_reads_masked_and_cannot_search(mona, ana):
    denied(ana, "user", "customer-0042", reason="Mrs Example")
    shown = page(mona)
    assert "customer-0042" not in shown
    assert "Example" not in shown
    assert "customer-0042" not in page(mona, "?q=customer-0042")
    entry = ListEntry.objects.get()
    assert "customer-0042" not in client_of(mona).get(f"/lists/{entry.pk}/").content.decode()
    assert put(mona).status_code == 403


def test_the_second_person_approves_and_the_first_may_not(ana, lena):
    entry = lists.put(by=ana, wish=wish("ALLOW"))
    address = f"/lists/{entry.pk}/approve/"
    assert "You proposed it" in client_of(ana).get(f"/lists/{entry.pk}/").content.decode()
    refused = client_of(ana).post(address)
    assert (refused.status_code, b"A lead or an admin approves" in refused.content) == (409, True)
    assert "1 allow entry waits" in page(lena)
    assert client_of(lena).post(address).status_code == 302
    assert client_of(lena).post(address).status_code == 409
    assert lists.ListEntry.objects.get().approved_by == lena


def test_ended_with_a_reason_and_not_without(ana):
    entry = denied(ana)
    address = f"/lists/{entry.pk}/end/"
    assert b"Say why it ends" in client_of(ana).post(address).content
    assert client_of(ana).post(address, {"reason": "found"}).status_code == 302
    shown = client_of(ana).get(f"/lists/{entry.pk}/").content.decode()
    assert "by Ana: found" in shown


def test_by_file(ana):
    content = b"list,type,value,reason,expires\ndeny,card,4000-7,stolen,\n"
    file = SimpleUploadedFile("deny.csv", content)
    answer = client_of(ana).post("/lists/import/", {"file": file}, follow=True)
    assert "1 entry made." in answer.content.decode()
    assert "4000-7" in answer.content.decode()


def test_a_file_with_wrong_lines_names_them(ana):
    file = SimpleUploadedFile("deny.csv", b"list,type,value,reason\ngrey,card,<b>1,x\n")
    answer = client_of(ana).post("/lists/import/", {"file": file})
    assert answer.status_code == 400
    assert "line 2" in answer.content.decode()
    assert client_of(ana).post("/lists/import/").status_code == 400


def test_what_people_wrote_is_text_on_the_page(ana):
    denied(ana, value="<script>alert(1)</script>", reason='"><img src=x>')
    assert "<script>alert" not in page(ana)
    assert "<img src=x>" not in page(ana)


@pytest.mark.parametrize("verb", ["", "approve/", "end/"])
def test_an_entry_that_does_not_exist_is_not_found(adam, verb):
    client = client_of(adam)
    asked = client.post if verb else client.get
    assert asked(f"/lists/987654/{verb}", {"reason": "x"} if verb else None).status_code == 404


def test_the_rules_page_shows_the_lists(mona):
    shown = client_of(mona).get("/rules/").content.decode()
    assert "DENY_LIST" in shown
    assert "ALLOW_LIST" in shown


def test_an_allowed_entry_shows_both_people(ana):
    entry = allowed(ana, expires_at=soon(9))
    shown = client_of(ana).get(f"/lists/{entry.pk}/").content.decode()
    assert "Ana" in shown
    assert "Lola" in shown


def test_what_asks_and_what_puts_have_names_of_their_own(ana):
    """A label that points to two fields leads to the first: the wrong one."""
    names = re.findall(r' id="([^"]+)"', page(ana))
    assert len(names) == len(set(names))
    assert {"filter_kind", "id_kind"} <= set(names)
