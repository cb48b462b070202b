"""What programs read of a link graph."""

from typing import Any

from rest_framework import serializers as s

from alerts.links import MOST, Edge, Graph, Node
from anomalyshield.rest.shapes import Strict
from anomalyshield.templatetags.words import masked_if

MARK = "As in `id`: device.-17"


class LinksAsked(Strict):
    """Of which days, and what is walked through or left out."""

    since = s.DateField(required=False, help_text="Without: ninety days before `until`")
    until = s.DateField(required=False, help_text="Without: its last payment")
    most = s.IntegerField(min_value=2, max_value=MOST, required=False, help_text="Entities")
    expand = s.CharField(max_length=2000, required=False, help_text=f"{MARK}, with commas")
    drop = s.CharField(max_length=2000, required=False, help_text=f"{MARK}, with commas")


class LinkNodeOut(s.Serializer):
    """An entity of the graph."""

    id = s.CharField(help_text="For `expand` and `drop`")
    kind = s.CharField(source="id.kind", help_text="user, card, device, merchant or place")
    value = s.SerializerMethodField(help_text="Its ends only, for those who may not read it")
    steps = s.IntegerField(source="level", help_text="From the root, which has 0")
    customers = s.IntegerField(source="degree", help_text="That share it; 0: not counted")
    hub = s.BooleanField(source="is_hub", help_text="Shared by so many that it says nothing")
    known_frauds = s.SerializerMethodField()
    known_since = s.DateTimeField(allow_null=True)
    on_path = s.BooleanField(help_text="On a way from the root to a confirmed fraud")
    outcomes = s.SerializerMethodField()

    def get_value(self, node: Node) -> str:
        personal = node.id.kind not in {"merchant", "place"}
        return masked_if(node.value, self.context["hidden"] and personal)

    def get_known_frauds(self, node: Node) -> int:
        return len(node.frauds)

    def get_outcomes(self, node: Node) -> dict[str, int]:
        return dict(self.context["outcomes"].get(node.id, {}))


class LinkOut(s.Serializer):
    """A customer and something they paid with, at or in, with what that stands on."""

    user = s.CharField(help_text="`id` of a node")
    thing = s.CharField(help_text="`id` of a node")
    payments = s.IntegerField(source="evidence.payments")
    first = s.DateTimeField(source="evidence.first")
    last = s.DateTimeField(source="evidence.last")
    amount = s.SerializerMethodField(help_text="In the base currency")
    known_frauds = s.IntegerField(source="evidence.frauds")
    at_least = s.BooleanField(source="evidence.at_least", help_text="There are more payments")
    on_path = s.BooleanField()

    def get_amount(self, edge: Edge) -> float:
        return edge.evidence.units / 10_000


class GraphOut(s.Serializer):
    """At most 60 entities, the root first; edges by rank."""

    nodes = s.SerializerMethodField()
    edges = LinkOut(many=True, source="graph.edges")
    path = s.SerializerMethodField(help_text="`id`s from the root to the nearest confirmed fraud")
    sentence = s.CharField(help_text="The same in words; empty: no confirmed fraud was reached")
    left_out = s.IntegerField(source="graph.left_out", help_text="Entities met but not shown")

    def get_nodes(self, told: Any) -> LinkNodeOut(many=True):  # type: ignore[valid-type]
        context = {**self.context, "outcomes": told["outcomes"]}
        return LinkNodeOut(list(told["graph"].nodes.values()), many=True, context=context).data

    def get_path(self, told: Any) -> list[str]:
        found: Graph = told["graph"]
        return [str(node.id) for node in found.path]
