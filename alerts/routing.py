"""From a reviewable decision to a hit of an alert in a queue: exactly once, whoever asks."""

from collections.abc import Iterable, Sequence

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext_noop as _noop

from alerts import grouping, snoozing, suppressing, telling
from alerts.candidates import Candidate, candidates
from alerts.models import Alert, AlertHit, Profile, Queue, Route, Routing, SuppressedHit
from anomalyshield.audit.record import record
from anomalyshield.locks import one_at_a_time
from anomalyshield.rows import rewrite
from scoring import costs
from scoring.engine.costs import Costs
from scoring.models import Decision

BATCH = 500  # decisions turned into hits per transaction
GROWN = (  # what one more payment changes on an alert
    "decision", "transaction", "risk_score", "user_id", "amount", "currency", "level",
    "hit_count", "total", "expected_loss", "reason_codes", "first_event", "last_event",
    "last_hit_at",
)  # fmt: skip


def raise_alerts(decision_ids: Sequence[int]) -> int:
    """Put those of these decisions that want a person and are in no alert into one.

    Returns how many were routed. Calling it twice, or from two processes at once, changes nothing:
    the rows are locked, the unique decision of a hit decides, and `routed_at` commits with it.
    """
    ids = list(decision_ids)
    return sum(_route(ids[start : start + BATCH]) for start in range(0, len(ids), BATCH))


def sweep() -> int:
    """Raise the alerts that no announcement raised. Run every 2 s; safe beside any other sweep."""
    routed = 0
    while count := _route(None):
        routed += count
        if count < BATCH:
            break
    return routed


@transaction.atomic
def _route(ids: list[int] | None) -> int:
    decisions = _claim(ids)
    if not decisions:
        return 0
    now, routes = timezone.now(), active_routes()
    found = candidates([one for one in decisions if not one.there])
    placings = suppressing.keep_out([grouping.place(one, routes) for one in found])
    found = [placing.candidate for placing in placings]
    waiting = _locked({placing.key for placing in placings} - {0})
    figures = Costs.from_dict(costs.held().values)
    hits = grouping.group(placings, waiting, now, figures)
    opened = _store(hits)
    _keep_profiles(hits, found)
    telling.routed(decisions, opened)
    return Decision.objects.filter(pk__in=[d.pk for d in decisions]).update(routed_at=now)


def _claim(ids: list[int] | None) -> list[Decision]:
    related = ("transaction__source", "policy")
    unrouted = Decision.objects.unrouted().select_related(*related).order_by("pk")
    # A crash between two statements cannot leave one in an alert, but an old backup can.
    alone = {"decision": OuterRef("pk")}
    there = Exists(AlertHit.objects.filter(**alone)) | Exists(SuppressedHit.objects.filter(**alone))
    unrouted = unrouted.annotate(there=there)
    if ids is not None:
        unrouted = unrouted.filter(pk__in=ids)
    # SKIP LOCKED: a row held by someone else is being routed by them, or swept if they die.
    return list(unrouted.select_for_update(skip_locked=True, of=("self",))[:BATCH])


def _locked(keys: Iterable[int]) -> list[Alert]:
    """The alerts these groups may join, oldest first; nobody closes or extends them now.

    The advisory locks come first and in order: of two workers with payments of one group the
    second waits here, and then sees the alert that the first one opened. A row that was decided
    while we waited for it is read again by PostgreSQL and is not among them.
    """
    ordered = sorted(keys)
    if not ordered:
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(key) FROM unnest(%s) AS key", [ordered])
    growing = Alert.objects.growing().select_related("assignee")
    open_ones = growing.filter(group_key__in=ordered).order_by("pk")
    return list(open_ones.select_for_update(of=("self",)))


def _store(hits: list[AlertHit]) -> list[Alert]:
    """The alerts that were opened by it."""
    alerts = list({id(hit.alert): hit.alert for hit in hits}.values())
    grown = [alert for alert in alerts if alert.pk is not None]
    opened = Alert.objects.bulk_create([alert for alert in alerts if alert.pk is None])
    if grown:
        rewrite(grown, GROWN)
        snoozing.wake_joined(grown)
    for hit in hits:
        hit.alert = hit.alert  # anew: to set its id alone would have it read again for each hit
    AlertHit.objects.bulk_create(hits)
    return opened


def _keep_profiles(hits: list[AlertHit], found: list[Candidate]) -> None:
    """Of the payments that lead their alerts now."""
    profiles = [
        Profile(alert=hit.alert, spec=one.spec, vector=one.vector)
        for hit, one in zip(hits, found, strict=True)
        if one.vector and hit.alert.decision_id == one.decision.pk
    ]
    if profiles:
        Profile.objects.bulk_create(
            profiles,
            update_conflicts=True,
            unique_fields=["alert"],
            update_fields=["spec", "vector"],
        )


def active_routes() -> list[Route]:
    """The routes in force, in order, the default last. A new installation gets one that takes
    everything."""
    routes = list(Route.objects.filter(routing__state="ACTIVE").select_related("queue"))
    return routes or [_first_route()]


def _first_route() -> Route:
    one_at_a_time("first route")  # of two workers that both find none, one makes it
    default = Route.objects.filter(routing__state="ACTIVE", is_default=True)
    if route := default.select_related("queue").first():
        return route
    made = Routing.objects.create(
        number=next_number(),
        state=Routing.State.ACTIVE,
        reason=_noop("The default of this release."),
    )
    record(by="system", action="routing.activated", object=made)
    return Route.objects.create(
        routing=made,
        position=0,
        name=_noop("Everything else"),
        queue=default_queue(),
        is_default=True,
    )


def next_number() -> int:
    """Of the next version; versions are listed latest first."""
    return (Routing.objects.values_list("number", flat=True).first() or 0) + 1


def default_queue() -> Queue:
    """The queue that takes what no other one claims."""
    queue = Queue.objects.filter(is_default=True).first() or Queue.objects.order_by("pk").first()
    if queue is None:
        queue, _ = Queue.objects.get_or_create(
            is_default=True, defaults={"name": "Fraud review", "slug": "fraud-review"}
        )
    return queue
