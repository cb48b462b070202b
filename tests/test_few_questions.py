"""No page asks the database more than twelve times, for nobody, nor more often of more rows."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from guardian.shortcuts import assign_perm

from alerts import entities, feedback, pinned, triage, viewing
from alerts.models import Queue, Review
from anomalyshield.accounts import keys
from anomalyshield.accounts.models import User
from cases import evidence, tasks, workflow
from scoring import lists
from scoring.models import ModelVersion
from scoring.sourcing import make_source
from tests.alerts import making as alerts_making
from tests.alerts.conftest import cards  # noqa: F401
from tests.conftest import client_of, person
from tests.lists import making as lists_making
from tests.models.conftest import bundles_learnt, champion, folder, versions  # noqa: F401
from tests.pages import PEOPLE, kind_of, starts
from tests.rest.world import World
from tests.scoring import making
from tests.webhooks.making import endpoint

pytestmark = pytest.mark.django_db
MOST = 12
LINK = re.compile(rb'(?:href|hx-get)="(/[^"#]*)"')
NO_QUESTION = ("SAVEPOINT", "RELEASE", "ROLLBACK")  # of a test's own transaction
FEW, MORE = range(2), range(2, 6)
SEEN = 1  # where somebody is logged in is written down once a minute


@dataclass
class Way:
    """One person's way over all pages, and what each cost."""

    client: Client
    asked: dict[str, int] = field(default_factory=dict)  # address → statements
    kinds: dict[str, str] = field(default_factory=dict)  # what was met of each

    def walk(self, start: list[str]) -> None:
        """One page of each kind, from link to link."""
        waiting = list(start)
        while waiting:
            address = waiting.pop(0)
            kind = kind_of(address.partition("?")[0])
            if kind and kind not in self.kinds:
                self.kinds[kind] = address
                waiting += self.open(address)

    def open(self, address: str) -> list[str]:
        """Where its links lead; an address of somebody else's object is noted as nothing."""
        with CaptureQueriesContext(connection) as queries:
            answer = self.client.get(address)
        asked = [one["sql"] for one in queries if not one["sql"].startswith(NO_QUESTION)]
        if answer.status_code != 200:
            return []
        self.asked[address] = len(asked)
        found = [] if answer.streaming else LINK.findall(answer.content)
        return [one.decode().replace("&amp;", "&") for one in found]


@pytest.fixture
def world(cards: Queue, champion: ModelVersion, versions: list[ModelVersion]) -> World:  # noqa: F811
    return World(cards, versions)


@pytest.fixture
def people(world: World, cards, ana, lena, dana, mona, adam) -> list[User]:  # noqa: F811
    for one in (ana, lena):
        assign_perm("work_queue", one, cards)
    Review.objects.update(reviewer=lena)
    return [ana, lena, dana, mona, adam]


def hidden(world: World) -> Iterator[str]:
    """What no link leads to, or leads to for one person alone."""
    yield reverse("bulk-preview") + "?all=on"
    for name in ("case", "sample", "review"):
        yield reverse(name, args=[world.ids[f"{name}s"][0]])
    held, sent = world.ids["files"]
    yield reverse("upload-preview", args=[held])
    yield reverse("upload-rejects", args=[sent])
    yield reverse("case-report", args=[world.ids["cases"][0], world.ids["reports"][0]])
    yield reverse("policy-request", args=[world.ids["requests"][0]])


def grow(world: World, queue: Queue, numbers: range) -> None:
    """So many more of everything that stands in a list."""
    analyst, engineer, admin = (world.people[role] for role in ("analyst", "engineer", "admin"))
    second = User.objects.get(username="second")
    case = workflow.escalate(by=analyst, alert=alerts_making.alert(queue, user="customer-0000"))
    whom = entities.find("user", "customer-0007", analyst)
    for n in numbers:
        alerts_making.alert(queue, user="customer-0007")
        workflow.escalate(by=analyst, alert=alerts_making.alert(queue, user=f"more-{n}"))
        triage.decide(
            by=second, alert=alerts_making.alert(queue), disposition="TRUE_POSITIVE_FRAUD"
        )
        tasks.add(by=analyst, case=case, title=f"Call {n}")
        evidence.add(by=analyst, case=case, name=f"{n}.txt", content=b"%d" % n)
        pinned.pin(by=analyst, entity=whom, text=f"Travels {n}.")
        viewing.save(by=second, name=f"View {n}", query=f"q=amount>{n}", queue=queue)
        feedback.add_to_review_queue(f"asked-{n}", {"amount": n}, 0.4, 0)
        lists.put(by=admin, wish=lists_making.wish("ALLOW", "user", f"user-{n}"))
        keys.make_key(by=admin, name=f"key {n}", scopes=["score:write"])
        make_source(by=engineer, name=f"till-{n}", kind="webhook")
        making.send(making.csv_of(making.ordinary_rows(3 + n)), by=engineer, name=f"{n}.csv")
        endpoint()
        person(f"more_{n}", "analyst")


def test_no_page_asks_more_than_twelve_times_nor_more_of_more(world, people, cards) -> None:  # noqa: F811
    grow(world, cards, FEW)
    ways = {user.username: Way(client_of(user)) for user in people}
    for user, way in zip(people, ways.values(), strict=True):
        way.walk([*starts(user), *hidden(world)])
    assert tuple(ways) == PEOPLE
    assert sum(len(way.asked) for way in ways.values()) > 250
    every = [(who, *one) for who, way in ways.items() for one in way.asked.items()]
    dear = [f"{who} {address}: {asked}" for who, address, asked in every if asked > MOST]
    assert dear == []

    grow(world, cards, MORE)
    grown = {}
    for who, way in ways.items():  # each kind of page once more, by whom it was shown to first
        for kind, address in way.kinds.items():
            if address in way.asked and kind not in grown:
                before = way.asked[address]
                way.open(address)
                grown[kind] = (who, address, before, way.asked[address])
    assert [one for one in grown.values() if one[3] > one[2] + SEEN] == []
