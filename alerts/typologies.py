"""What kind of fraud an alert may be, before anybody has looked: a plain register, read in order.

A suspicion says what an alert is grouped by and which words stand on its page. It never closes
anything and is no label: the analyst's typology is asked for separately.
"""

from collections.abc import Callable
from dataclasses import dataclass

from alerts.candidates import Candidate
from alerts.models import Alert

Kind, Typology = Alert.Kind, Alert.Typology
SMALL = 25.0  # base currency: an amount that tries whether a card still works
FAST = 900.0  # km/h: no passenger is faster
MONEY_TRANSFER = frozenset({"4829", "6012", "6050", "6051", "6538", "6540"})  # ISO 18245


@dataclass(frozen=True)
class Suspicion:
    """A typology, the entity it is about, and when it is suspected."""

    typology: str
    kind: Kind
    sentence: str
    applies: Callable[[Candidate], bool]


def card_testing(c: Candidate) -> bool:
    often = c.feature("card_transaction_count_1h") >= 3 or c.feature("transaction_count_1h") >= 3
    return often and c.amount <= SMALL


def shared_device(c: Candidate) -> bool:
    return (
        c.feature("device_distinct_users_24h") >= 3 or c.feature("device_distinct_users_30d") >= 4
    )


def account_takeover(c: Candidate) -> bool:
    unlike = c.feature("new_place") == 1 or c.feature("amount_over_mean_30d") >= 3
    return c.feature("new_device") == 1 and unlike


def mule(c: Candidate) -> bool:
    moves_money = c.payment.mcc in MONEY_TRANSFER
    return moves_money and (c.feature("transaction_count_24h") >= 3 or c.amount >= 1000)


def structuring(c: Candidate) -> bool:
    return c.feature("same_amount_count_24h") >= 2 and c.amount > SMALL


def stolen_card(c: Candidate) -> bool:
    fast = c.feature("implied_speed_kmh") > FAST
    unlike = c.feature("amount_over_mean_30d") >= 4 and c.feature("new_merchant") == 1
    return fast or unlike or "VELOCITY_MULTI_CITY" in c.decision.reason_codes


SUSPICIONS = [
    Suspicion(
        Typology.CARD_TESTING,
        Kind.CARD,
        "Several small payments of one card within the hour.",
        card_testing,
    ),
    Suspicion(
        Typology.SYNTHETIC_IDENTITY,
        Kind.DEVICE,
        "One device acts for several customers.",
        shared_device,
    ),
    Suspicion(
        Typology.MULE,
        Kind.USER,
        "Money is moved on, again and again or in a large sum.",
        mule,
    ),
    Suspicion(
        Typology.ACCOUNT_TAKEOVER,
        Kind.USER,
        "A new device pays from a new place, or far more than usual.",
        account_takeover,
    ),
    Suspicion(
        Typology.STRUCTURING,
        Kind.USER,
        "The same amount again and again within a day.",
        structuring,
    ),
    Suspicion(
        Typology.STOLEN_CARD,
        Kind.CARD,
        "Places too far apart for one person, or a large sum at a new merchant.",
        stolen_card,
    ),
]
NONE = Suspicion("", Kind.USER, "Unusual for this customer.", lambda c: True)
SENTENCES = {suspicion.typology: suspicion.sentence for suspicion in [*SUSPICIONS, NONE]}


def suspected(candidate: Candidate) -> Suspicion:
    """The first of the register that applies; else only: unusual for this customer."""
    return next((one for one in SUSPICIONS if one.applies(candidate)), NONE)


def entity_of(candidate: Candidate, kind: str) -> tuple[str, str]:
    """Kind and value of what an alert is about; the customer when the payment names no such."""
    payment = candidate.payment
    named = {
        Kind.CARD: payment.card_id,
        Kind.DEVICE: payment.device_id,
        Kind.MERCHANT: payment.merchant_name,
    }
    value = named.get(Kind(kind), "")
    return (kind, value) if value else (Kind.USER, payment.user_id)
