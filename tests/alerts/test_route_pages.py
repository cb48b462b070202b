"""The pages of routes and queues: who sees them, what they refuse; nothing typed is lost."""

import pytest

from alerts import directing
from alerts.models import Queue, Route, Routing
from alerts.visibility import queues_of
from anomalyshield.audit.models import AuditEvent
from tests.alerts import making
from tests.conftest import client_of

pytestmark = pytest.mark.django_db
NASTY = "<script>alert(1)</script>"


@pytest.fixture
def as_lena(lena):
    return client_of(lena)


@pytest.fixture
def draft(cards, lena) -> Routing:
    return directing.draft(by=lena)


def form(queue: Queue, **fields) -> dict:
    plain = {"name": "Large", "queue": queue.pk, "grouping": "TYPOLOGY", "window_hours": 24}
    return plain | {"amount_from": "1000"} | fields


def test_everyone_reads_the_routes_and_only_leads_are_offered_a_change(cards, as_ana, as_lena):
    for client, offered in ((as_ana, False), (as_lena, True)):
        page = client.get("/routes/").content.decode()
        assert "Everything else" in page
        assert ("Change routes" in page) is offered


def test_a_lead_drafts_tries_proposes_and_an_admin_puts_it_into_force(
    cards, loans, as_lena, as_adam
):
    assert as_lena.post("/routes/draft/").status_code == 302
    routing = Routing.objects.get(state="DRAFT")
    here = f"/routes/{routing.pk}/"
    assert as_lena.post(f"{here}add/", form(loans, levels=["CRITICAL"])).status_code == 302
    route = routing.routes.get(is_default=False)
    assert route.conditions == {"levels": ["CRITICAL"], "amount_from": 1000.0}
    page = as_lena.get(f"{here}?days=7").content.decode()
    assert "level Critical and amount 1,000 or more" in page
    assert "No alert was raised" in page
    assert as_lena.post(f"{here}propose/", {"reason": "A team of its own"}).status_code == 302
    page = as_adam.get(here)
    seen = page.context["digest"]
    assert as_adam.post(f"{here}approve/", {"seen": seen}).status_code == 302
    assert Routing.objects.get(state="ACTIVE") == routing


def test_a_route_is_edited_moved_and_removed(draft, loans, as_lena):
    here = f"/routes/{draft.pk}/"
    for name in ("one", "two"):
        as_lena.post(f"{here}add/", form(loans, name=name, countries="no, se"))
    one, two = draft.routes.filter(is_default=False)
    page = as_lena.get(f"{here}?edit={one.pk}").content.decode()
    assert 'value="NO, SE"' in page or 'value="no, se"' in page
    as_lena.post(f"{here}{one.pk}/", form(loans, name="first", amount_from="5"))
    as_lena.post(f"{here}{two.pk}/move/", {"to": "up"})
    assert list(draft.routes.values_list("name", flat=True))[:2] == ["two", "first"]
    as_lena.post(f"{here}{two.pk}/remove/")
    assert draft.routes.count() == 2


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"amount_from": "", "cities": " , "}, "Without a condition it takes everything"),
        ({"amount_from": "many"}, "Enter a number"),
        ({"amount_from": "nan"}, "Enter a number"),
        ({"amount_from": "-1"}, "greater than or equal to 0"),
        ({"amount_below": "10"}, "Nothing is 1000 or more and below 10"),
        ({"score_from": "7"}, "less than or equal to 1"),
        ({"levels": ["PURPLE"]}, "PURPLE"),
        ({"queue": "999999"}, "Select a valid choice"),
        ({"window_hours": "0"}, "greater than or equal to 1"),
        ({"sla_minutes": "1"}, "greater than or equal to 5"),
        ({"name": ""}, "This field is required"),
        ({"name": "x" * 81}, "at most 80"),
        ({"cities": ",".join(map(str, range(30)))}, "At most 20 values"),
    ],
)
def test_a_wrong_route_is_refused_in_words_and_stays_typed(draft, loans, as_lena, wrong, sentence):
    sent = form(loans, cities="Oslo") | wrong
    response = as_lena.post(f"/routes/{draft.pk}/add/", sent)
    page = response.content.decode()
    assert response.status_code == 400
    assert sentence in page
    assert draft.routes.count() == 1
    if wrong.get("cities") is None:
        assert 'value="Oslo"' in page


def test_what_is_not_there_is_404(draft, as_lena, loans):
    foreign = Route.objects.create(
        routing=Routing.objects.create(number=99), position=0, name="x", queue=loans,
        conditions={"levels": ["LOW"]},
    )  # fmt: skip
    for address in (
        "/routes/999999/",
        f"/routes/{draft.pk}/{foreign.pk}/move/",
        f"/routes/{draft.pk}/999999/",
    ):
        verb = as_lena.get if address == "/routes/999999/" else as_lena.post
        assert verb(address).status_code == 404
    assert as_lena.get(f"/routes/{draft.pk}/?days=x&edit=y").status_code == 200


def test_a_refusal_is_a_sentence_on_the_page_and_on_the_trail(draft, loans, as_lena, lena):
    here = f"/routes/{draft.pk}/"
    assert as_lena.post(f"{here}propose/", {"reason": ""}).status_code == 400
    response = as_lena.post(f"{here}propose/", {"reason": "x"})
    assert response.status_code == 409
    assert "what is in force already" in response.content.decode()
    as_lena.post(f"{here}add/", form(loans))
    as_lena.post(f"{here}propose/", {"reason": "x"})
    response = as_lena.post(f"{here}approve/", {"seen": "x"})
    assert response.status_code == 409
    assert "A second person has to approve it" in response.content.decode()
    denied = AuditEvent.objects.get(action="route.activate", object_id=draft.pk)
    assert (denied.actor, denied.outcome) == ("lena", "DENIED")


def test_an_analyst_who_is_no_lead_is_told_so(draft, as_ana, loans):
    response = as_ana.post(f"/routes/{draft.pk}/add/", form(loans))
    assert response.status_code == 409
    assert "A lead or an admin says where alerts go." in response.content.decode()


def test_names_are_text(draft, loans, as_lena):
    as_lena.post(f"/routes/{draft.pk}/add/", form(loans, name=NASTY, cities=NASTY))
    assert NASTY not in as_lena.get(f"/routes/{draft.pk}/").content.decode()


def test_an_admin_makes_a_queue_and_says_who_works_it(ana, lena, as_adam):
    sent = {"name": "Loans", "sla_minutes": "90", "people": [ana.pk]}
    assert as_adam.post("/queues/new/", sent).status_code == 302
    queue = Queue.objects.get(name="Loans")
    assert (queue.slug, list(queues_of(ana)), list(queues_of(lena))) == ("loans", [queue], [])
    as_adam.post(f"/queues/{queue.pk}/", sent | {"people": [lena.pk], "name": "Credit"})
    assert (list(queues_of(ana)), list(queues_of(lena))) == ([], [queue])
    told = AuditEvent.objects.filter(action="queue.staffed").latest("pk")
    assert (told.before["people"], told.after["people"]) == (["ana"], ["lena"])


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"name": "CARDS"}, "There is a queue called CARDS already"),
        ({"name": ""}, "This field is required"),
        ({"sla_minutes": "0"}, "greater than or equal to 5"),
        ({"people": ["999999"]}, "999999"),
    ],
)
def test_a_wrong_queue_is_refused_in_words(cards, as_adam, wrong, sentence):
    response = as_adam.post("/queues/new/", {"name": "x", "sla_minutes": "60"} | wrong)
    assert response.status_code == 400
    assert sentence in response.content.decode()
    assert Queue.objects.count() == 1


def test_the_pages_ask_a_fixed_number_of_queries(
    draft, loans, lena, as_lena, django_assert_max_num_queries
):
    for n in range(6):
        directing.add(
            by=lena, routing=draft, said=directing.Said(f"r{n}", loans, {"cities": ["x"]})
        )
    making.alert(loans)
    with django_assert_max_num_queries(12):
        as_lena.get("/routes/")
    with django_assert_max_num_queries(12):
        as_lena.get(f"/routes/{draft.pk}/")
