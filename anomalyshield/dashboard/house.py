"""For admins, and for everyone's own doings: people, sessions, the trail, the platform."""

from datetime import timedelta

from django.db.models import Count, Min, Q
from django.utils import timezone
from django.utils.html import format_html, strip_tags
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from anomalyshield import condition
from anomalyshield.accounts.models import OpenSession, User
from anomalyshield.audit.models import AuditEvent
from anomalyshield.audit.words import action_in_words, actor_in_words, kind_in_words
from anomalyshield.dashboard.parts import LINES, Line, Panel, Tile, elapsed, warned
from anomalyshield.health import state
from anomalyshield.navigation import address_of
from anomalyshield.templatetags.words import ago_shown, figure
from anomalyshield.together import Part, Totals, first

LATE_SEAL = 10.0  # seconds: the sealer goes round twice a second
# Coming, going and looking: whoever looks back wants to know what they did.
NO_ACT = Q(action__startswith="session.") | Q(action="data.read")


def people(user: User) -> Part[Tile]:
    found = yield Totals(
        User.objects.all(),
        active=Count("pk", Q(is_active=True)),
        ended=Count("pk", Q(is_active=False)),
    )
    hint = _("{ended} suspended").format(ended=found["ended"])
    return Tile(_("People"), figure(f"{found['active']:,}"), hint, address_of("users"))


def sessions(user: User) -> Part[Tile]:
    now = timezone.now()
    found = yield Totals(
        OpenSession.objects.filter(session__expire_date__gt=now),
        n=Count("pk"),
        lately=Count("pk", Q(seen_at__gte=now - timedelta(minutes=15))),
    )
    hint = _("{lately} seen in 15 minutes").format(lately=found["lately"])
    return Tile(_("Open sessions"), figure(f"{found['n']:,}"), hint, address_of("users"))


def trail(user: User) -> Part[Tile]:
    oldest, said = yield (
        Totals(AuditEvent.objects.filter(number=None), n=Count("pk"), at=Min("at")),
        AuditEvent.objects.order_by("-pk").values_list("at", flat=True)[:1],
    )
    age = (timezone.now() - oldest["at"]).total_seconds() if oldest["at"] else 0.0
    last = first(said)
    hint = _("nothing happened yet")
    if last:
        hint = format_html(_("last event {last} ago"), last=ago_shown(last))
    late = age > LATE_SEAL
    return Tile(
        _("Not yet sealed"),
        figure(f"{oldest['n']:,}"),
        format_html(_("for {at}"), at=ago_shown(oldest["at"])) if late else hint,
        address_of("audit"),
        warned(late),
    )


def platform(user: User) -> Tile:
    problems = state()["problems"]
    address = address_of("system")
    if not problems:
        return Tile(
            _("Platform"), pgettext("the platform", "ready"), _("database, model, workers"), address
        )
    return Tile(_("Platform"), _("not ready"), problems[0], address, "bad")


def components(user: User) -> Panel:
    """Only what wants somebody."""
    lines = [
        Line(
            part.name, address_of("system"), strip_tags(part.words), part.since_in_words, tone="bad"
        )
        for part in condition.components()
        if part.cure
    ]
    return Panel(
        _("System"),
        _("Every part of the platform does its work."),
        lines[:LINES],
        address_of("system"),
    )


def refusals(user: User) -> Part[Panel]:
    denials = AuditEvent.objects.filter(outcome=AuditEvent.Outcome.DENIED).order_by("-pk")
    found = yield denials[:LINES]
    lines = [
        Line(
            actor_in_words(event.actor),
            address_of("audit"),
            f"{_doing(event)}: {event.reason}".rstrip(": "),
            elapsed(event.at),
        )
        for event in found
    ]
    return Panel(
        _("Refused lately"),
        _("Nobody was refused anything."),
        lines,
        address_of("audit") + "?outcome=DENIED",
    )


def own_doings(user: User) -> Part[Panel]:
    """Where one was before lunch."""
    events = AuditEvent.objects.filter(actor=user.username).order_by("-pk")
    found = yield events.exclude(NO_ACT)[:LINES]
    lines = [
        Line(_doing(event), _page_of(event), _name_of(event), elapsed(event.at)) for event in found
    ]
    return Panel(_("My last actions"), "", lines, f"{address_of('audit')}?actor={user.username}")


def _doing(event: AuditEvent) -> str:
    """What was done, or what was tried: a refused attempt never reads as done."""
    words = action_in_words(event.action)
    tried = event.outcome == AuditEvent.Outcome.DENIED and "refused" not in event.action
    return _("{words} (refused)").format(words=words) if tried else words


def _page_of(event: AuditEvent) -> str:
    kind = event.object_type.partition(".")[2]
    name = {"modelversion": "model", "trainingrun": "run"}.get(kind, kind)
    if name not in {"alert", "case", "upload", "model", "run"} or not event.object_id.isdecimal():
        return ""
    return address_of(name, int(event.object_id))


def _name_of(event: AuditEvent) -> str:
    named = kind_in_words(event.object_type)
    return f"{named} {event.object_id}" if event.object_id.isdecimal() else named
