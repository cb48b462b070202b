"""For analysts and their leads: what waits, how late it is, who did what."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q
from django.db.models.functions import TruncDate
from django.utils import timezone

from anomalyshield.accounts.grants import granted
from anomalyshield.accounts.models import User
from anomalyshield.dashboard.parts import LINES, Line, Panel, Row, Tile, count, model, warned
from anomalyshield.navigation import address_of
from anomalyshield.templatetags.words import ago, left, money, percent, span

WEEK = timedelta(days=7)
# Open alerts by age: how old at least, and what that is called.
AGES = [
    (timedelta(0), "under an hour"),
    (timedelta(hours=1), "1 to 4 hours"),
    (timedelta(hours=4), "4 to 24 hours"),
    (timedelta(days=1), "1 to 3 days"),
    (timedelta(days=3), "older than 3 days"),
]


def seen_by(user: User) -> Any:
    return model("alerts.Alert").objects.visible_to(user)


def today() -> datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


# --- mine -----------------------------------------------------------------------------------------
def own_alerts(user: User) -> Tile:
    mine = model("alerts.Alert").objects.open().filter(assignee=user)
    found = mine.aggregate(n=Count("pk"), due=Min("due_at"))
    late = found["due"] is not None and found["due"] < timezone.now()
    hint = clock(found["due"]) if found["due"] else "take one from the queue"
    return Tile(
        "My open alerts", f"{found['n']:,}", hint, f"{address_of('alerts')}?mine=on", warned(late)
    )


def clock(due: datetime) -> str:
    """Time left, or how late it is."""
    late = timezone.now() - due
    return f"next due in {left(due)}" if late < timedelta(0) else f"late by {ago(due)}"


def team_queue(user: User) -> Tile:
    seen = seen_by(user)
    free = count(seen.open().filter(assignee=None))
    return Tile("Team queue", count(seen.open()), f"{free} unassigned", address_of("alerts"))


def late(user: User) -> Tile:
    found = seen_by(user).overdue().aggregate(n=Count("pk"), due=Min("due_at"))
    hint = f"oldest by {ago(found['due'])}" if found["n"] else "all in time"
    address = f"{address_of('alerts')}?status=overdue"
    return Tile("Past their time", f"{found['n']:,}", hint, address, warned(found["n"] > 0))


def decided_today(user: User) -> Tile:
    mine = model("alerts.Alert").objects.filter(closed_by=user, closed_at__gte=today())
    return Tile(
        "I decided today", count(mine), "since midnight", f"{address_of('alerts')}?status=closed"
    )


def open_cases(user: User) -> Tile:
    seen = model("cases.Case").objects.visible_to(user).open()
    return Tile("Open cases", count(seen), "in my queues", address_of("cases"))


def next_due(user: User) -> Panel:
    mine = model("alerts.Alert").objects.open().filter(assignee=user).order_by("due_at", "pk")
    lines = [line_of(alert, due=True) for alert in mine[:LINES]]
    empty = "You hold no alert. Open one from the queue and claim it."
    return Panel("My alerts, next due first", empty, lines, f"{address_of('alerts')}?mine=on")


def urgent(user: User) -> Panel:
    waiting = seen_by(user).workable_by(user).filter(assignee=None).by_urgency()
    lines = [line_of(alert) for alert in waiting[:LINES]]
    empty = "Nothing waits in your queues. New alerts appear here by themselves."
    if not lines and not works_a_queue(user):
        empty = "You work no queue yet. An admin puts you into one, under Routes."
    return Panel("Most urgent in my queues", empty, lines, address_of("alerts"))


def works_a_queue(user: User) -> bool:
    """A new analyst works none until an admin says which."""
    mine = model("alerts.Queue").objects.filter(granted(user, "alerts.work_queue"))
    return bool(mine.exists())


def line_of(alert: Any, *, due: bool = False) -> Line:
    late = alert.due_at < timezone.now()
    aside = f"{'−' if late else ''}{span(abs((alert.due_at - timezone.now()).total_seconds()))}"
    return Line(
        str(alert),
        address_of("alert", alert.pk),
        f"{alert.entity or alert.user_id} · {money(alert.amount, alert.currency)}",
        f"{aside} left" if due and not late else f"{ago(alert.due_at)} late" if late else aside,
        alert.level,
        "bad" if late else "",
    )


def last_verdicts(user: User) -> Panel:
    mine = model("alerts.Alert").objects.filter(closed_by=user).order_by("-closed_at")
    lines = [
        Line(
            str(alert),
            address_of("alert", alert.pk),
            alert.get_disposition_display(),
            f"{ago(alert.closed_at)} ago",
            alert.level,
        )
        for alert in mine[:LINES]
    ]
    return Panel("My last decisions", "", lines)


# --- the team -------------------------------------------------------------------------------------
def backlog(user: User) -> Tile:
    """Open now, and what the last day added or took away."""
    day = timezone.now() - timedelta(days=1)
    seen = seen_by(user)
    came = raised_since(seen, day).count()
    went = seen.filter(closed_at__gte=day).count()
    hint = f"{came:,} came and {went:,} went in 24 hours"
    return Tile("Backlog", count(seen.open()), hint, address_of("alerts"), warned(came > went))


def raised_since(seen: Any, since: datetime) -> Any:
    """What came since then is open, or was decided since: two indexes, where no third is."""
    return seen.filter(~Q(status="CLOSED") | Q(closed_at__gte=since), created_at__gte=since)


def throughput(user: User) -> Tile:
    done = seen_by(user).filter(closed_at__gte=timezone.now() - WEEK).count()
    return Tile("Decided a day", f"{done / 7:,.1f}", "over seven days", address_of("alerts"))


def precision(user: User) -> Tile:
    done = seen_by(user).filter(closed_at__gte=timezone.now() - WEEK)
    found = done.aggregate(
        fraud=Count("pk", Q(disposition="TRUE_POSITIVE_FRAUD")),
        judged=Count("pk", ~Q(disposition="INCONCLUSIVE")),
    )
    share = found["fraud"] / found["judged"] if found["judged"] else None
    hint = f"frauds among {found['judged']:,} judged" if found["judged"] else "nothing judged yet"
    return Tile("Precision, 7 days", percent(share, 0), hint, address_of("rules"))


def ageing(user: User) -> Panel:
    """Open alerts by age: what nobody looks at grows at the bottom."""
    now = timezone.now()
    ends = [*[start for start, _ in AGES[1:]], timedelta(days=36_500)]
    counts = (
        seen_by(user)
        .open()
        .aggregate(
            **{
                f"n{n}": Count("pk", Q(created_at__lte=now - start, created_at__gt=now - end))
                for n, ((start, _), end) in enumerate(zip(AGES, ends, strict=True))
            }
        )
    )
    most = max(counts.values()) or 1
    rows = [
        Row(title, (f"{counts[f'n{n}']:,}",), share=counts[f"n{n}"] / most)
        for n, (_, title) in enumerate(AGES)
    ]
    return Panel("Open alerts by age", "", rows=rows, heads=("Age", "Alerts"))


def by_day(user: User) -> Panel:
    """Seven days of alerts raised and decided."""
    seen, since = seen_by(user), today() - timedelta(days=6)
    came = _each_day(raised_since(seen, since), "created_at")
    went = _each_day(seen.filter(closed_at__gte=since), "closed_at")
    days = [(since + timedelta(days=n)).date() for n in range(7)]
    most = max((came.get(day, 0) for day in days), default=0) or 1
    rows = [
        Row(
            f"{day:%a %d %b}",
            (f"{came.get(day, 0):,}", f"{went.get(day, 0):,}"),
            share=came.get(day, 0) / most,
        )
        for day in reversed(days)
    ]
    return Panel("Raised and decided", "", rows=rows, heads=("Day", "Raised", "Decided"))


def _each_day(alerts: Any, field: str) -> dict[date, int]:
    days = alerts.annotate(day=TruncDate(field)).values_list("day")
    return dict(days.annotate(n=Count("pk")).order_by())


def people(user: User) -> Panel:
    """Who holds how much, and decided how much in seven days."""
    seen = seen_by(user)
    holds = _by_person(seen.open().exclude(assignee=None), "assignee")
    did = _by_person(seen.filter(closed_at__gte=timezone.now() - WEEK), "closed_by")
    names = sorted({*holds, *did} - {None})
    rows = [
        Row(
            name,
            (f"{holds.get(name, 0):,}", f"{did.get(name, 0):,}"),
        )
        for name in names[:12]
    ]
    return Panel("The team", "", rows=rows, heads=("Who", "Holds", "Decided, 7 days"))


def _by_person(alerts: Any, who: str) -> dict[str, int]:
    return dict(alerts.values_list(f"{who}__username").annotate(n=Count("pk")).order_by())


# --- what somebody else proposed ------------------------------------------------------------------
def approvals(user: User) -> Panel:
    """What this person may approve as the second one."""
    lines = [
        *_closures(user),
        *_promotions(user),
        *_policies(user),
        *_allowed(user),
        *_routes(user),
    ]
    return Panel("Waiting for a second person", "", lines)


def _closures(user: User) -> Iterable[Line]:
    if not user.may("case.close"):
        return
    cases = model("cases.Case").objects.visible_to(user).awaiting(user)
    for case in cases.select_related("proposed_by")[:LINES]:
        words = f"{case.proposed_by} proposes to close “{case.title}”"
        yield Line(str(case), address_of("case", case.pk), words, ago(case.proposed_at), case.level)


def _promotions(user: User) -> Iterable[Line]:
    if not user.may("model.promote"):
        return
    waiting = model("scoring.PromotionRequest").objects.filter(state="OPEN").exclude(asked_by=user)
    for request in waiting.select_related("model", "asked_by")[:LINES]:
        yield Line(
            f"Model {request.model}",
            address_of("model", request.model_id),
            f"{request.asked_by} asks to make it champion",
            ago(request.asked_at),
        )


def _policies(user: User) -> Iterable[Line]:
    if not user.may("policy.activate"):
        return
    waiting = model("scoring.PolicyRequest").objects.filter(state="OPEN").exclude(asked_by=user)
    for request in waiting.select_related("asked_by")[:LINES]:
        yield Line(
            "Thresholds",
            address_of("policy-request", request.pk),
            f"{request.asked_by} asks for other ones",
            ago(request.asked_at),
        )


def _allowed(user: User) -> Iterable[Line]:
    if not (user.may("list.approve") and user.is_lead):
        return
    waiting = model("scoring.ListEntry").objects.filter(state="PROPOSED").exclude(proposed_by=user)
    for entry in waiting.select_related("proposed_by")[:LINES]:
        yield Line(
            str(entry),
            address_of("list-entry", entry.pk),
            f"{entry.proposed_by} asks to allow a {entry.get_entity_display().lower()}",
            ago(entry.proposed_at),
        )


def _routes(user: User) -> Iterable[Line]:
    if not (user.may("route.activate") and (user.is_lead or user.may("user.manage"))):
        return
    waiting = model("alerts.Routing").objects.filter(state="PROPOSED").exclude(proposed_by=user)
    for routing in waiting.select_related("proposed_by")[:LINES]:
        yield Line(
            f"Routes {routing.number}",
            address_of("routing", routing.pk),
            f"{routing.proposed_by} asks for other routes",
        )
