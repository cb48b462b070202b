"""What kind of fraud an alert may be, before anybody has looked: a plain register, read in order.

A suspicion says what an alert is grouped by and which words stand on its page. It never closes
anything and is no label: the analyst's typology is asked for separately.
"""

from collections.abc import Callable
from dataclasses import dataclass

from alerts.candidates import Candidate
from alerts.models import Alert
from scoring.engine.transaction import UNITS

Kind, Typology = Alert.Kind, Alert.Typology
SMALL = 25.0  # base currency: an amount that tries whether a card still works
FAST = 900.0  # km/h: no passenger is faster
LIMIT = 10_000.0  # base currency: from here on a bank has to report cash
CASH = frozenset({"6010", "6011"})  # ISO 18245: over the counter, from a machine
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


def collusion(c: Candidate) -> bool:
    """A round sum unlike this customer, where others have just paid more often than usual."""
    unlike = c.feature("amount_over_mean_30d") >= 4 or c.feature("amount_over_max_30d") >= 2
    round_sum = c.amount >= 50 and c.payment.amount_units % (10 * UNITS) == 0
    others = c.feature("merchant_transaction_count_24h") >= 1
    crowded = c.feature("merchant_surge_24h") >= 2 or _tainted(c)
    return unlike and round_sum and others and crowded


def _tainted(c: Candidate) -> bool:
    """Frauds are known of the merchant, and are not just a few among many payments."""
    known = c.feature("merchant_known_fraud_count_30d") >= 2
    return known and c.feature("merchant_known_fraud_share_30d") >= 0.2


def structuring(c: Candidate) -> bool:
    """Sums below the limit that together reach it within a week, or the same sum again."""
    again = c.feature("same_amount_count_24h") >= 2 and c.amount > SMALL
    if again or c.amount >= LIMIT:
        return again
    just_below, before = c.amount >= 0.9 * LIMIT, c.feature("max_amount_7d")
    if c.payment.mcc not in CASH:
        return just_below and 0.9 * LIMIT <= before < LIMIT
    together = before < LIMIT <= c.feature("total_amount_7d") + c.amount
    return just_below or (c.amount >= 0.15 * LIMIT and together)


def bust_out(c: Candidate) -> bool:
    """A customer of long standing who spends, at home and without haste, as never before."""
    known = c.feature("history_days") >= 14 and c.feature("transaction_count_30d") >= 8
    at_home = c.feature("new_place") != 1 and c.feature("new_device") != 1
    calm = c.feature("time_since_last_transaction_minutes") >= 60
    several = c.feature("transaction_count_24h") >= 2 and c.feature("large_amounts_14d") >= 2
    before = c.feature("total_amount_30d") - c.feature("total_amount_7d")  # in 23 days
    spree = before > 0 and c.feature("total_amount_24h") + c.amount >= 5 * before / 23
    dear = c.feature("amount_over_median") >= 4
    return known and at_home and calm and several and spree and dear


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
        Typology.MERCHANT_COLLUSION,
        Kind.MERCHANT,
        "Round sums at one merchant, unlike its customers, where others have just paid.",
        collusion,
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
        "Sums just below a limit of reporting, or the same sum again and again.",
        structuring,
    ),
    Suspicion(
        Typology.BUST_OUT,
        Kind.USER,
        "After a long quiet history many times the usual is spent within a day, at home.",
        bust_out,
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
    if "suspicion" not in candidate.found:  # several routes and the grouping ask
        first = next((one for one in SUSPICIONS if one.applies(candidate)), NONE)
        candidate.found["suspicion"] = first
    return candidate.found["suspicion"]


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
