"""The first page: what waits for this person, as figures and as short lists with links.

The ground floor imports no room; it asks their models by name.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models import QuerySet
from django.utils.timesince import timesince

from anomalyshield.accounts.models import User
from anomalyshield.audit.models import AuditEvent
from anomalyshield.health import state
from anomalyshield.navigation import address_of
from anomalyshield.templatetags.words import ago, money

LINES = 6  # of one list
MANY = 1000  # counted no further


@dataclass(frozen=True)
class Tile:
    """One figure with its link."""

    label: str
    figure: str
    hint: str = ""
    address: str = ""
    tone: str = ""  # "bad" or "warn" when someone should look


@dataclass(frozen=True)
class Line:
    """One entry of a list: what, where it leads, what to know about it."""

    title: str
    address: str
    words: str = ""
    aside: str = ""
    level: str = ""


@dataclass(frozen=True)
class Panel:
    """A short list under a heading; `empty` says what it means that there is nothing.

    Without such words a list with nothing in it is left out.
    """

    title: str
    empty: str
    lines: list[Line] = field(default_factory=list)
    address: str = ""


def _model(name: str) -> Any:
    return apps.get_model(name)


def _count(rows: QuerySet[Any]) -> str:
    """Exact up to a thousand: nobody needs more, and counting a million rows takes a second."""
    found = rows.order_by()[: MANY + 1].count()
    return f"{MANY:,}+" if found > MANY else f"{found:,}"


# --- figures --------------------------------------------------------------------------------------
def open_alerts(user: User) -> Tile:
    seen = _model("alerts.Alert").objects.visible_to(user)
    late = _count(seen.overdue())
    hint = "all in time" if late == "0" else f"{late} past their time"
    return Tile(
        "Open alerts", _count(seen.open()), hint, address_of("alerts"), "warn" * (late != "0")
    )


def own_alerts(user: User) -> Tile:
    mine = _model("alerts.Alert").objects.open().filter(assignee=user)
    return Tile("Assigned to me", _count(mine), "open alerts", f"{address_of('alerts')}?mine=on")


def open_cases(user: User) -> Tile:
    seen = _model("cases.Case").objects.visible_to(user).open()
    return Tile("Open cases", _count(seen), "in my queues", address_of("cases"))


def last_decision(user: User) -> Tile:
    last = _model("scoring.Decision").objects.order_by("-pk").values_list("decided_at").first()
    figure = f"{ago(last[0])} ago" if last else "none yet"
    return Tile(
        "Last decision",
        figure,
        f"{_roughly('scoring_decision')} in all",
        address_of("transactions"),
    )


def files(user: User) -> Tile:
    uploads = _model("scoring.Upload").objects
    under_way = uploads.filter(state__in=["WAITING", "READY", "RUNNING"])
    rejected = _count(_model("scoring.RejectedRecord").objects.all())
    return Tile(
        "Files under way", _count(under_way), f"{rejected} rejected records", address_of("uploads")
    )


def champion(user: User) -> Tile:
    best = _model("scoring.ModelVersion").objects.filter(state="CHAMPION").first()
    if best is None:
        return Tile("Champion", "none", "train and promote one", address_of("models"), "bad")
    since = f"for {timesince(best.champion_since, depth=1)}" if best.champion_since else ""
    return Tile("Champion", str(best), since, address_of("model", best.pk) or address_of("models"))


def platform(user: User) -> Tile:
    problems = state()["problems"]
    if not problems:
        return Tile("Platform", "ready", "database, model, workers", address_of("health-deep"))
    return Tile("Platform", "not ready", problems[0], address_of("health-deep"), "bad")


def _roughly(table: str) -> str:
    """The server's own estimate: a count of millions would take longer than the page."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE relname = %s", [table])
        row = cursor.fetchone()
    return f"about {row[0]:,}" if row and row[0] > 0 else "few"


# --- lists ----------------------------------------------------------------------------------------
def urgent(user: User) -> Panel:
    seen = _model("alerts.Alert").objects.visible_to(user).workable_by(user).by_urgency()
    lines = [
        Line(
            str(alert),
            address_of("alert", alert.pk),
            f"{alert.user_id} · {money(alert.amount, alert.currency)}",
            f"{ago(alert.created_at)} old",
            alert.level,
        )
        for alert in seen[:LINES]
    ]
    empty = "Nothing waits in your queues. New alerts appear here by themselves."
    return Panel("Most urgent", empty, lines, address_of("alerts"))


def approvals(user: User) -> Panel:
    """What someone else proposed and this person may approve."""
    lines = [*_promotions(user), *_closures(user)]
    return Panel("Waiting for a second person", "", lines)


def _promotions(user: User) -> Iterable[Line]:
    if not user.may("model.promote"):
        return
    asked = _model("scoring.PromotionRequest").objects.filter(state="OPEN").exclude(asked_by=user)
    for request in asked.select_related("model", "asked_by")[:LINES]:
        words = f"{request.asked_by} asks to make it champion"
        yield Line(
            f"Model {request.model}",
            address_of("model", request.model_id),
            words,
            ago(request.asked_at),
        )


def _closures(user: User) -> Iterable[Line]:
    if not user.may("case.close"):
        return
    cases = _model("cases.Case")
    proposed = cases.objects.visible_to(user).filter(status=cases.Status.PENDING_CLOSURE_APPROVAL)
    for case in proposed.exclude(proposed_by=user).select_related("proposed_by")[:LINES]:
        words = f"{case.proposed_by} proposes to close “{case.title}”"
        yield Line(str(case), address_of("case", case.pk), words, ago(case.proposed_at), case.level)


def recent_files(user: User) -> Panel:
    uploads = _model("scoring.Upload").objects.select_related("source")[:LINES]
    lines = [
        Line(
            upload.name,
            address_of("upload", upload.pk),
            f"{upload.accepted:,} accepted, {upload.rejected:,} rejected",
            upload.state.lower() if upload.state == "QUARANTINED" else upload.stage.lower(),
        )
        for upload in uploads
    ]
    return Panel("Files", "No file was uploaded yet.", lines, address_of("uploads"))


def refusals(user: User) -> Panel:
    denials = AuditEvent.objects.filter(outcome=AuditEvent.Outcome.DENIED).order_by("-pk")
    lines = [
        Line(event.actor, address_of("audit"), f"{event.action} {event.reason}", ago(event.at))
        for event in denials[:LINES]
    ]
    return Panel(
        "Refused lately",
        "Nobody was refused anything.",
        lines,
        address_of("audit") + "?outcome=DENIED",
    )


def versions(user: User) -> Panel:
    lines = [
        Line(str(version), address_of("model", version.pk), version.kind, version.state.lower())
        for version in _model("scoring.ModelVersion").objects.all()[:LINES]
    ]
    return Panel("Models", "No model was trained yet.", lines, address_of("models"))


def own_doings(user: User) -> Panel:
    """Where one was before lunch."""
    events = AuditEvent.objects.filter(actor=user.username).order_by("-pk")
    lines = [
        Line(event.action, _page_of(event), _name_of(event), f"{ago(event.at)} ago")
        for event in events.exclude(action__startswith="session.")[:LINES]
    ]
    return Panel("My last actions", "", lines, f"{address_of('audit')}?actor={user.username}")


def _page_of(event: AuditEvent) -> str:
    kind = event.object_type.partition(".")[2]
    name = {"modelversion": "model", "trainingrun": "run"}.get(kind, kind)
    if name not in {"alert", "case", "upload", "model", "run"} or not event.object_id.isdecimal():
        return ""
    return address_of(name, int(event.object_id))


def _name_of(event: AuditEvent) -> str:
    kind = event.object_type.partition(".")[2]
    return f"{kind} {event.object_id}" if event.object_id.isdecimal() else kind


Maker = Callable[[User], Any]
TILES: list[tuple[str, Maker]] = [
    ("alert.view", open_alerts),
    ("alert.work", own_alerts),
    ("case.view", open_cases),
    ("transaction.view", last_decision),
    ("source.view", files),
    ("model.view", champion),
    ("health.deep", platform),
]
PANELS: list[tuple[str, Maker]] = [
    ("alert.work", urgent),
    ("case.close", approvals),
    ("model.promote", approvals),
    ("source.view", recent_files),
    ("model.train", versions),
    ("user.manage", refusals),
    ("audit.own", own_doings),
]


def tiles(user: User) -> list[Tile]:
    return [tile for tile in _made(TILES, user) if tile.address]


def panels(user: User) -> list[Panel]:
    return [panel for panel in _made(PANELS, user) if panel.lines or panel.empty]


def _made(makers: list[tuple[str, Maker]], user: User) -> Iterable[Any]:
    for make in dict.fromkeys(make for action, make in makers if user.may(action)):
        yield make(user)
