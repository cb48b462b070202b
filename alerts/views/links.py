"""The link graph of an entity: drawn, told as a table, and changed by plain links."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.conf import settings
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import dateformat
from django.utils.html import format_html
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from alerts import linkmap, links
from alerts.entities import Entity, find, hidden_from
from alerts.linkrows import HUB, Id, Span
from alerts.links import Asked, Edge, Graph, Node
from alerts.models import Alert
from alerts.portrait import outcomes_in_words
from anomalyshield.accounts.permissions import allow
from anomalyshield.audit.record import record
from anomalyshield.templatetags.words import masked_if, money, when, when_shown, within
from scoring.models import Transaction

AT_MOST = _lazy("{most} at most")
KINDS = {**{str(k.value): k.label for k in Alert.Kind}, "place": _lazy("Place")}
MARKS = 40  # nodes opened or left out by hand
ALERTS = 1000


class RangeForm(forms.Form):
    """Payments of which days, and how many entities at most."""

    since = forms.DateField(
        required=False,
        label=_lazy("From"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    until = forms.DateField(
        required=False,
        label=_lazy("Until"),
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
    )
    most = forms.TypedChoiceField(
        choices=[
            ("", format_lazy(AT_MOST, most=links.USUAL)),
            (str(links.MOST), format_lazy(AT_MOST, most=links.MOST)),
        ],
        coerce=int,
        required=False,
        empty_value=None,
        label=_lazy("Entities"),
    )


@dataclass(frozen=True)
class State:
    """What the address says: every link of the page changes one part of it."""

    since: str = ""
    until: str = ""
    most: str = ""
    expand: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    at: str = ""

    def query(self, **changed: Any) -> str:
        parts = {**self.__dict__, **changed}
        words = {n: v if isinstance(v, str) else ",".join(v) for n, v in parts.items()}
        return urlencode({name: value for name, value in words.items() if value}, safe=",")


@dataclass(frozen=True)
class Row:
    """One link as a line of the table."""

    edge: Edge
    user: Node
    thing: Node
    amount: float


@allow("alert.view", methods=("GET", "HEAD"))
def entity_links(request: HttpRequest, kind: str, value: str) -> HttpResponse:
    root = find(kind, value, request.user)
    last = last_payment(root)
    form = RangeForm(request.GET)
    form.is_valid()
    asked = asked_of(form.cleaned_data, request.GET, root, last.event_time)
    found = links.graph(root, unknowing(asked, request.user))
    masked = hidden_from(request.user)
    if not masked:
        record(by=request.user, action="data.read", object=last, after={"page": "links"})
    state = _state(form, request.GET)
    told = outcomes_of(found, request.user)
    chosen = next((n for n in found.nodes.values() if str(n.id) == state.at), None)
    context = {
        "entity": root,
        "form": form,
        "graph": found,
        "map": _map(found, state, told, masked),
        "sentence": sentence(found, masked),
        "rows": _rows(found),
        "span": asked.span,
        "masked": masked,
        "kinds": KINDS,
        "currency": settings.BASE_CURRENCY,
        "hub": HUB,
        "back": _back(found, state, masked),
        "query": state.query(at=""),
        "plain": state.query(expand=(), drop=(), at=""),
        "changed": bool(state.expand or state.drop),
        "panel": _panel(chosen, found, state, told, masked) if chosen else None,
    }
    return render(request, "alerts/links.html", context)


def last_payment(root: Entity) -> Transaction:
    """Its latest one; 404 if no payment names it."""
    found = root.payments().latest_first().only("pk", "event_time").first()
    if found is None:
        raise Http404
    return found


def asked_of(said: Any, query: Any, root: Entity, last: datetime) -> Asked:
    """Without days, the ninety up to its last payment."""
    until = _end_of(said.get("until")) or last
    since = _start_of(said.get("since")) or until - timedelta(days=links.DAYS)
    return Asked(
        Span(since, until, root.source),
        frozenset(marks(query.get("expand", ""))),
        frozenset(marks(query.get("drop", ""))),
        said.get("most") or links.USUAL,
    )


def unknowing(asked: Asked, user: Any) -> Asked:
    """The same, without frauds that this person reviews and must not know of yet."""
    return replace(asked, reader=user.pk or 0)


def marks(text: str) -> tuple[str, ...]:
    """The entities named in an address; what is none simply meets nobody."""
    return tuple(dict.fromkeys(one for one in text[:2000].split(",") if one))[:MARKS]


def sentence(found: Graph, masked: bool) -> str:
    """2 steps to a confirmed fraud: device d-17, then customer u-9 (fraud known since …)."""
    if not found.path:
        return ""
    way = [f"{within(KINDS[n.id.kind])} {name(n, masked)}" for n in found.path]
    told = ngettext(
        "{steps} step to a confirmed fraud: {way} (fraud known since {known}).",
        "{steps} steps to a confirmed fraud: {way} (fraud known since {known}).",
        len(way),
    )
    known = when_shown(found.path[-1].known_since)
    return format_html(told, steps=len(way), way=_(", then ").join(way), known=known)


def name(node: Node, masked: bool) -> str:
    personal = node.id.kind not in {"merchant", "place"}
    return str(masked_if(node.value, masked and personal))


def outcomes_of(found: Graph, asker: Any) -> dict[Id, dict[str, int]]:
    """Of each entity the alerts this person sees: disposition or `open` → how many."""
    users = {n.value: n.id for n in found.nodes.values() if n.id.kind == "user"}
    things = {(n.id.kind, n.value): n.id for n in found.nodes.values() if n.id.kind != "user"}
    theirs = Q(user_id__in=list(users)) | Q(entity__in=[value for _unused, value in things])
    columns = ("user_id", "entity_kind", "entity", "disposition")
    seen = Alert.objects.visible_to(asker).filter(theirs).order_by("-pk")
    counts: dict[Id, dict[str, int]] = {}
    for user, kind, value, said in seen.values_list(*columns)[:ALERTS]:
        for one in {users.get(user), things.get((kind, value))} - {None}:
            own = counts.setdefault(one, {})
            own[said or "open"] = own.get(said or "open", 0) + 1
    return counts


def _state(form: RangeForm, query: Any) -> State:
    said = form.cleaned_data
    return State(
        since=f"{said['since']:%Y-%m-%d}" if said.get("since") else "",
        until=f"{said['until']:%Y-%m-%d}" if said.get("until") else "",
        most=str(said["most"]) if said.get("most") else "",
        expand=marks(query.get("expand", "")),
        drop=marks(query.get("drop", "")),
        at=query.get("at", "")[:40],
    )


def _map(found: Graph, state: State, told: dict[Id, dict[str, int]], masked: bool) -> Any:
    def show(node: Node) -> linkmap.Shown:
        mark = str(node.id)
        opens = node.level and node.may_open and node.level < links.DEEPEST
        more = f"?{state.query(expand=(*state.expand, mark))}#map" if opens else ""
        here = f"?{state.query(at=mark)}#chosen"
        said = described(node, told.get(node.id, {}), masked)
        return linkmap.Shown(name(node, masked), said, here, more, mark == state.at)

    def said(edge: Edge) -> str:
        shared = edge.evidence
        return _("{name} – {name_2}: {payments}, {first} to {last}, {units}").format(
            name=name(found.nodes[edge.user], masked),
            name_2=name(found.nodes[edge.thing], masked),
            payments=_payments(shared.payments),
            first=dateformat.format(shared.first, "d M Y"),
            last=dateformat.format(shared.last, "d M Y"),
            units=money(shared.units / 10_000, settings.BASE_CURRENCY),
        )

    return linkmap.drawn(found, show, said)


def described(node: Node, outcomes: dict[str, int], masked: bool) -> str:
    """Everything about a node in one line, for a screen reader and the pointer."""
    parts = [f"{KINDS[node.id.kind]} {name(node, masked)}"]
    if node.is_hub:
        parts.append(_("a hub with more than {hub} customers").format(hub=HUB))
    elif node.degree > 1:
        parts.append(_("shared by {degree} customers").format(degree=node.degree))
    if node.frauds:
        parts.append(
            _("{frauds} known fraud, since {known_since}").format(
                frauds=len(node.frauds), known_since=when(node.known_since)
            )
        )
    if outcomes:
        parts.append(
            _("alerts: {outcomes_in_words}").format(outcomes_in_words=outcomes_in_words(outcomes))
        )
    return ", ".join(parts)


def _payments(count: int) -> str:
    return ngettext("{count} payment", "{count} payments", count).format(count=count)


def _rows(found: Graph) -> list[Row]:
    nodes = found.nodes
    return [Row(e, nodes[e.user], nodes[e.thing], e.evidence.units / 10_000) for e in found.edges]


def _panel(
    node: Node, found: Graph, state: State, told: dict[Id, dict[str, int]], masked: bool
) -> dict[str, Any]:
    """What is known of the chosen node, and what can be done with it."""
    mark, kind = str(node.id), node.id.kind
    goes = kind != "place" and not (masked and kind != "merchant")
    opened = mark in state.expand
    page = {"since": state.since, "until": state.until, "most": state.most}
    kept = urlencode({n: v for n, v in page.items() if v})
    focus = reverse("entity-links", args=[kind, node.value]) if goes else ""
    return {
        "node": node,
        "title": KINDS[kind],
        "name": name(node, masked),
        "outcomes": outcomes_in_words(told.get(node.id, {})),
        "page": reverse("entity", args=[kind, node.value]) if goes else "",
        "focus": f"{focus}?{kept}" if focus and node.level else "",
        "expand": f"?{state.query(expand=(*state.expand, mark))}#map"
        if node.level and node.may_open and node.level < links.DEEPEST
        else "",
        "fold": f"?{state.query(expand=_without(state.expand, mark))}#map" if opened else "",
        "drop": f"?{state.query(drop=(*state.drop, mark), at='')}#map" if node.level else "",
        "rows": [row for row in _rows(found) if node.id in {row.edge.user, row.edge.thing}],
    }


def _back(found: Graph, state: State, masked: bool) -> list[tuple[str, str]]:
    """What was left out by hand, and the address that takes it in again."""
    told = []
    for mark in state.drop:
        node = found.dropped.get(mark)
        what = within(KINDS.get(mark.partition(".")[0], "entity"))
        said = f"{what} {name(node, masked)}" if node else what
        told.append((said, f"?{state.query(drop=_without(state.drop, mark))}#map"))
    return told


def _without(all: Iterable[str], one: str) -> tuple[str, ...]:
    return tuple(other for other in all if other != one)


def _start_of(day: date | None) -> datetime | None:
    return datetime.combine(day, time.min, UTC) if day else None


def _end_of(day: date | None) -> datetime | None:
    return datetime.combine(day, time.max, UTC) if day else None
