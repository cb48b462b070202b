"""The draft of a narrative: who, what, when, where, why and how, each sentence with its rows.

Nothing is said that no row says. What only a person can say is left as a prompt in brackets, and a
report with a prompt in it is not complete (`cases/sections.py`).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from alerts.models import Alert
from cases.facts import Facts, Payment
from cases.models import Case
from scoring import reasons

MOST = 30  # rows named in one sentence; more are called by their range
TOP = 5  # merchants, places, cards … told of
REFERENCE = re.compile(r" ?\[(?:[TACE]-\d+[^\]]*)\]")


@dataclass(frozen=True)
class Sentence:
    """What is said under which heading, and the rows it says it from (T-7, A-3, C-1, E-2)."""

    heading: str
    text: str
    rows: tuple[str, ...]


def sentences(facts: Facts) -> list[Sentence]:
    """The whole draft; without a payment there is nothing to tell."""
    if not facts.payments:
        return []
    return [
        *_who(facts),
        *_what(facts),
        *_when(facts),
        *_where(facts),
        *_why(facts),
        *_how(facts),
        *_done(facts),
    ]


def drafted(facts: Facts) -> str:
    """As text for the form: a heading, its sentences, their rows in brackets."""
    parts: dict[str, list[str]] = defaultdict(list)
    for one in sentences(facts):
        parts[one.heading].append(f"{one.text} [{named(one.rows)}]" if one.rows else one.text)
    return "\n\n".join(f"{heading}: {' '.join(said)}" for heading, said in parts.items())


def plain(text: str) -> str:
    """The narrative as it is sent: without the names of our rows."""
    return REFERENCE.sub("", text)


def named(rows: Sequence[str]) -> str:
    """T-7, T-8, A-3; of very many the first and the last."""
    if len(rows) <= MOST:
        return ", ".join(rows)
    return f"{rows[0]}, {rows[1]} … {rows[-1]}"


def _who(facts: Facts) -> list[Sentence]:
    case = facts.case
    said = [Sentence("Who", f"This report is about {case.subject}.", (str(case),))]
    customers = Counter(one.row.user_id for one in facts.payments)
    if set(customers) != {case.subject}:
        names = _listed(customers)
        said.append(Sentence("Who", f"The payments are of {names}.", _rows(facts.payments)))
    prompt = "[Say who they are to this institution, and since when.]"
    return [*said, Sentence("Who", prompt, ())]


def _what(facts: Facts) -> list[Sentence]:
    count, sums = len(facts.payments), _by_currency(facts.payments)
    said = f"{_payments(count)}, {' and '.join(sums)}, {'was' if count == 1 else 'were'} made."
    found = [Sentence("What", said, _rows(facts.payments))]
    if len(sums) > 1:
        whole = f"In {facts.currency} that is {facts.total:,.2f} in all."
        found.append(Sentence("What", whole, _rows(facts.payments)))
    if count > 1:
        top = max(facts.payments, key=lambda one: (one.base, one.row.pk))
        where = f" to {top.row.merchant_name}" if top.row.merchant_name else ""
        text = f"The largest was {_money(top)}{where} on {_moment(top)}."
        found.append(Sentence("What", text, (f"T-{top.row.pk}",)))
    return found


def _when(facts: Facts) -> list[Sentence]:
    first, last = facts.payments[0], facts.payments[-1]
    if first is last:
        return [Sentence("When", f"It was made on {_moment(first)}.", (f"T-{first.row.pk}",))]
    text = f"The first was made on {_moment(first)}, the last on {_moment(last)}."
    days = Counter(f"{one.row.event_time:%Y-%m-%d}" for one in facts.payments)
    found = [Sentence("When", text, (f"T-{first.row.pk}", f"T-{last.row.pk}"))]
    day, most = max(days.items(), key=lambda pair: (pair[1], pair[0]))
    if len(days) > 1 and most > 1:
        busiest = [one for one in facts.payments if f"{one.row.event_time:%Y-%m-%d}" == day]
        found.append(Sentence("When", f"{_payments(most)} fell on {day}.", _rows(busiest)))
    return found


def _where(facts: Facts) -> list[Sentence]:
    return [
        *_grouped("Where", "merchant_name", "Paid to", facts.payments),
        *_grouped("Where", "location", "Made in", facts.payments),
    ]


def _why(facts: Facts) -> list[Sentence]:
    found = [_alert(alert) for alert in facts.alerts]
    prompt = "[Say what is usual for this subject, and why this is not.]"
    return [*found, Sentence("Why", prompt, ())]


def _how(facts: Facts) -> list[Sentence]:
    return [
        *_grouped("How", "card_id", "With the card", facts.payments),
        *_grouped("How", "device_id", "From the device", facts.payments),
        *_grouped("How", "channel", "By the channel", facts.payments),
    ]


def _done(facts: Facts) -> list[Sentence]:
    case = facts.case
    text = f"The case {case} was opened on {case.opened_at:%Y-%m-%d} by {case.opened_by}."
    found = [Sentence("What was done", text, (str(case),))]
    if case.outcome and case.status in (Case.Status.CLOSED, Case.Status.PENDING_REOPEN_APPROVAL):
        text = f"It was closed on {case.closed_at:%Y-%m-%d}: {case.get_outcome_display().lower()}."
        found.append(Sentence("What was done", text, (str(case),)))
    if case.findings:
        found.append(Sentence("What was done", f"Found was: {case.findings}", (str(case),)))
    for one in facts.evidence:
        text = f"Kept as evidence: {one.name}, {one.title}, added {one.added_at:%Y-%m-%d}."
        found.append(Sentence("What was done", text, (f"E-{one.pk}",)))
    return found


def _alert(alert: Alert) -> Sentence:
    why = reasons.in_one_line(alert.reason_codes) or "unusual for this customer"
    text = f"On {alert.created_at:%Y-%m-%d} the alert {alert} was raised"
    if alert.risk_score == alert.risk_score:  # not unknown
        text += f" with a risk score of {alert.risk_score:.2f}"
    text += f": {why[:1].lower()}{why[1:]}."
    if alert.top_reason:
        text += f" {alert.top_reason.rstrip('.')}."
    if alert.suspected:
        text += f" Suspected was {alert.get_suspected_display().lower()}."
    if not alert.is_open:
        text += f" It was decided as {alert.get_disposition_display().lower()}"
        text += f" on {alert.closed_at:%Y-%m-%d}."
    return Sentence("Why", text, (str(alert),))


def _grouped(heading: str, column: str, words: str, payments: Sequence[Payment]) -> list[Sentence]:
    groups: dict[str, list[Payment]] = defaultdict(list)
    for one in payments:
        if value := getattr(one.row, column):
            groups[value].append(one)
    ranked = sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0]))[:TOP]
    return [
        Sentence(
            heading,
            f"{words} {value}: {_payments(len(own)).lower()}, {' and '.join(_by_currency(own))}.",
            _rows(own),
        )
        for value, own in ranked
    ]


def _by_currency(payments: Iterable[Payment]) -> list[str]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for one in payments:
        sums[one.row.currency] += one.row.amount
    return [f"{total:,.2f} {currency}" for currency, total in sorted(sums.items())]


def _listed(names: Counter[str]) -> str:
    told = [f"{name} ({count})" for name, count in names.most_common(TOP)]
    rest = len(names) - len(told)
    return ", ".join(told) + (f" and {rest} more" if rest else "")


def _payments(count: int) -> str:
    return "1 payment" if count == 1 else f"{count} payments"


def _money(one: Payment) -> str:
    return f"{one.row.amount:,.2f} {one.row.currency}"


def _moment(one: Payment) -> str:
    return f"{one.row.event_time:%Y-%m-%d} at {one.row.event_time:%H:%M} UTC"


def _rows(payments: Iterable[Payment]) -> tuple[str, ...]:
    return tuple(f"T-{one.row.pk}" for one in payments)
