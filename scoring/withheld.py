"""What turned out to be of a payment, withheld from somebody for now; a later room says from whom.

A second reviewer must not read the label they are to check, nor see whom the first person put on a
list because of it. Which payments and entries that are only the room of alerts knows, so it leaves
rules here when it starts.
"""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet

from scoring.models import Label, ListEntry, Notice

Rule = Callable[[Any], "QuerySet[Any]"]  # reader → the ids of those payments, as a subquery
RULES: list[Rule] = []
ENTRIES: list[Rule] = []  # reader → the ids of list entries, in the same way


def readable(labels: "QuerySet[Label]", reader: Any) -> "QuerySet[Label]":
    """Of these labels those that this person or machine may read now; in the same query."""
    for rule in RULES:
        labels = labels.exclude(transaction__in=rule(reader))
    return labels


def readable_notices(notices: "QuerySet[Notice]", reader: Any) -> "QuerySet[Notice]":
    """Of these words from outside those that this person or machine may read now."""
    for rule in RULES:
        about = notices.model.objects.filter(transaction__in=rule(reader))
        notices = notices.exclude(pk__in=about.order_by().values("pk"))
    return notices


def withheld(payment: int, reader: Any) -> bool:
    """Whether what was said of this payment is not theirs to read now."""
    return any(rule(reader).filter(transaction=payment).exists() for rule in RULES)


def readable_entries(entries: "QuerySet[ListEntry]", reader: Any) -> "QuerySet[ListEntry]":
    """Of these list entries those that this person or machine may see now; in the same query."""
    for rule in ENTRIES:
        entries = entries.exclude(pk__in=rule(reader))
    return entries
