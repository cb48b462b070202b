"""For analysts and their leads: what waits, how late it is, who did what."""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Min, Q
from django.db.models.functions import TruncDate
from django.utils import dateformat, timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield.accounts.grants import granted
from anomalyshield.accounts.models import User
from anomalyshield.dashboard.parts import (
    LINES,
    MANY,
    Line,
    Panel,
    Row,
    Tile,
    elapsed,
    model,
    some,
    upto,
    warned,
)
from anomalyshield.navigation import address_of
from anomalyshield.templatetags.words import (
    ago_shown,
    dated,
    figure,
    left_shown,
    money,
    percent,
    span,
)
from anomalyshield.together import HowMany, Part, Totals

WEEK = timedelta(days=7)
OLD = 10_000  # open alerts of one age, counted no further
# Open alerts by age: how old at least, and what that is called.
AGES = [
    (timedelta(0), _lazy("under an hour")),
    (timedelta(hours=1), _lazy("1 to 4 hours")),
    (timedelta(hours=4), _lazy("4 to 24 hours")),
    (timedelta(days=1), _lazy("1 to 3 days")),
    (timedelta(days=3), _lazy("older than 3 days")),
]


def queues(user: User) -> list[int]:
    """Whose alerts this person sees, asked once for one look at the page."""
    if user.queues_seen is None:
        seen = model("alerts.Queue").objects.visible_to(user)
        user.queues_seen = list(seen.values_list("pk", flat=True))
    return user.queues_seen


def seen_by(user: User) -> Any:
    return model("alerts.Alert").objects.filter(queue__in=queues(user))


def urgent_of(user: User, alerts: Any, most: int) -> Any:
    """Of what is seen so many, most urgent first; no more is read than that."""
    return alerts.across(queues(user), model("alerts.Alert").URGENCY, most)


def decided_since(user: User, moment: datetime) -> Any:
    return seen_by(user).filter(status="CLOSED", closed_at__gte=moment)


def today() -> datetime:
    return timezone.localtime().replace(hour=0, minute=0, second=0, microsecond=0)


# --- mine -----------------------------------------------------------------------------------------
def own_alerts(user: User) -> Part[Tile]:
    mine = model("alerts.Alert").objects.awake().filter(assignee=user)
    found = yield Totals(mine, n=Count("pk"), due=Min("due_at"))
    late = found["due"] is not None and found["due"] < timezone.now()
    hint = clock(found["due"]) if found["due"] else _("take one from the queue")
    return Tile(
        _("My open alerts"),
        figure(f"{found['n']:,}"),
        hint,
        f"{address_of('alerts')}?mine=on",
        warned(late),
    )


def clock(due: datetime) -> str:
    """Time left, or how late it is."""
    late = timezone.now() - due
    return (
        format_html(_("next due in {left}"), left=left_shown(due))
        if late < timedelta(0)
        else format_html(_("late by {due}"), due=ago_shown(due))
    )


def team_queue(user: User) -> Part[Tile]:
    waiting = model("alerts.Alert").objects.awake()
    free, total = yield (
        HowMany(urgent_of(user, waiting.filter(assignee=None), MANY + 1)),
        HowMany(urgent_of(user, waiting, MANY + 1)),
    )
    hint = _("{free} unassigned").format(free=upto(free))
    return Tile(_("Team queue"), upto(total), hint, address_of("alerts"))


def late(user: User) -> Part[Tile]:
    overdue = model("alerts.Alert").objects.overdue()
    found = yield overdue.across(queues(user), ("due_at", "id"), MANY + 1)
    hint = _("all in time")
    if found:
        hint = format_html(_("oldest by {found}"), found=ago_shown(found[0][0]))
    address = f"{address_of('alerts')}?status=overdue"
    return Tile(_("Past their time"), upto(len(found)), hint, address, warned(bool(found)))


def decided_today(user: User) -> Part[Tile]:
    mine = model("alerts.Alert").objects.closed().filter(closed_by=user, closed_at__gte=today())
    found = yield some(mine)
    return Tile(
        _("I decided today"),
        upto(found),
        _("since midnight"),
        f"{address_of('alerts')}?status=closed",
    )


def open_cases(user: User) -> Part[Tile]:
    found = yield some(model("cases.Case").objects.visible_to(user).open())
    return Tile(_("Open cases"), upto(found), _("in my queues"), address_of("cases"))


def next_due(user: User) -> Part[Panel]:
    mine = model("alerts.Alert").objects.awake().filter(assignee=user).order_by("due_at", "pk")
    found = yield mine[:LINES]
    lines = [line_of(alert, due=True) for alert in found]
    empty = _("You hold no alert. Open one from the queue and claim it.")
    return Panel(_("My alerts, next due first"), empty, lines, f"{address_of('alerts')}?mine=on")


def urgent(user: User) -> Part[Panel]:
    alerts = model("alerts.Alert").objects
    waiting = yield urgent_of(user, alerts.workable_by(user).filter(assignee=None), LINES)
    shown = yield alerts.filter(pk__in=[row[-1] for row in waiting]).by_urgency()
    lines = [line_of(alert) for alert in shown]
    empty = _("Nothing waits in your queues. New alerts appear here by themselves.")
    if not lines and not (yield own_queues(user)):
        empty = _("You work no queue yet. An admin puts you into one, under Routes.")
    return Panel(_("Most urgent in my queues"), empty, lines, address_of("alerts"))


def own_queues(user: User) -> Any:
    """A new analyst works none until an admin says which."""
    return model("alerts.Queue").objects.filter(granted(user, "alerts.work_queue"))[:1]


def line_of(alert: Any, *, due: bool = False) -> Line:
    late = alert.due_at < timezone.now()
    signed = f"{'−' if late else ''}{span(abs((alert.due_at - timezone.now()).total_seconds()))}"
    aside = dated(signed, alert.due_at)
    return Line(
        str(alert),
        address_of("alert", alert.pk),
        f"{alert.entity or alert.user_id} · {money(alert.amount, alert.currency)}",
        format_html(_("{aside} left"), aside=aside)
        if due and not late
        else format_html(_("{due_at} late"), due_at=ago_shown(alert.due_at))
        if late
        else aside,
        alert.level,
        "bad" if late else "",
    )


def last_verdicts(user: User) -> Part[Panel]:
    mine = model("alerts.Alert").objects.closed().filter(closed_by=user).order_by("-closed_at")
    found = yield mine[:LINES]
    lines = [
        Line(
            str(alert),
            address_of("alert", alert.pk),
            alert.get_disposition_display(),
            elapsed(alert.closed_at),
            alert.level,
        )
        for alert in found
    ]
    return Panel(_("My last decisions"), "", lines)


# --- the team -------------------------------------------------------------------------------------
def backlog(user: User) -> Part[Tile]:
    """Open now, and what the last day added or took away."""
    day = timezone.now() - timedelta(days=1)
    came, went, waiting = yield (
        HowMany(seen_by(user).filter(created_at__gte=day)),
        HowMany(decided_since(user, day)),
        HowMany(urgent_of(user, model("alerts.Alert").objects.awake(), MANY + 1)),
    )
    hint = _("{came} came and {went} went in 24 hours").format(
        came=figure(f"{came:,}"), went=figure(f"{went:,}")
    )
    return Tile(_("Backlog"), upto(waiting), hint, address_of("alerts"), warned(came > went))


def throughput(user: User) -> Part[Tile]:
    done = yield HowMany(decided_since(user, timezone.now() - WEEK))
    return Tile(
        _("Decided a day"), figure(f"{done / 7:,.1f}"), _("over seven days"), address_of("alerts")
    )


def precision(user: User) -> Part[Tile]:
    found = yield Totals(
        decided_since(user, timezone.now() - WEEK),
        fraud=Count("pk", Q(disposition__startswith="TRUE_POSITIVE")),
        judged=Count("pk", Q(disposition__contains="_POSITIVE")),
    )
    share = found["fraud"] / found["judged"] if found["judged"] else None
    hint = (
        _("frauds among {judged} judged").format(judged=figure(f"{found['judged']:,}"))
        if found["judged"]
        else _("nothing judged yet")
    )
    return Tile(_("Precision, 7 days"), percent(share, 0), hint, address_of("rules"))


def ageing(user: User) -> Part[Panel]:
    """Open alerts by age: what nobody looks at grows at the bottom."""
    now = timezone.now()
    *recent, (oldest, _unused) = AGES
    ends = [start for start, _unused in AGES[1:]]
    young = seen_by(user).awake().filter(created_at__gt=now - oldest)
    counts = yield Totals(
        young,
        **{
            f"n{n}": Count("pk", Q(created_at__lte=now - start, created_at__gt=now - end))
            for n, ((start, _unused), end) in enumerate(zip(recent, ends, strict=True))
        },
    )
    known = sum(counts.values())
    waiting = model("alerts.Alert").objects.awake()
    total = yield HowMany(urgent_of(user, waiting, known + OLD + 1))
    numbers = [*counts.values(), total - known]  # what is older is the rest, counted so far
    most = max(numbers) or 1
    rows = [
        Row(title, (figure(f"{min(n, OLD):,}") + ("+" if n > OLD else ""),), share=n / most)
        for (_unused, title), n in zip(AGES, numbers, strict=True)
    ]
    return Panel(_("Open alerts by age"), "", rows=rows, heads=(_("Age"), _("Alerts")))


def by_day(user: User) -> Part[Panel]:
    """Seven days of alerts raised and decided."""
    since = today() - timedelta(days=6)
    raised, decided = yield (
        _each_day(seen_by(user).filter(created_at__gte=since), "created_at"),
        _each_day(decided_since(user, since), "closed_at"),
    )
    came, went = dict(raised), dict(decided)
    days = [(since + timedelta(days=n)).date() for n in range(7)]
    most = max((came.get(day, 0) for day in days), default=0) or 1
    rows = [
        Row(
            dateformat.format(day, "D d M"),
            (figure(f"{came.get(day, 0):,}"), figure(f"{went.get(day, 0):,}")),
            share=came.get(day, 0) / most,
        )
        for day in reversed(days)
    ]
    return Panel(
        _("Raised and decided"), "", rows=rows, heads=(_("Day"), _("Raised"), _("Decided"))
    )


def _each_day(alerts: Any, field: str) -> Any:
    """The days with how many."""
    days = alerts.annotate(day=TruncDate(field)).values_list("day")
    return days.annotate(n=Count("pk")).order_by()


def people(user: User) -> Part[Panel]:
    """Who holds how much, and decided how much in seven days."""
    held, decided = yield (
        _by_person(seen_by(user).open().exclude(assignee=None), "assignee"),
        _by_person(decided_since(user, timezone.now() - WEEK), "closed_by"),
    )
    holds, did = ({tuple(who): n for *who, n in found} for found in (held, decided))
    everybody = sorted(who for who in {*holds, *did} if who[0] is not None)
    rows = [
        Row(
            f"{first} {last}".strip() or name,
            tuple(figure(f"{those.get((name, first, last), 0):,}") for those in (holds, did)),
        )
        for name, first, last in everybody[:12]
    ]
    return Panel(_("The team"), "", rows=rows, heads=(_("Who"), _("Holds"), _("Decided, 7 days")))


def _by_person(alerts: Any, who: str) -> Any:
    """The names with how many."""
    names = [f"{who}__{part}" for part in ("username", "first_name", "last_name")]
    return alerts.values_list(*names).annotate(n=Count("pk")).order_by()
