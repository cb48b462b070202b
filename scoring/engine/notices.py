"""What somebody outside says of a payment later: a chargeback, a report of fraud, a dispute won."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import blake2b
from typing import Any, NamedTuple

from scoring.engine import amounts, fields
from scoring.engine.fields import Unfit
from scoring.engine.transaction import Defaults, Invalid

CHARGEBACK, FRAUD_REPORT, CUSTOMER, WON, OTHER = (
    "CHARGEBACK", "FRAUD_REPORT", "CUSTOMER_REPORT", "DISPUTE_WON", "OTHER",
)  # fmt: skip
KINDS = (CHARGEBACK, FRAUD_REPORT, CUSTOMER, WON, OTHER)
# How senders write them, without spaces, hyphens and underscores.
KIND_WORDS = {
    **{kind.replace("_", "").casefold(): kind for kind in KINDS},
    **dict.fromkeys(("cb", "dispute", "chargedback"), CHARGEBACK),
    **dict.fromkeys(("tc40", "safe", "issuerfraud", "fraudadvice", "earlywarning"), FRAUD_REPORT),
    **dict.fromkeys(("customer", "cardholder", "victim"), CUSTOMER),
    **dict.fromkeys(("won", "representment", "reversal", "chargebackreversed"), WON),
}
FRAUD, GENUINE, SILENT = "TRUE_FRAUD", "FALSE_POSITIVE", ""
IMPLIED = {FRAUD_REPORT: FRAUD, CUSTOMER: FRAUD, WON: GENUINE}
LABEL_WORDS = {
    **dict.fromkeys(("1", "1.0", "true", "yes", "fraud", "true_fraud"), FRAUD),
    **dict.fromkeys(
        (
            "0",
            "0.0",
            "false",
            "no",
            "legit",
            "legitimate",
            "genuine",
            "false_positive",
            "not fraud",
        ),
        GENUINE,
    ),
    **dict.fromkeys(("none", "unknown", "inconclusive", "other"), SILENT),
}
# Reason codes of the schemes that speak of fraud; all others are about goods, sums or paperwork.
FRAUD_CODES = frozenset(
    """
    10.1 10.2 10.3 10.4 10.5
    4837 4849 4863 4870 4871 37 49 63 70 71
    F10 F14 F24 F29 F30 F31 FR2 FR4 FR6
    UA01 UA02 UA05 UA06 UA10 UA11 7010 7030
    """.split()
)
ALIASES = {
    "chargeback_id": "notice_id",
    "dispute_id": "notice_id",
    "case_number": "notice_id",
    "arn": "notice_id",
    "payment_id": "transaction_id",
    "transaction_source": "source",
    "payment_source": "source",
    "type": "kind",
    "is_fraud": "label",
    "fraud": "label",
    "chargeback_date": "known_at",
    "reported_at": "known_at",
    "received_at": "known_at",
    "posted_at": "known_at",
    "reason": "reason_code",
}
FIELDS = frozenset(
    ("notice_id", "transaction_id", "source", "kind", "label", "known_at", "timezone", "amount",
     "currency", "reason_code")
)  # fmt: skip
REQUIRED = ("notice_id", "transaction_id")
DAY = 10  # characters of a date without a time


class Notice(NamedTuple):
    """One notice, validated. `value` is empty where it says nothing of fraud."""

    external_id: str
    payment_source: str  # the name of the source of the payment; empty: as the sender is bound
    payment_id: str
    kind: str
    value: str
    known_at: datetime
    amount: Decimal | None
    currency: str
    reason_code: str
    digest: bytes


def parse(
    record: Mapping[str, Any], *, defaults: Defaults, mapping: Mapping[str, str] | None = None
) -> Notice:
    """The notice of a record. Invalid names every field that is wrong at once.

    Without a date it is known since its receipt. A date alone means the end of that day: nobody
    can say that it was known earlier. What lies a few minutes ahead is the sender's clock.
    """
    given = by_our_names(record, mapping or {})
    reasons: dict[str, str] = {
        name: "is required" for name in REQUIRED if not str(given.get(name, "")).strip()
    }

    def read(name: str, how: Callable[[Any], Any], nothing: Any) -> Any:
        if name not in given:
            return nothing
        try:
            return how(given[name])
        except Unfit as unfit:
            reasons.setdefault(name, str(unfit))
            return nothing

    zone = read("timezone", fields.zone_name, "") or defaults.timezone or "UTC"
    known_at = read("known_at", lambda value: _known(value, zone, defaults), None)
    kind = read("kind", _kind, CHARGEBACK)
    code = read("reason_code", lambda value: fields.text(value, 32).upper(), "")
    label = read("label", _label, None)
    found = {name: read(name, lambda value: fields.text(value, 128), "") for name in REQUIRED}
    source = read("source", lambda value: fields.text(value, 64), "")
    amount = read("amount", amounts.amount, None)
    currency = read("currency", fields.currency, defaults.currency)
    if reasons:
        raise Invalid(reasons)
    value = implied(kind, code) if label is None else label
    # A time we made up is not part of what was said: said again, it would be another notice.
    said = (found["transaction_id"], source, kind, value, known_at, amount, currency, code)
    return Notice(
        external_id=found["notice_id"],
        payment_source=source,
        payment_id=found["transaction_id"],
        kind=kind,
        value=value,
        known_at=min(known_at or defaults.received_at, defaults.received_at).astimezone(UTC),
        amount=amount,
        currency=currency if amount is not None else "",
        reason_code=code,
        digest=blake2b(repr(said).encode(), digest_size=16).digest(),
    )


def implied(kind: str, code: str) -> str:
    """What a kind says by itself. A chargeback over goods that never came says nothing of fraud."""
    if kind == CHARGEBACK:
        return FRAUD if not code or code in FRAUD_CODES else SILENT
    return IMPLIED.get(kind, SILENT)


def by_our_names(record: Mapping[str, Any], mapping: Mapping[str, str]) -> dict[str, Any]:
    """What was said in fields of ours; our own name wins over another one. Silence is left out."""
    given: dict[str, Any] = {}
    for theirs, value in record.items():
        if value is None or value == "" or value != value:
            continue
        ours = our_name(theirs, mapping)
        if ours and (ours not in given or theirs == ours):
            given[ours] = value
    return given


def our_name(theirs: str, mapping: Mapping[str, str]) -> str:
    """The field of ours that a name gives; empty for what nobody here knows."""
    if theirs in mapping:
        return mapping[theirs] if mapping[theirs] in FIELDS else ""
    return theirs if theirs in FIELDS else ALIASES.get(theirs, "")


def _known(value: object, zone: str, defaults: Defaults) -> datetime:
    moment = fields.moment(value, zone)
    if isinstance(value, str) and len(value.strip()) == DAY and not value.strip().isdigit():
        whole = moment + timedelta(days=1)
        moment = min(whole, max(moment, defaults.received_at.astimezone(UTC)))
    return fields.checked(moment, defaults.received_at, ahead=defaults.ahead)


def _kind(value: object) -> str:
    word = "".join(filter(str.isalnum, fields.text(value, 64))).casefold()
    if word not in KIND_WORDS:
        raise Unfit(f"is none of {', '.join(KINDS)}")
    return KIND_WORDS[word]


def _label(value: object) -> str:
    word = str(value).strip().casefold()
    if word not in LABEL_WORDS:
        raise Unfit("is not a label such as 1, 0, fraud or legitimate")
    return LABEL_WORDS[word]
