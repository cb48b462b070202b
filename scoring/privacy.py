"""Who reads what of a payment: people by their work, machines by what they sent themselves."""

from typing import Any

from anomalyshield.accounts.authentication import Machine
from anomalyshield.templatetags.words import masked_if
from scoring import personal
from scoring.models import Transaction


def sees_people(user: Any) -> bool:
    """Those who work alerts read personal values; everyone else sees their ends."""
    return user.may("alert.work")


def sees_numbers(user: Any) -> bool:
    """Whether a payment's own number is read in full: machines join their data by it.

    It names no person; people who may not look at one still see its ends only.
    """
    return isinstance(user, Machine) or sees_people(user)


def own_source(user: Any) -> int | None:
    """The source a key is bound to; None for people and for keys of no source."""
    return user.key.source_id if isinstance(user, Machine) else None


def sees_user_of(user: Any, source_id: int) -> bool:
    """Whether the customer is read in full: a key of one source reads back what it sent."""
    own = own_source(user)
    return (own is not None and own == source_id) or sees_people(user)


def user_of(row: Transaction, asker: Any) -> str:
    """The customer of a payment: as it was sent for whoever may read that, else its ends."""
    if sees_user_of(asker, row.source_id):
        return personal.as_sent(row, "user_id")
    return masked_if(row.user_id, True)
