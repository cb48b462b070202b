"""Payments, their decisions and the alerts these tests are about."""

from datetime import timedelta
from decimal import Decimal
from itertools import count
from typing import Any

from django.utils import timezone
from guardian.shortcuts import assign_perm

from alerts import grouping
from alerts.candidates import Candidate
from alerts.models import Alert, Queue, Route
from anomalyshield.accounts.models import User
from scoring.engine.decision import Policy
from scoring.engine.keys import entity_key
from scoring.models import Decision, DecisionPolicy, Source, Transaction
from tests.conftest import person

numbers = count(1)


def queue(slug: str = "cards", *workers: User, **fields: Any) -> Queue:
    """A queue and the people who work it."""
    made, _ = Queue.objects.get_or_create(slug=slug, defaults={"name": slug.title(), **fields})
    for worker in workers:
        assign_perm("work_queue", worker, made)
    return made


def queue_member(username: str, *queues: Queue) -> User:
    """One more analyst of these queues."""
    member = person(username, "analyst")
    for one in queues:
        assign_perm("work_queue", member, one)
    return member


def policy() -> DecisionPolicy:
    return DecisionPolicy.objects.get_or_create(
        version=1, defaults={"values": Policy().as_dict(), "active": True}
    )[0]


def payment(user: str = "customer-0042", amount: str = "250", **fields: Any) -> Transaction:
    money = Decimal(amount)
    moment = fields.pop("event_time", timezone.now() - timedelta(hours=1))
    return Transaction.objects.create(
        source=Source.objects.get_or_create(name="till")[0],
        external_id=f"t-{next(numbers)}",
        event_time=moment,
        amount=money,
        currency="USD",
        amount_units=int(money * 10_000),
        user_id=user,
        user_key=entity_key(user),
        digest=b"0" * 16,
        **fields,
    )


def decision(
    paid: Transaction, *, score: float = 0.8, level: str = "HIGH", **fields: Any
) -> Decision:
    """A reviewable decision that nobody has routed yet."""
    return Decision.objects.create(
        transaction=paid,
        policy=policy(),
        risk_score=score,
        level=level,
        known_at=timezone.now(),
        **{"outcome": "REVIEW", "reviewable": True, **fields},
    )


def alert(
    where: Queue,
    *,
    user: str = "customer-0042",
    amount: str = "250",
    score: float = 0.8,
    **fields: Any,
) -> Alert:
    """An open alert in a queue; `fields` are of the decision or, below, of the alert."""
    mine = {name: fields.pop(name) for name in ("due_at", "status", "assignee") if name in fields}
    about = {name: fields.pop(name) for name in list(fields) if hasattr(Transaction, name)}
    made = decision(payment(user, amount, **about), score=score, **fields)
    route = Route(queue=where, grouping=Route.Grouping.NONE, is_default=True)
    [hit] = grouping.group(
        [grouping.place(Candidate(made, made.transaction, {}), [route])], [], timezone.now()
    )
    raised = hit.alert
    for name, value in mine.items():
        setattr(raised, name, value)
    raised.save()
    hit.alert = raised
    hit.save()
    Decision.objects.filter(pk=made.pk).update(routed_at=timezone.now())
    return Alert.objects.get(pk=raised.pk)
