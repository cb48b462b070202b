"""The search of the queue: what it finds, how it says no, and how far it looks."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st

from alerts import listing, query, triage
from alerts.models import Alert
from alerts.query_fields import Asker
from scoring.engine.keys import entity_key
from tests.alerts import making

pytestmark = pytest.mark.django_db
NOBODY = Asker(AnonymousUser(), [])


def rows(response) -> list[Alert]:
    return response.context["page"].rows


def search(client, text: str, **more: str):
    return client.get("/alerts/", {"q": text, **more})


def found(client, text: str) -> set[Alert]:
    response = search(client, text)
    assert response.status_code == 200, response.context["wrong"]
    return set(rows(response))


@pytest.fixture
def pile(cards, ana):
    """Four alerts that differ in everything one can ask for."""
    big = making.alert(
        cards,
        user="user_42",
        amount="9000",
        score=0.95,
        level="CRITICAL",
        reason_codes=["HIGH_AMOUNT"],
        location="New Delhi",
        merchant_name="Acme Shop",
        country="IN",
        mcc="6011",
    )
    card = making.alert(
        cards, user="user_7", amount="20", card_id="c-9", card_key=entity_key("c-9")
    )
    late = making.alert(cards, amount="300", due_at=timezone.now() - timedelta(hours=3))
    mine = triage.claim(by=ana, alert=making.alert(cards, amount="400", level="MEDIUM"))
    Alert.objects.filter(pk=card.pk).update(suspected="CARD_TESTING", hit_count=4)
    Alert.objects.filter(pk=late.pk).update(created_at=timezone.now() - timedelta(days=2))
    return {"big": big, "card": card, "late": late, "mine": mine}


FINDS = {
    "entity:user_42": "big",
    "user:user_42": "big",
    "user_42": "big",
    "amount>5000": "big",
    "amount>=5k": "big",
    "amount>250 amount<1k": "late mine",
    "amount:20": "card",
    "score>=.9": "big",
    "reason:HIGH_AMOUNT": "big",
    "reason:high_amount amount>5000 level:critical": "big",
    "level:CRITICAL,MEDIUM": "big mine",
    "-level:HIGH": "big mine",
    "-level:HIGH -level:CRITICAL": "mine",
    "typology:card_testing": "card",
    "-typology:card_testing amount<350": "late",
    "hits>3": "card",
    "is:group": "card",
    "age<2h": "big card mine",
    "age>1d": "late",
    "sla<0": "late",
    "sla<-2h": "late",
    "sla>30m level:HIGH": "card",
    "is:late": "late",
    "-is:late amount<350": "card",
    "is:mine": "mine",
    "owner:me": "mine",
    "owner:ana": "mine",
    "owner:nobody amount<100": "card",
    "-is:mine amount>350": "big",
    "queue:cards amount>5000": "big",
    "source:till country:in": "big",
    'place:"new delhi"': "big",
    "merchant:acme": "big",
    "mcc:6011": "big",
    "card:c-9": "card",
    "c-9": "card",
    "device:none": "",
    "is:decided": "",
    "verdict:fraud": "",
    "loss>8000": "big",
    "total>8000": "big",
}


def test_a_search_finds_what_it_says(as_ana, pile):
    for text, names in FINDS.items():
        assert found(as_ana, text) == {pile[name] for name in names.split()}, text


def test_an_alert_is_found_by_its_number(as_ana, pile):
    for text in (str(pile["late"]), f"a-{pile['late'].pk}", str(pile["late"].pk)):
        assert pile["late"] in found(as_ana, text)


def test_a_verdict_is_looked_for_among_what_is_decided(as_ana, ana, cards):
    done = triage.decide(by=ana, alert=making.alert(cards), disposition="TRUE_POSITIVE_FRAUD")
    triage.decide(by=ana, alert=making.alert(cards), disposition="FALSE_POSITIVE")
    assert found(as_ana, "verdict:fraud") == {done}


def test_a_search_and_the_other_filters_both_hold(as_ana, pile):
    assert rows(search(as_ana, "amount>100", level="MEDIUM")) == [pile["mine"]]
    assert rows(search(as_ana, "level:HIGH", level="MEDIUM")) == []


MISTAKES = [
    ("amout>5000", "amout", "‘amout’ is no field; did you mean amount?"),
    ("level:HIGH amout>5000", "amout", "did you mean amount?"),
    ("-levle:HIGH", "levle", "did you mean level?"),
    ("amount>lots", "lots", "‘lots’ is no number"),
    ("amount>nan", "nan", "no number that an alert could have"),
    ("amount>1e99", "1e99", "no number that an alert could have"),
    ("level:HIGH,HUGE", "HUGE", "‘HUGE’ is not one of"),
    ("level:HIHG", "HIHG", "did you mean HIGH?"),
    ("level>HIGH", "level>HIGH", "level is not compared"),
    ("age<soon", "soon", "no length of time"),
    ("age:2h", "2h", "An age is compared"),
    ("age<99999999w", "99999999w", "longer than anything"),
    ("sla:0", "0", "Time left is compared"),
    ("is:lat", "lat", "did you mean late?"),
    ("owner:zoe", "zoe", "‘zoe’ is not one of"),
    ("queue:loans", "loans", "‘loans’ is not one of cards"),
    ("source:nowhere", "nowhere", "‘nowhere’ is not"),
    ("reason:a!b", "a!b", "A reason is a code like HIGH_AMOUNT."),
    ("amount>", "amount>", "A value is missing"),
    ('place:"New Delhi', '"', "This quote is not closed."),
]


def test_a_mistake_is_shown_at_its_place_and_the_search_is_kept(as_ana, pile, loans):
    for text, place, words in MISTAKES:
        response = search(as_ana, text)
        [(sentence, before, at, behind)] = response.context["wrong"]
        assert (response.status_code, before + at + behind) == (400, text)
        assert words in sentence
        assert at.startswith(place)
        assert rows(response) == []
        assert "<mark>" in response.content.decode()


def test_too_much_is_said_not_run(as_ana, cards):
    assert "at most 20 words" in search(as_ana, "amount>1 " * 21).content.decode()
    assert "at most 500 characters" in search(as_ana, "x" * 501).content.decode()
    assert search(as_ana, "level:" + "HIGH," * 30).status_code == 400


def test_who_sees_names_masked_cannot_ask_for_one(as_mona, cards):
    alert = making.alert(cards, user="customer-0042")
    for text in ("entity:customer-0042", "customer-0042", "-user:customer-0043", "card:c"):
        response = search(as_mona, text)
        assert (response.status_code, rows(response)) == (400, [])
        assert "masked for you" in response.content.decode()
    assert rows(search(as_mona, str(alert))) == [alert]


def test_a_foreign_queue_stays_foreign(as_ana, cards, loans):
    foreign = making.alert(loans, user="customer-9")
    for text in (str(foreign), "entity:customer-9", "customer-9", "amount>0", "is:all"):
        assert rows(search(as_ana, text)) == []


def test_what_no_index_serves_is_looked_for_so_far_and_no_further(as_ana, cards, monkeypatch):
    monkeypatch.setattr(listing, "LOOKED", 3)
    wanted = [making.alert(cards, amount=str(900 - n), location="Oslo") for n in (0, 5)]
    for number in range(5):
        making.alert(cards, amount=str(800 - number), location="Rome")
    wanted.append(making.alert(cards, amount="1", location="Oslo"))
    seen, address, pages = [], "/alerts/?q=place:oslo", 0
    while address:
        response = as_ana.get(address)
        seen, pages = seen + rows(response), pages + 1
        after = response.context["next_page"]
        address = f"/alerts/?{after}" if after else ""
        if after:
            assert "Look further" in response.content.decode()
    assert (seen, pages) == (wanted, 3)


def test_what_an_index_serves_is_not_bounded(as_ana, cards, monkeypatch):
    monkeypatch.setattr(listing, "LOOKED", 1)
    for number in range(3):
        last = making.alert(cards, amount=str(100 - number))
    Alert.objects.filter(pk=last.pk).update(level="LOW")
    for text in ("level:LOW", "is:open queue:cards level:low"):
        assert rows(search(as_ana, text)) == [last]


def test_deciding_goes_on_within_the_search(as_ana, ana, cards):
    first = making.alert(cards, amount="900", location="Oslo")
    making.alert(cards, amount="800", location="Rome")
    third = making.alert(cards, amount="700", location="Oslo")
    answer = as_ana.post(
        f"/alerts/{first.pk}/decide/?q=place:oslo", {"disposition": "FALSE_POSITIVE"}
    )
    assert answer["Location"] == f"/alerts/{third.pk}/?q=place%3Aoslo"


def test_a_program_asks_the_same(as_ana, pile):
    answer = as_ana.get("/api/v1/alerts", {"q": "amount>5000 reason:HIGH_AMOUNT"})
    assert [one["id"] for one in answer.json()["results"]] == [pile["big"].pk]
    refused = as_ana.get("/api/v1/alerts", {"q": "level:HIGH amout>5"})
    told = refused.json()
    assert (refused.status_code, told["code"]) == (400, "unreadable_query")
    assert told["errors"][0]["pointer"] == "/q"
    assert "characters 11 to 16" in told["errors"][0]["detail"]


@pytest.mark.parametrize(
    "text, start, options",
    [
        ("am", 0, ["amount"]),
        ("level:HIGH sco", 11, ["score"]),
        ("level:cr", 6, ["CRITICAL"]),
        ("level:HIGH,me", 11, ["MEDIUM"]),
        ("-is:la", 4, ["late"]),
        ("reason:high_am", 7, ["HIGH_AMOUNT"]),
        ("queue:", 6, ["cards"]),
        ("amount>5", 7, []),
        ("nonsense:x", 9, []),
    ],
)
def test_a_word_can_be_completed(as_ana, cards, text, start, options):
    told = as_ana.get("/alerts/complete/", {"q": text, "at": len(text)}).json()
    assert (told["start"], [one["insert"] for one in told["options"]]) == (start, options)


def test_completion_offers_no_names_to_those_who_may_not_ask(as_mona, cards):
    told = as_mona.get("/alerts/complete/", {"q": "", "at": "x"}).json()
    assert "entity:" not in [one["insert"] for one in told["options"]]


@settings(deadline=None)  # a crowded machine is no mistake of the reader
@given(st.text(st.sampled_from("amount:>< \"',-_level5HIGH.A"), max_size=60))
def test_whatever_is_typed_is_read_or_refused_at_a_place_in_it(text):
    read = query.read(text, NOBODY)
    assert all(0 <= one.start <= one.end <= len(text) for one in read.problems)
    assert len(read.terms) == len(read.conditions)
