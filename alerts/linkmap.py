"""The link graph as a drawing: the root at the left, each step a column, every node a link.

Laid out by arithmetic alone, so the same graph is always the same drawing: within a column nodes
stand by the mean place of those they were reached by (the barycentre of Sugiyama, Tagawa and Toda,
“Methods for visual understanding of hierarchical system structures”, IEEE SMC-11, 1981).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from math import log2

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from alerts.linkrows import Id
from alerts.links import Edge, Graph, Node

WIDE, HIGH, ACROSS, DOWN, EDGE = 176, 26, 268, 34, 10  # of a node; from node to node; margin
LETTERS, COUNTED = 19, 17  # of a name; beside a number
SIGNS = {"user": "●", "card": "▭", "device": "▣", "merchant": "⌂", "place": "◎"}


@dataclass(frozen=True)
class Shown:
    """How a node is drawn: its name, what a screen reader says, and where its links lead."""

    name: str
    said: str
    address: str  # empty: no link
    more: str = ""  # the address that walks through it; empty: nothing more to see
    chosen: bool = False


def places(graph: Graph) -> dict[Id, tuple[int, int]]:
    """The upper left corner of each node."""
    columns: dict[int, list[Node]] = {}
    for node in graph.nodes.values():
        columns.setdefault(node.level, []).append(node)
    found: dict[Id, tuple[int, int]] = {}
    near = _neighbours(graph)
    for step, level in enumerate(sorted(columns)):
        nodes = sorted(columns[level], key=lambda n: _order(n, near, found))
        for row, node in enumerate(nodes):
            found[node.id] = (EDGE + step * ACROSS, EDGE + row * DOWN)
    return found


def _neighbours(graph: Graph) -> dict[Id, list[Id]]:
    near: dict[Id, list[Id]] = {}
    for edge in graph.edges:
        near.setdefault(edge.user, []).append(edge.thing)
        near.setdefault(edge.thing, []).append(edge.user)
    return near


def _order(
    node: Node, near: Mapping[Id, list[Id]], found: Mapping[Id, tuple[int, int]]
) -> tuple[bool, float, float, Id]:
    """Ways to frauds at the top, where one looks first."""
    return not node.on_path, _middle(node, near, found), -node.strength, node.id


def _middle(node: Node, near: Mapping[Id, list[Id]], found: Mapping[Id, tuple[int, int]]) -> float:
    rows = [found[one][1] for one in near.get(node.id, []) if one in found]
    return sum(rows) / len(rows) if rows else float("inf")


def drawn(graph: Graph, show: Callable[[Node], Shown], said: Callable[[Edge], str]) -> SafeString:
    """The drawing; edges first, so that nodes lie on top, and the way to a fraud above others."""
    at = places(graph)
    width = max(x for x, _ in at.values()) + WIDE + EDGE + 28  # the sign for more
    height = max(y for _, y in at.values()) + HIGH + EDGE
    edges = format_html_join(
        "",
        '<path class="{}" d="{}" stroke-width="{}"><title>{}</title></path>',
        (
            (
                _edge_class(edge, graph),
                _curve(at, edge),
                _thick(edge),
                said(edge),
            )
            for edge in sorted(graph.edges, key=lambda e: (e.on_path, e.user, e.thing))
        ),
    )
    order = sorted(graph.nodes.values(), key=lambda n: at[n.id])
    nodes = format_html_join("", "{}", ((_node(node, show(node), *at[node.id]),) for node in order))
    return format_html(
        '<svg class="link-map" viewBox="0 0 {} {}" width="{}" height="{}" role="group" '
        'aria-label="{}">{}{}</svg>',
        width,
        height,
        width,
        height,
        _("{entities} linked entities; the table of links below says the same").format(
            entities=len(graph.nodes)
        ),
        edges,
        nodes,
    )


def _node(node: Node, shown: Shown, x: int, y: int) -> SafeString:
    short = _cut(shown.name, COUNTED if node.degree > 1 else LETTERS)
    box = format_html(
        '<title>{}</title><rect x="{}" y="{}" width="{}" height="{}" rx="6"/>'
        '<text class="sign" x="{}" y="{}" aria-hidden="true">{}</text>'
        '<text x="{}" y="{}">{}</text>',
        shown.said,
        x,
        y,
        WIDE,
        HIGH,
        x + 8,
        y + 17,
        SIGNS[node.id.kind],
        x + 25,
        y + 17,
        short,
    )
    if shown.address:
        current = SafeString(' aria-current="true"') if shown.chosen else ""
        # What stands in the box is part of its name, cut as it is: people say what they see.
        said = shown.said if short == shown.name else f"{short} {shown.said}"
        box = format_html(
            '<a href="{}" aria-label="{}"{}>{}</a>', shown.address, said, current, box
        )
    beside = SafeString(_count(node, x, y) + _more(shown, x, y))
    return format_html('<g class="{}">{}{}</g>', _node_class(node, shown), box, beside)


def _cut(name: str, letters: int) -> str:
    return name if len(name) <= letters else f"{name[: letters - 1]}…"


def _count(node: Node, x: int, y: int) -> SafeString:
    """How many customers share it; of a hub, that they are many. The link says it in words."""
    if node.degree < 2:
        return SafeString("")
    words = f"{node.degree}" if not node.is_hub else _("many")
    return format_html(
        '<text class="count" x="{}" y="{}" text-anchor="end" aria-hidden="true">{}</text>',
        x + WIDE - 8,
        y + 17,
        words,
    )


def _more(shown: Shown, x: int, y: int) -> SafeString:
    if not shown.more:
        return SafeString("")
    return format_html(
        '<a class="more" href="{}" aria-label="{}"><title>{}</title>'
        '<circle cx="{}" cy="{}" r="12"/><text x="{}" y="{}" text-anchor="middle">+</text></a>',
        shown.more,
        _("Expand {name}").format(name=shown.name),
        _("Expand"),
        x + WIDE + 16,
        y + HIGH // 2,
        x + WIDE + 16,
        y + HIGH // 2 + 4,
    )


def _node_class(node: Node, shown: Shown) -> str:
    marks = {
        "root": not node.level,
        "fraud": bool(node.frauds) and node.id.kind != "merchant",
        "way": node.on_path,
        "hub": node.is_hub or node.id.kind == "place",
        "chosen": shown.chosen,
    }
    return " ".join(["node", node.id.kind, *(name for name, is_so in marks.items() if is_so)])


def _edge_class(edge: Edge, graph: Graph) -> str:
    thing = graph.nodes[edge.thing]
    weak = thing.is_hub or thing.id.kind == "place"
    told = {node.id for node in graph.path} | {n.id for n in graph.nodes.values() if not n.level}
    marks = {
        "way": edge.on_path,
        "told": edge.on_path and {edge.user, edge.thing} <= told,  # the one that is put in words
        "fraud": edge.evidence.frauds > 0,
        "weak": weak,
    }
    return " ".join(["edge", *(name for name, is_so in marks.items() if is_so)])


def _thick(edge: Edge) -> str:
    return f"{0.6 + min(log2(1 + edge.evidence.payments) / 3, 2):.1f}"


def _curve(at: Mapping[Id, tuple[int, int]], edge: Edge) -> str:
    """From the right side of the left node to the left side of the right one."""
    (x1, y1), (x2, y2) = sorted([at[edge.user], at[edge.thing]])
    x1, y1, y2 = x1 + WIDE, y1 + HIGH // 2, y2 + HIGH // 2
    half = (x1 + x2) // 2 if x2 > x1 else x1 + 60
    end = x2 if x2 > x1 else x2 + WIDE
    return f"M{x1} {y1}C{half} {y1} {half} {y2} {end} {y2}"
