"""What a search of the queue can ask about: one peer per field, each with how it is read.

A field turns the words behind its colon or comparison into a condition on alerts. What it cannot
read it answers with `Wrong`, in words for whoever typed it.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import Q
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from alerts.models import Alert, AlertHit, Look, Queue
from alerts.query_values import Wrong, among, amount_of, span_of
from scoring import personal
from scoring.engine.decision import Level
from scoring.engine.keys import entity_key
from scoring.engine.lists import LIST_RULES

COMPARED = {">": "gt", ">=": "gte", "<": "lt", "<=": "lte", ":": "exact", "=": "exact"}
TURNED = {"gt": "lt", "gte": "lte", "lt": "gt", "lte": "gte"}
ALERT = re.compile(r"(?:[Aa]-?)?(\d{1,18})")
VERDICTS = {
    "fraud": Alert.Disposition.TRUE_POSITIVE_FRAUD,
    "legitimate": Alert.Disposition.FALSE_POSITIVE,
    "explained": Alert.Disposition.BENIGN_POSITIVE,
    "inconclusive": Alert.Disposition.INCONCLUSIVE,
    "duplicate": Alert.Disposition.DUPLICATE,
    "laundering": Alert.Disposition.TRUE_POSITIVE_AML,
    "violation": Alert.Disposition.POLICY_VIOLATION,
    "test": Alert.Disposition.TEST,
}
# `is:` words that are a view of the queue of their own, in the order that fits it.
STATUS = {
    "late": "overdue",
    "unassigned": "unassigned",
    "changed": "changed",
    "case": "escalated",
    "snoozed": "snoozed",
    "decided": "closed",
    "open": "open",
    "all": "all",
}


@dataclass(frozen=True)
class Asker:
    """Who asks, which queues they see, and whether names are hidden from them."""

    user: Any
    queues: Sequence[Queue]
    hidden: bool = False


Read = Callable[[str, str, Asker], Q]


@dataclass(frozen=True)
class Field:
    """One word before the colon. `read` takes the comparison, one value, and who asks."""

    name: str
    hint: str
    example: str
    read: Read
    compares: bool = False
    personal: bool = False
    offers: Callable[[Asker], list[str]] = lambda asker: []


def chosen(name: str, known: Callable[[], Sequence[str]]) -> Read:
    """One of a fixed set, in any case: `level:high`."""

    def read(op: str, value: str, asker: Asker) -> Q:
        return Q(**{name: among(value.upper(), known())})

    return read


def number(name: str) -> Read:
    """A sum or a score: `5000`, `.8`, `5k`, `1.5m`."""

    def read(op: str, value: str, asker: Asker) -> Q:
        return Q(**{f"{name}__{COMPARED[op]}": amount_of(value)})

    return read


def age(op: str, value: str, asker: Asker) -> Q:
    """Raised less or more than that long ago."""
    step = TURNED.get(COMPARED[op], "")
    if not step:
        raise Wrong(_("An age is compared: age<2h or age>1d."))
    return Q(**{f"created_at__{step}": timezone.now() - span_of(value)})


def sla(op: str, value: str, asker: Asker) -> Q:
    """Time left; below zero it is late."""
    step = COMPARED[op]
    if step == "exact":
        raise Wrong(_("Time left is compared: sla<30m, or sla<0 for what is late."))
    return Q(**{f"due_at__{step}": timezone.now() + span_of(value)})


def reason(op: str, value: str, asker: Asker) -> Q:
    code = value.upper()
    if not re.fullmatch(r"[A-Z0-9_]{1,32}", code):
        raise Wrong(
            _("‘{value}’ is no reason. A reason is a code like HIGH_AMOUNT.").format(value=value)
        )
    return Q(reason_codes__contains=[code]) & ~Q(reason_codes=[])


def reasons(asker: Asker | None = None) -> list[str]:
    from scoring.engine.rules import RULES  # compiles with the engine: only when somebody asks

    return list(dict.fromkeys(rule.code for rule in (*LIST_RULES, *RULES)))


def about(op: str, value: str, asker: Asker) -> Q:
    """A customer's alerts, or those of a card, device or merchant they are about."""
    return Q(pk__in=Alert.objects.about(value).values("pk"))


def customer(op: str, value: str, asker: Asker) -> Q:
    theirs = AlertHit.objects.filter(user_id__in=personal.called(value))
    return Q(pk__in=theirs.values("alert"))


def through(kind: str) -> Read:
    """Alerts with a payment of this card or device, by the index of its key."""

    def read(op: str, value: str, asker: Asker) -> Q:
        return Q(pk__in=paid_by(kind, value))

    return read


def paid_by(kind: str, value: str) -> Any:
    names = personal.called(value)
    keys = [entity_key(one) for one in names]
    asked = {f"transaction__{kind}_key__in": keys, f"transaction__{kind}_id__in": names}
    return AlertHit.objects.filter(**asked).values("alert")


def word(value: str, asker: Asker) -> Q:
    """A word alone: an alert by its number, else a customer, entity, card or device by its id."""
    named = Alert.objects.about(value).values("pk")
    found = named.union(paid_by("card", value), paid_by("device", value))
    by_number = ALERT.fullmatch(value)
    own = Q(pk=int(by_number[1])) if by_number else Q(pk__in=[])
    return own if asker.hidden else own | Q(pk__in=found)


def queue(op: str, value: str, asker: Asker) -> Q:
    names = {one.slug: one for one in asker.queues}
    return Q(queue=names[among(value, list(names))])


def owner(op: str, value: str, asker: Asker) -> Q:
    from alerts.staffing import analysts

    if value == "me":
        return Q(assignee=asker.user.pk)
    if value == "nobody":
        return Q(assignee=None)
    known = list(analysts().values_list("username", flat=True))
    return Q(assignee__username=among(value, ["me", "nobody", *known]))


def source(op: str, value: str, asker: Asker) -> Q:
    return Q(transaction__source__name=among(value, sources(asker)))


def sources(asker: Asker) -> list[str]:
    from scoring.models import Source

    return list(Source.objects.order_by("name").values_list("name", flat=True)[:200])


def holds(name: str) -> Read:
    """A text of the leading payment that contains this, in any case."""

    def read(op: str, value: str, asker: Asker) -> Q:
        return Q(**{f"transaction__{name}__icontains": value})

    return read


def verdict(op: str, value: str, asker: Asker) -> Q:
    return Q(disposition=VERDICTS[among(value, list(VERDICTS))])


def state(op: str, value: str, asker: Asker) -> Q:
    return STATES[among(value, list(STATES))](asker)


def _changed(asker: Asker) -> Q:
    looks = Look.objects.filter(person=asker.user.pk, behind=True)
    return OPEN & Q(pk__in=looks.values("alert"))


OPEN = ~Q(status=Alert.Status.CLOSED) & ~Q(status=Alert.Status.MERGED)
LATE = OPEN & ~Q(status=Alert.Status.PENDING_INFO)
STATES: dict[str, Callable[[Asker], Q]] = {
    "late": lambda asker: LATE & Q(due_at__lt=timezone.now()),
    "mine": lambda asker: Q(assignee=asker.user.pk),
    "unassigned": lambda asker: OPEN & Q(assignee=None),
    "changed": _changed,
    "case": lambda asker: Q(status=Alert.Status.ESCALATED),
    "snoozed": lambda asker: Q(status__in=Alert.ASLEEP),
    "back": lambda asker: OPEN & Q(boost__gt=0),
    "group": lambda asker: Q(hit_count__gt=1),
    "open": lambda asker: OPEN,
    "decided": lambda asker: Q(status=Alert.Status.CLOSED),
    "all": lambda asker: Q(),
}
LEVELS = [str(level) for level in reversed(Level)]
TYPOLOGIES = [str(one) for one in Alert.Typology.values]

FIELDS = [
    Field("entity", _lazy("whom or what it is about, whole id"), "user_42", about, personal=True),
    Field("user", _lazy("a customer, whole id"), "user_42", customer, personal=True),
    Field("card", _lazy("a card, whole id"), "card_7", through("card"), personal=True),
    Field("device", _lazy("a device, whole id"), "dev_9", through("device"), personal=True),
    Field("amount", _lazy("of its leading payment"), ">5000", number("amount"), compares=True),
    Field(
        "total",
        format_lazy(_lazy("of all its payments, in {currency}"), currency=settings.BASE_CURRENCY),
        ">5k",
        number("total"),
        compares=True,
    ),
    Field("loss", _lazy("expected loss"), ">1000", number("expected_loss"), compares=True),
    Field("score", _lazy("risk score, 0 to 1"), ">=.8", number("risk_score"), compares=True),
    Field("hits", _lazy("payments in it"), ">3", number("hit_count"), compares=True),
    Field("age", _lazy("since it was raised"), "<2h", age, compares=True),
    Field("sla", _lazy("time left; below 0 it is late"), "<30m", sla, compares=True),
    Field(
        "level",
        _lazy("risk level"),
        "CRITICAL",
        chosen("level", lambda: LEVELS),
        offers=lambda a: LEVELS,
    ),
    Field("reason", _lazy("a rule that hit"), "HIGH_AMOUNT", reason, offers=reasons),
    Field(
        "typology",
        _lazy("what it looks like"),
        "card_testing",
        chosen("suspected", lambda: TYPOLOGIES),
        offers=lambda a: [one.casefold() for one in TYPOLOGIES],
    ),
    Field("is", _lazy("its state"), "late", state, offers=lambda a: list(STATES)),
    Field("verdict", _lazy("what was decided"), "fraud", verdict, offers=lambda a: list(VERDICTS)),
    Field("owner", _lazy("who works on it"), "me", owner, offers=lambda a: ["me", "nobody"]),
    Field(
        "queue",
        _lazy("one of your queues"),
        "cards",
        queue,
        offers=lambda a: [q.slug for q in a.queues],
    ),
    Field("source", _lazy("where the payment came from"), "till", source, offers=sources),
    Field("place", _lazy("city or place of the payment"), "Delhi", holds("location")),
    Field("country", _lazy("of the payment, two letters"), "IN", holds("country")),
    Field("merchant", _lazy("part of its name"), "shop", holds("merchant_name")),
    Field("mcc", _lazy("merchant category code"), "6011", holds("mcc")),
]
BY_NAME = {field.name: field for field in FIELDS}
