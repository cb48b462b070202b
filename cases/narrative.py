"""The draft of a narrative: who, what, when, where, why and how, each sentence with its rows.

Nothing is said that no row says. What only a person can say is left as a prompt in brackets, and a
report with a prompt in it is not complete (`cases/sections.py`).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext as _

from alerts.models import Alert
from anomalyshield.templatetags.words import figure, money, within
from cases.facts import Facts, Payment
from cases.models import Case
from scoring import reasons, retelling

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
    case, who = facts.case, _("Who")
    said = [
        Sentence(
            who, _("This report is about {subject}.").format(subject=facts.subject), (str(case),)
        )
    ]
    customers = Counter(one.row.user_id for one in facts.payments)
    if set(customers) != {facts.subject}:
        text = _("The payments are of {names}.").format(names=_listed(customers))
        said.append(Sentence(who, text, _rows(facts.payments)))
    prompt = _("[Say who they are to this institution, and since when.]")
    return [*said, Sentence(who, prompt, ())]


def _what(facts: Facts) -> list[Sentence]:
    count, sums = len(facts.payments), _by_currency(facts.payments)
    what, sums_told = _("What"), _(" and ").join(sums)
    said = ngettext(
        "{count} payment, {sums}, was made.", "{count} payments, {sums}, were made.", count
    ).format(count=count, sums=sums_told)
    found = [Sentence(what, said, _rows(facts.payments))]
    if len(sums) > 1:
        whole = _("In {currency} that is {total} in all.").format(
            currency=facts.currency, total=money(facts.total)
        )
        found.append(Sentence(what, whole, _rows(facts.payments)))
    if count > 1:
        top = max(facts.payments, key=lambda one: (one.base, one.row.pk))
        told = {"money": _money(top), "merchant": top.row.merchant_name, "moment": _moment(top)}
        text = _("The largest was {money} on {moment}.")
        if top.row.merchant_name:
            text = _("The largest was {money} to {merchant} on {moment}.")
        text = text.format(**told)
        found.append(Sentence(what, text, (f"T-{top.row.pk}",)))
    return found


def _when(facts: Facts) -> list[Sentence]:
    first, last = facts.payments[0], facts.payments[-1]
    if first is last:
        text = _("It was made on {moment}.").format(moment=_moment(first))
        return [Sentence(_("When"), text, (f"T-{first.row.pk}",))]
    text = _("The first was made on {first}, the last on {last}.").format(
        first=_moment(first), last=_moment(last)
    )
    days = Counter(f"{one.row.event_time:%Y-%m-%d}" for one in facts.payments)
    found = [Sentence(_("When"), text, (f"T-{first.row.pk}", f"T-{last.row.pk}"))]
    day, most = max(days.items(), key=lambda pair: (pair[1], pair[0]))
    if len(days) > 1 and most > 1:
        busiest = [one for one in facts.payments if f"{one.row.event_time:%Y-%m-%d}" == day]
        text = _("{most} payments fell on {day}.").format(most=most, day=day)
        found.append(Sentence(_("When"), text, _rows(busiest)))
    return found


def _where(facts: Facts) -> list[Sentence]:
    return [
        *_grouped(_("Where"), "merchant_name", _("Paid to"), facts.payments),
        *_grouped(_("Where"), "location", _("Made in"), facts.payments),
    ]


def _why(facts: Facts) -> list[Sentence]:
    found = [_alert(alert) for alert in facts.alerts]
    prompt = _("[Say what is usual for this subject, and why this is not.]")
    return [*found, Sentence(_("Why"), prompt, ())]


def _how(facts: Facts) -> list[Sentence]:
    return [
        *_grouped(_("How"), "card_id", _("With the card"), facts.payments),
        *_grouped(_("How"), "device_id", _("From the device"), facts.payments),
        *_grouped(_("How"), "channel", _("By the channel"), facts.payments),
    ]


def _done(facts: Facts) -> list[Sentence]:
    case, done = facts.case, _("What was done")
    text = _("The case {case} was opened on {day} by {opened_by}.").format(
        case=case, day=f"{case.opened_at:%Y-%m-%d}", opened_by=case.opened_by
    )
    found = [Sentence(done, text, (str(case),))]
    if case.outcome and case.status in (Case.Status.CLOSED, Case.Status.PENDING_REOPEN_APPROVAL):
        text = _("It was closed on {day}: {outcome}.").format(
            day=f"{case.closed_at:%Y-%m-%d}", outcome=within(case.get_outcome_display())
        )
        found.append(Sentence(done, text, (str(case),)))
    if case.findings:
        text = _("Found was: {findings}").format(findings=case.findings)
        found.append(Sentence(done, text, (str(case),)))
    for one in facts.evidence:
        text = _("Kept as evidence: {name}, {title}, added {day}.").format(
            name=one.name, title=one.title, day=f"{one.added_at:%Y-%m-%d}"
        )
        found.append(Sentence(done, text, (f"E-{one.pk}",)))
    return found


def _alert(alert: Alert) -> Sentence:
    why = reasons.titled(reasons.in_one_line(alert.reason_codes) or "Unusual for this customer")
    told = {
        "day": f"{alert.created_at:%Y-%m-%d}",
        "alert": alert,
        "why": why if get_language() == "de" else f"{why[:1].lower()}{why[1:]}",
        "score": figure(f"{alert.risk_score:.2f}"),
    }
    text = _("On {day} the alert {alert} was raised with a risk score of {score}: {why}.")
    if alert.risk_score != alert.risk_score:  # unknown
        text = _("On {day} the alert {alert} was raised: {why}.")
    said = [text.format(**told)]
    if first := alert.first_reason:
        sentence = retelling.of_feature(str(first.get("feature", "")), str(first["sentence"]))
        said.append(f"{sentence.rstrip('.')}.")
    if alert.suspected:
        suspected = within(alert.get_suspected_display())
        said.append(_("Suspected was {suspected}.").format(suspected=suspected))
    if not alert.is_open:
        said.append(
            _("It was decided as {disposition} on {day}.").format(
                disposition=within(alert.get_disposition_display()),
                day=f"{alert.closed_at:%Y-%m-%d}",
            )
        )
    return Sentence(_("Why"), " ".join(said), (str(alert),))


def _grouped(heading: str, column: str, words: str, payments: Sequence[Payment]) -> list[Sentence]:
    groups: dict[str, list[Payment]] = defaultdict(list)
    for one in payments:
        if value := getattr(one.row, column):
            groups[value].append(one)
    ranked = sorted(groups.items(), key=lambda pair: (-len(pair[1]), pair[0]))[:TOP]
    return [
        Sentence(
            heading,
            f"{words} {value}: {_payments(len(own))}, {_(' and ').join(_by_currency(own))}.",
            _rows(own),
        )
        for value, own in ranked
    ]


def _by_currency(payments: Iterable[Payment]) -> list[str]:
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for one in payments:
        sums[one.row.currency] += one.row.amount
    return [money(total, currency) for currency, total in sorted(sums.items())]


def _listed(names: Counter[str]) -> str:
    told = [f"{name} ({count})" for name, count in names.most_common(TOP)]
    rest = len(names) - len(told)
    return ", ".join(told) + (_(" and {rest} more").format(rest=rest) if rest else "")


def _payments(count: int) -> str:
    return ngettext("{count} payment", "{count} payments", count).format(count=count)


def _money(one: Payment) -> str:
    return money(one.row.amount, one.row.currency)


def _moment(one: Payment) -> str:
    at = one.row.event_time
    return _("{day} at {clock} UTC").format(day=f"{at:%Y-%m-%d}", clock=f"{at:%H:%M}")


def _rows(payments: Iterable[Payment]) -> tuple[str, ...]:
    return tuple(f"T-{one.row.pk}" for one in payments)
