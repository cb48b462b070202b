"""Whom an entity is linked with: by what was shared, frauds first, then what few people share.

From the root outwards in steps: a customer leads to cards, devices, merchants and places, and those
lead to their other customers. A thing shared by three says more than one shared by three thousand:
its weight is 1 / log2(1 + customers), after Adamic and Adar, “Friends and neighbors on the Web”,
Social Networks 25, 2003. Hubs are named and never walked through.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from math import exp, log2

from alerts import linkrows
from alerts.entities import Entity
from alerts.linkrows import HUB, Evidence, Id, Met, Span

MOST = 60  # nodes, whatever is asked for
USUAL = 30
DEPTH = 2  # steps that are walked unasked
DEEPEST = 4  # steps with everything expanded
OPENED = 40  # entities walked through per step
MEASURED = 60  # things of one step whose customers are counted
AROUND = 400  # customers of a root that is a hub
LOOKED_AT = 1500  # entities asked for frauds
PLACES = 6  # candidates; shown are those where two of the customers shown have paid …
TOWN = 5  # … and no more than so many: where everybody pays says nothing
DAYS = 90
HALF = timedelta(days=30)  # a link that long ago counts little more than half
UNSHARED, UNCOUNTED = 0.06, 0.03  # weights of what leads nowhere: own things, hubs and places
TARGETS = {"user", "card", "device"}  # nearly every merchant has met a fraud


@dataclass(frozen=True)
class Asked:
    """What somebody wants to see."""

    span: Span
    expand: frozenset[str] = frozenset()
    drop: frozenset[str] = frozenset()
    most: int = USUAL
    reader: int = 0  # who asks: what they review without knowing the verdict is no fraud to them


@dataclass
class Node:
    """An entity, how many steps away it is and by whom it was reached."""

    id: Id
    value: str
    level: int
    strength: float = 0.0
    degree: int = 0  # customers it has among what was read; 0: not counted
    opened: bool = False
    reached: dict[Id, float] = field(default_factory=dict)  # by whom → how strongly
    frauds: dict[int, datetime] = field(default_factory=dict)
    on_path: bool = False

    @property
    def is_hub(self) -> bool:
        return self.degree > HUB

    @property
    def known_since(self) -> datetime | None:
        return min(self.frauds.values(), default=None)

    @property
    def may_open(self) -> bool:
        """Whether walking through it could show more."""
        return not (self.opened or self.is_hub or self.id.kind == "place" or self.degree == 1)


@dataclass(frozen=True)
class Edge:
    """A customer and something they paid with, at or in."""

    user: Id
    thing: Id
    evidence: Evidence
    on_path: bool
    weight: float


@dataclass(frozen=True)
class Graph:
    """At most `MOST` nodes, the root first; edges by rank; `path` leads to the nearest fraud."""

    nodes: dict[Id, Node]
    edges: list[Edge]
    path: list[Node]
    reached: int  # entities that were found altogether
    deepest: int
    dropped: dict[str, Node]  # mark → what was left out by hand, as far as it was met

    @property
    def left_out(self) -> int:
        return self.reached - len(self.nodes)


def graph(root: Entity, asked: Asked) -> Graph:
    """The entities around the root, with the evidence of every edge among them."""
    dropped: dict[str, Node] = {}
    known = _walked(Id(root.kind, root.key), root.value, asked, dropped)
    start = known[Id(root.kind, root.key)]
    ranked = sorted(known.values(), key=lambda n: (n.level > 0, -n.strength, n.id))
    looked_at = [node.id for node in ranked[:LOOKED_AT]]
    for one, frauds in linkrows.frauds(looked_at, asked.reader).items():
        known[one].frauds = frauds
    targets = _targets(known.values(), start)
    nodes = _chosen(ranked, targets, known, min(max(asked.most, 2), MOST))
    path = _path(targets[0], known) if targets else []
    for target in targets:
        if target.id in nodes:
            for node in _path(target, known):
                node.on_path = start.on_path = True
    places = [node for node in ranked if node.id.kind == "place"][:PLACES]
    found = _edges(nodes, places, asked)
    deepest = max(node.level for node in nodes.values())
    return Graph(nodes, found, path, len(known), deepest, dropped)


def _walked(root: Id, value: str, asked: Asked, dropped: dict[str, Node]) -> dict[Id, Node]:
    """Everything that is met, step by step; each entity at its shortest distance."""
    known = {root: Node(root, value, 0, 1.0)}
    step = [known[root]]
    for level in range(DEEPEST):
        opened = [n for n in step if _opens(n, level, asked)]
        opened = sorted(opened, key=lambda n: (-n.strength, n.id))[:OPENED]
        if not opened:
            break
        for node in opened:
            node.opened = True
        met = _neighbours(opened, asked)
        step = _taken_in(met, level + 1, known, asked, dropped)
        if opened[0].id.kind == "user":
            step = _measured(step, asked)
        _weighed(step, known)
    return known


def _opens(node: Node, level: int, asked: Asked) -> bool:
    if node.id.kind == "place" or (node.is_hub and level):
        return False
    return level < DEPTH or str(node.id) in asked.expand


def _neighbours(opened: Sequence[Node], asked: Asked) -> list[Met]:
    """A step is of customers alone or of things alone: whatever they share has a customer."""
    if opened[0].id.kind == "user":
        return linkrows.of_users([node.id.key for node in opened], asked.span)
    of_hubs = AROUND if opened[0].level == 0 else 1
    return linkrows.of_things([node.id for node in opened], asked.span, of_hubs=of_hubs)


def _taken_in(
    met: Iterable[Met],
    level: int,
    known: dict[Id, Node],
    asked: Asked,
    dropped: dict[str, Node],
) -> list[Node]:
    """The entities of the next step, each with those it was reached by."""
    new: dict[Id, Node] = {}
    for one in met:
        user = Id("user", one.user)
        for here, there, value in ((user, one.thing, one.value), (one.thing, user, one.user_id)):
            if here not in known or known[here].level != level - 1:
                continue
            if str(there) in asked.drop:
                dropped[str(there)] = Node(there, value, level)
                continue
            if one.degree:
                known[here].degree = one.degree
            if there in known and known[there].level < level:
                continue
            node = known.setdefault(there, Node(there, value, level))
            node.reached[here] = _fresh(one.last, asked.span.until)
            new[there] = node
    return list(new.values())


def _measured(things: list[Node], asked: Asked) -> list[Node]:
    """Count the customers of what was met: cards and devices before merchants."""
    order = {"device": 0, "card": 1, "merchant": 2}
    counted = [node for node in things if node.id.kind in order]
    counted.sort(key=lambda n: (order[n.id.kind], -max(n.reached.values()), n.id))
    degrees = {
        one.thing: one.degree
        for one in linkrows.of_things([n.id for n in counted[:MEASURED]], asked.span)
    }
    for node in counted[:MEASURED]:
        node.degree = degrees.get(node.id, 0)
    return things


def _weighed(step: Iterable[Node], known: dict[Id, Node]) -> None:
    """How strongly each is linked with the root: several ways add up, and never exceed one."""
    for node in step:
        apart = 1.0
        for by, fresh in node.reached.items():
            apart *= 1 - known[by].strength * fresh * _rarity(node)
        node.strength = 1 - apart


def _rarity(node: Node) -> float:
    if node.id.kind == "user":
        return 0.9
    if node.id.kind == "place" or node.is_hub or not node.degree:
        return UNCOUNTED
    if node.degree == 1:
        return UNSHARED if node.id.kind != "merchant" else UNCOUNTED
    return 1 / log2(1 + node.degree)


def _fresh(last: datetime, until: datetime) -> float:
    return 0.5 + 0.5 * exp(-max((until - last) / HALF, 0.0))


def _targets(nodes: Iterable[Node], root: Node) -> list[Node]:
    """Entities with a confirmed fraud that is not the root's own, nearest first."""
    own = set(root.frauds) if root.id.kind in TARGETS else set()
    found = [
        node for node in nodes if node.level and node.id.kind in TARGETS and set(node.frauds) - own
    ]
    return sorted(found, key=lambda n: (n.level, -n.strength, n.id))


def _path(node: Node, known: dict[Id, Node]) -> list[Node]:
    """From the root to it by the strongest of the shortest ways; the root itself left out."""
    way = [node]
    while way[0].level > 1:
        by = max(way[0].reached, key=lambda one: (known[one].strength, one))
        way.insert(0, known[by])
    return way


def _chosen(
    ranked: Sequence[Node], targets: Sequence[Node], known: dict[Id, Node], most: int
) -> dict[Id, Node]:
    """The root, the ways to frauds, then the strongest, each with its way; places come later."""
    chosen = {ranked[0].id: ranked[0]}
    for node in (*targets, *ranked[1:]):
        if node.id.kind == "place":
            continue
        way = [one for one in _path(node, known) if one.id not in chosen]
        if len(chosen) + len(way) <= most:
            chosen |= {one.id: one for one in way}
    return chosen


def _edges(nodes: dict[Id, Node], places: Sequence[Node], asked: Asked) -> list[Edge]:
    """All edges among them; places join where two of the customers have paid, if there is room."""
    users = [one.key for one in nodes if one.kind == "user"]
    things = [one for one in nodes if one.kind != "user"]
    frauds = {number for node in nodes.values() for number in node.frauds}
    wanted = [*things, *(place.id for place in places)]
    met = linkrows.edges(users, wanted, frauds, asked.span)
    for place in places:
        theirs = [nodes[Id("user", user)] for user, thing in met if thing == place.id]
        if 1 < len(theirs) <= TOWN and len(nodes) < min(asked.most, MOST):
            nodes[place.id] = replace(place, level=min(user.level for user in theirs) + 1)
    told = [
        _edge(nodes[Id("user", user)], nodes[thing], evidence)
        for (user, thing), (_, evidence) in met.items()
        if thing in nodes
    ]
    return sorted(told, key=_rank)


def _rank(edge: Edge) -> tuple[object, ...]:
    """On the way to a fraud first, then where frauds were, then what few share, then the latest."""
    said = edge.evidence
    latest = -said.last.timestamp()
    return not edge.on_path, not said.frauds, -edge.weight, latest, edge.user, edge.thing


def _edge(user: Node, thing: Node, evidence: Evidence) -> Edge:
    on_path = user.on_path and thing.on_path and abs(user.level - thing.level) == 1
    return Edge(user.id, thing.id, evidence, on_path, _rarity(thing))
