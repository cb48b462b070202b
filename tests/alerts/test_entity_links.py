"""The link graph: never a hairball, every edge with its evidence, the way to a fraud the shortest.

Each example is compared with the same computed from the list of payments in plain Python.
"""

import re
import time
from collections import defaultdict, deque
from datetime import timedelta
from itertools import pairwise

import pytest
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerts import links
from alerts.entities import named
from alerts.linkrows import EACH, HUB, Id, Span
from alerts.links import MOST, Asked, Graph
from anomalyshield.accounts.models import User
from scoring import labels
from scoring.engine.keys import entity_key, folded_key
from scoring.models import Label, Source, Transaction
from tests.alerts import making

pytestmark = pytest.mark.django_db
NOW = timezone.now()
THINGS = {"card": "card_id", "device": "device_id", "merchant": "merchant_name"}


def stored(rows: list[dict[str, object]]) -> list[Transaction]:
    """Payments of `user` with what they name, all at once."""
    source = Source.objects.get_or_create(name="till")[0]
    return Transaction.objects.bulk_create(
        Transaction(
            source=source,
            external_id=f"l-{next(making.numbers)}",
            event_time=NOW - timedelta(hours=float(row.get("ago", 1))),
            amount=row.get("amount", 10),
            amount_units=int(row.get("amount", 10)) * 10_000,
            currency="USD",
            user_id=row["user"],
            user_key=entity_key(row["user"]),
            card_id=row.get("card", ""),
            card_key=entity_key(row.get("card", "")),
            device_id=row.get("device", ""),
            device_key=entity_key(row.get("device", "")),
            merchant_name=row.get("merchant", ""),
            merchant_key=folded_key(row.get("merchant", "")),
            location=row.get("place", ""),
            place_key=folded_key(row.get("place", "")),
            digest=b"0" * 16,
        )
        for row in rows
    )


def fraud(by: User, paid: Transaction) -> None:
    labels.give(by=by, transaction=paid, value=Label.Value.TRUE_FRAUD, origin=Label.Origin.API)


def graph(kind: str, value: str, **asked: object) -> Graph:
    root = named(kind, value)
    assert root is not None
    return links.graph(root, Asked(Span(NOW - timedelta(days=90), NOW), **asked))


def id_of(kind: str, value: str) -> Id:
    found = named(kind, value)
    assert found is not None
    return Id(kind, found.key)


def values(found: Graph, kind: str) -> set[str]:
    return {node.value for node in found.nodes.values() if node.id.kind == kind}


def address(kind: str, value: str) -> str:
    return reverse("entity-links", args=[kind, value])


# --- whom it finds
def test_a_customer_leads_over_a_shared_device_to_the_fraud_of_another(as_ana, ana, cards):
    _, theirs = stored(
        [{"user": "u-1", "device": "d-17"}, {"user": "u-9", "device": "d-17", "ago": 30}]
    )
    fraud(ana, theirs)
    page = as_ana.get(address("user", "u-1"))
    # The device was used in that fraud itself: it is the nearest.
    assert [node.value for node in page.context["graph"].path] == ["d-17"]
    assert "1 step to a confirmed fraud: device d-17" in page.content.decode()


def test_the_way_to_a_fraud_is_told_step_by_step(as_ana, ana, cards):
    _, _, elsewhere = stored(
        [
            {"user": "u-1", "device": "d-17"},
            {"user": "u-9", "device": "d-17", "ago": 30},
            {"user": "u-9", "card": "c-9", "ago": 40},
        ]
    )
    fraud(ana, elsewhere)
    page = as_ana.get(address("user", "u-1")).content.decode()
    told = re.search(r"<strong>(.*?)</strong></p>", page)
    assert told is not None
    assert told[1].startswith(
        "2 steps to a confirmed fraud: device d-17, then customer u-9 (fraud known since <time "
    )


def test_ones_own_fraud_is_no_way_to_another(ana):
    own, _ = stored([{"user": "u-1", "device": "d-1"}, {"user": "u-2", "device": "d-1"}])
    fraud(ana, own)
    assert graph("user", "u-1").path == []


def test_a_fraud_taken_back_leads_nowhere(ana):
    _, other = stored([{"user": "u-1", "device": "d-1"}, {"user": "u-2", "device": "d-1"}])
    fraud(ana, other)
    assert graph("user", "u-1").path
    labels.take_back(by=ana, label=Label.objects.get())
    assert graph("user", "u-1").path == []


def test_what_few_share_stands_before_what_many_share():
    stored(
        [
            *({"user": f"m-{n}", "merchant": "Corner"} for n in range(20)),
            {"user": "u-1", "merchant": "Corner"},
            {"user": "u-1", "device": "d-1"},
            {"user": "u-2", "device": "d-1"},
        ]
    )
    found = graph("user", "u-1", most=5)
    assert values(found, "user") >= {"u-1", "u-2"}
    strength = {node.value: node.strength for node in found.nodes.values()}
    assert strength["d-1"] > strength["Corner"]
    assert found.edges[0].thing == id_of("device", "d-1")


def test_a_hub_is_named_and_not_walked_through():
    stored([{"user": f"m-{n}", "merchant": "Super"} for n in range(HUB + 5)])
    found = graph("user", "m-0")
    assert values(found, "merchant") == {"Super"}
    assert found.nodes[id_of("merchant", "Super")].is_hub
    assert values(found, "user") == {"m-0"}
    expanded = graph("user", "m-0", expand=frozenset({str(id_of("merchant", "Super"))}))
    assert values(expanded, "user") == {"m-0"}


def test_a_place_is_shown_where_two_of_the_customers_paid():
    stored(
        [
            {"user": "u-1", "device": "d-1", "place": "Oslo"},
            {"user": "u-2", "device": "d-1", "place": "oslo "},
            {"user": "u-1", "device": "d-1", "place": "Bergen"},
        ]
    )
    [place] = values(graph("user", "u-1"), "place")
    assert place.strip().casefold() == "oslo"


def test_expanding_walks_one_step_further_and_dropping_leaves_out():
    stored(
        [
            {"user": "u-1", "device": "d-1"},
            {"user": "u-2", "device": "d-1"},
            {"user": "u-2", "card": "c-2"},
            {"user": "u-3", "card": "c-2"},
        ]
    )
    assert values(graph("user", "u-1"), "card") == set()
    further = graph("user", "u-1", expand=frozenset({str(id_of("user", "u-2"))}))
    assert values(further, "card") == {"c-2"}
    assert further.nodes[id_of("card", "c-2")].degree == 2
    without = graph("user", "u-1", drop=frozenset({str(id_of("device", "d-1"))}))
    assert set(without.nodes) == {id_of("user", "u-1")}
    assert without.dropped[str(id_of("device", "d-1"))].value == "d-1"


def test_payments_outside_the_days_asked_for_make_no_link(as_ana, cards):
    stored([{"user": "u-1", "device": "d-1"}, {"user": "u-2", "device": "d-1", "ago": 24 * 40}])
    page = as_ana.get(address("user", "u-1"))
    assert "u-2" in values(page.context["graph"], "user")
    day = f"{NOW - timedelta(days=10):%Y-%m-%d}"
    page = as_ana.get(address("user", "u-1"), {"since": day})
    assert "u-2" not in values(page.context["graph"], "user")


# --- what must always hold
payments = st.lists(
    st.fixed_dictionaries(
        {"user": st.sampled_from([f"u-{n}" for n in range(8)])},
        optional={
            "card": st.sampled_from([f"c-{n}" for n in range(6)]),
            "device": st.sampled_from([f"d-{n}" for n in range(5)]),
            "merchant": st.sampled_from(["Fjord", "fjord ", "Corner", "Super"]),
            "ago": st.integers(1, 80 * 24),
            "amount": st.integers(1, 500),
        },
    ),
    min_size=1,
    max_size=40,
)


@settings(
    max_examples=15, deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
@given(rows=payments, called=st.sets(st.integers(0, 39), max_size=4), most=st.integers(2, 80))
def test_edges_are_counts_and_ways_to_frauds_are_shortest(ana, rows, called, most):
    with transaction.atomic():
        made = stored(rows)
        bad = [made[n] for n in sorted(called) if n < len(made)]
        for one in bad:
            fraud(ana, one)
        check(graph("user", rows[0]["user"], most=most), made, {one.pk for one in bad}, most)
        transaction.set_rollback(True)


def check(found: Graph, made: list[Transaction], bad: set[int], most: int) -> None:
    assert len(found.nodes) <= MOST
    near, shared = defaultdict(set), defaultdict(list)
    for paid in made:
        user = Id("user", paid.user_key)
        for kind in THINGS:
            if key := getattr(paid, f"{kind}_key"):
                near[user].add(Id(kind, key))
                near[Id(kind, key)].add(user)
                shared[user, Id(kind, key)].append(paid)
    for edge in found.edges:
        theirs = shared[edge.user, edge.thing]
        said = edge.evidence
        assert said.payments == len(theirs)
        assert (said.first, said.last) == (
            min(p.event_time for p in theirs), max(p.event_time for p in theirs),
        )  # fmt: skip
        assert said.units == sum(p.amount_units for p in theirs)
    drawn = {(e.user, e.thing) for e in found.edges}
    whole = {pair for pair in shared if pair[0] in found.nodes and pair[1] in found.nodes}
    assert drawn == whole
    root = next(iter(found.nodes))
    steps = {root: 0}
    waiting = deque([root])
    while waiting:
        one = waiting.popleft()
        for other in near[one] - set(steps):
            steps[other] = steps[one] + 1
            waiting.append(other)
    assert all(node.level == steps[node.id] for node in found.nodes.values())
    frauds = defaultdict(set)
    for paid in made:
        if paid.pk in bad:
            for one in (Id("user", paid.user_key), Id("card", paid.card_key),
                        Id("device", paid.device_key)):  # fmt: skip
                frauds[one].add(paid.pk)
    own = set(frauds.get(root, ()))
    reach = [
        steps[one] for one, numbers in frauds.items()
        if one.key and one in steps and 0 < steps[one] <= links.DEPTH and numbers - own
    ]  # fmt: skip
    assert bool(found.path) == bool(reach)
    if reach:
        way = [root, *(node.id for node in found.path)]
        assert len(found.path) == min(reach)
        assert all(there in near[here] for here, there in pairwise(way))
        if most > min(reach):
            assert set(way) <= set(found.nodes)


# --- how much it reads
def test_a_merchant_of_fifty_thousand_payments_is_read_in_little_time(ana):
    crowd = [{"user": f"u-{n % 3000}", "merchant": "Super", "ago": n / 100} for n in range(100)]
    stored(crowd)
    with connection.cursor() as cursor:  # the rest as copies of the first hundred
        names = [f.column for f in Transaction._meta.concrete_fields if f.column != "id"]
        changed = {
            "external_id": "external_id || '-' || n",
            "user_id": "'u-' || (n * 7919 % 3000)",
            "user_key": "n * 7919 % 3000 + 1",
            "event_time": "event_time - n * interval '2 minutes'",
        }
        told = ", ".join(changed.get(name, name) for name in names)
        cursor.execute(
            f"INSERT INTO scoring_transaction ({', '.join(names)})"
            f" SELECT {told} FROM scoring_transaction, generate_series(1, 499) AS n"
        )
        cursor.execute("ANALYZE scoring_transaction")
    graph("merchant", "Super")
    began = time.process_time()
    with CaptureQueriesContext(connection) as asked:
        found = graph("merchant", "Super", most=MOST)
    assert time.process_time() - began < 1.0
    assert len(found.nodes) <= MOST
    assert found.nodes[id_of("merchant", "Super")].is_hub
    assert len(asked) <= 6
    assert rows_read(asked) < 60_000  # of fifty thousand of the merchant alone


def rows_read(asked: CaptureQueriesContext) -> int:
    """Rows of payments that the statements looked at, as the database counts them."""
    most = 0
    for one in asked.captured_queries:
        if "scoring_transaction" not in one["sql"]:
            continue
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON, TIMING OFF) {one['sql']}")
            most += scanned(cursor.fetchone()[0][0]["Plan"])
    return most


def scanned(plan: dict[str, object]) -> int:
    own = plan["Actual Rows"] * plan["Actual Loops"] if plan.get("Relation Name") else 0
    return int(own) + sum(scanned(part) for part in plan.get("Plans", []))


def test_the_page_asks_few_questions(as_ana, cards):
    stored([{"user": f"u-{n}", "device": f"d-{n % 4}", "merchant": "Fjord"} for n in range(30)])
    for kind, value in (("user", "u-1"), ("device", "d-1"), ("merchant", "Fjord")):
        as_ana.get(address(kind, value))
        with CaptureQueriesContext(connection) as asked:
            assert as_ana.get(address(kind, value)).status_code == 200
        said = [one["sql"] for one in asked if not one["sql"].startswith(("SAVEPOINT", "RELEASE"))]
        assert len(said) <= 12, said


# --- the page
def test_the_drawing_and_the_table_say_the_same(as_ana, cards):
    stored([{"user": f"u-{n}", "device": "d-<b>"} for n in range(3)])
    page = as_ana.get(address("user", "u-0"))
    text, found = page.content.decode(), page.context["graph"]
    assert "d-<b>" not in text
    assert text.count('class="edge') == len(found.edges) == 3
    for node in found.nodes.values():
        assert f"at={node.id}#chosen" in text
    assert "shared by 3 customers" in text
    assert 'style="' not in text


def test_choosing_a_node_offers_what_can_be_done_with_it(as_ana, cards):
    stored([{"user": "u-1", "device": "d-1"}, {"user": "u-2", "device": "d-1"}])
    mark = str(id_of("device", "d-1"))
    page = as_ana.get(address("user", "u-1"), {"at": mark})
    panel = page.context["panel"]
    assert panel["focus"].startswith(address("device", "d-1"))
    without = as_ana.get(address("user", "u-1") + panel["drop"].partition("#")[0])
    assert set(values(without.context["graph"], "device")) == set()
    assert "left out: device d-1" in without.content.decode()
    user = as_ana.get(address("user", "u-1"), {"at": str(id_of("user", "u-2"))}).context["panel"]
    opened = as_ana.get(address("user", "u-1") + user["expand"].partition("#")[0])
    assert opened.context["graph"].nodes[id_of("user", "u-2")].opened


def test_whoever_reads_values_masked_sees_a_merchants_links_masked(as_mona, cards):
    stored(
        [{"user": f"customer-{n}77", "merchant": "Fjord", "device": "device-99"} for n in range(3)]
    )
    assert as_mona.get(address("user", "customer-077")).status_code == 404
    page = as_mona.get(address("merchant", "Fjord"))
    for hidden in ("customer-", "device-99"):
        assert hidden not in page.content.decode().replace('value="customer', "")
    assert "cu…77" in page.content.decode()
    answer = as_mona.get("/api/v1/entities/merchant/Fjord/links").content.decode()
    assert "customer-" not in answer


@pytest.mark.parametrize(
    "query",
    [
        {"expand": "x,device.,device.x,planet.1,'; --", "drop": "\x00", "at": "<b>"},
        {"since": "yesterday", "until": "9999-99-99", "most": "1000"},
        {"since": "2026-02-01", "until": "2026-01-01"},
        {"expand": ",".join(["device.1"] * 2000)},
    ],
)
def test_addresses_nobody_gave_out_are_no_trouble(as_ana, cards, query):
    stored([{"user": "u-1", "device": "d-1"}])
    assert as_ana.get(address("user", "u-1"), query).status_code == 200
    assert as_ana.get(address("user", "u-2"), query).status_code == 404


def test_a_program_reads_the_same_graph(as_ana: Client, ana, cards):
    _, other = stored([{"user": "u-1", "card": "c-1"}, {"user": "u-2", "card": "c-1"}])
    fraud(ana, other)
    told = as_ana.get("/api/v1/entities/user/u-1/links").json()
    assert [one["value"] for one in told["nodes"]] == ["u-1", "c-1", "u-2"]
    assert told["path"] == [str(id_of("card", "c-1"))]
    assert {one["payments"] for one in told["edges"]} == {1}
    assert told["sentence"].startswith("1 step to a confirmed fraud: card c-1")
    without = as_ana.get(f"/api/v1/entities/user/u-1/links?drop={told['path'][0]}").json()
    assert len(without["nodes"]) == 1
    assert as_ana.get("/api/v1/entities/user/u-1/links?most=61").status_code == 400
    assert EACH >= HUB
