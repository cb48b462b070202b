"""The evidence of an alert to be read on paper: the same document, in sentences and tables."""

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from alerts.models import Regrouping
from anomalyshield import pdf
from anomalyshield.audit.words import action_in_words
from anomalyshield.templatetags.words import label_in_words, money
from scoring import retelling
from scoring.engine.register import FEATURES

MOST_CONTRIBUTIONS = 20
ADDRESS = _lazy("Checked by the JSON of the same alert: it holds every value in full.")


def as_pdf(told: dict[str, Any]) -> bytes:
    """Of what `evidence` says and nothing else; the same document makes the same bytes."""
    alert, made = told["alert"], datetime.fromisoformat(told["made_at"])
    lead = next((one for one in told["payments"] if one["leads"]), None)
    blocks: list[pdf.Block] = [_facts(told), *_verdicts(told)]
    if lead:
        blocks += [*_decision(lead), *_why(lead["explanation"])]
    blocks += [*_payments(told), *_history(told), *_trail(told)]
    blocks.append(pdf.Paragraph(ADDRESS, muted=True))
    hidden = _(" · personal values masked") if told["masked"] else ""
    footer = _("{name} · made by {made_by}, {moment}{hidden}").format(
        name=alert["name"], made_by=told["made_by"], moment=_moment(told["made_at"]), hidden=hidden
    )
    return pdf.document(_("Alert {name}").format(name=alert["name"]), blocks, footer, made=made)


def _facts(told: dict[str, Any]) -> pdf.Facts:
    alert = told["alert"]
    about = f"{alert['entity']['kind']} {alert['entity']['value']}"
    return pdf.Facts(
        [
            (_("About"), about),
            (_("Suspected"), alert["suspected"] or _("unusual, nothing in particular")),
            (_("Queue"), alert["queue"]),
            (_("Status"), alert["status"]),
            (_("Level and score"), f"{alert['level']}, {alert['risk_score']:.4f}"),
            (
                _("Payments"),
                _("{payments}, together {total}").format(
                    payments=alert["payments"],
                    total=money(Decimal(alert["total"]), settings.BASE_CURRENCY),
                ),
            ),
            (_("Raised"), _moment(alert["created_at"])),
            (_("Due"), _moment(alert["due_at"])),
            (_("Decided"), _decided(alert)),
        ]
    )


def _decided(alert: dict[str, Any]) -> str:
    if not alert["disposition"]:
        return _("not yet")
    of = (
        _(" of {duplicate_of}").format(duplicate_of=alert["duplicate_of"])
        if alert["duplicate_of"]
        else ""
    )
    kind = f", {alert['typology']}" if alert["typology"] else ""
    said = f"{alert['disposition']}{of}{kind}"
    return _("{said}, by {closed_by}, {moment}").format(
        said=said, closed_by=alert["closed_by"], moment=_moment(alert["closed_at"])
    )


def _verdicts(told: dict[str, Any]) -> list[pdf.Block]:
    if not told["verdicts"]:
        return []
    rows = [
        (
            one["disposition"],
            one["by"],
            _moment(one["at"]),
            one["behind"] or "",
            f"{one['undone_by']}, {_moment(one['undone_at'])}" if one["undone_at"] else "",
        )
        for one in told["verdicts"]
    ]
    head = [_("Verdict"), _("By"), _("At"), _("Behind it"), _("Taken back")]
    return [pdf.Heading(_("Verdicts")), pdf.Table(head, rows)]


def _decision(lead: dict[str, Any]) -> list[pdf.Block]:
    decision = lead["decision"]
    model, policy = decision["model"], decision["policy"]
    rules = [
        (
            hit["code"],
            retelling.of_hit(hit["code"], hit["sentence"]),
            hit.get("observed", ""),
            hit.get("limit", ""),
        )
        for hit in decision["hits"]
    ]
    chance = _("not calibrated") if decision["probability"] is None else decision["probability"]
    facts = [
        (_("Outcome"), f"{decision['outcome']}, {decision['level']}"),
        (_("Risk score"), decision["risk_score"]),
        (_("Probability"), chance),
        (
            _("Decided"),
            _("{moment}, known at {moment_2}").format(
                moment=_moment(decision["decided_at"]), moment_2=_moment(decision["known_at"])
            ),
        ),
        (_("Model"), _bundle(model) if model else _("none")),
        (_("Policy"), _("version {version}").format(version=policy["version"])),
        (_("Scoring"), decision["degraded"] or _("whole")),
    ]
    head = [_("Rule that hit"), _("In words"), _("Seen"), _("Limit")]
    table = pdf.Table(head, rules, numeric=frozenset({2, 3}), empty=_("No rule hit."))
    return [pdf.Heading(_("The decision on the leading payment")), pdf.Facts(facts), table]


def _bundle(model: dict[str, Any]) -> str:
    return _("version {version} ({kind}), SHA-256 {sha256}").format(
        version=model["version"], kind=model["kind"], sha256=model["sha256"]
    )


def _why(why: dict[str, Any] | None) -> list[pdf.Block]:
    """The largest first; what is not shown is one line, so that the column adds up."""
    if why is None:
        return []
    meanings = {feature.name: _(feature.meaning) for feature in FEATURES}
    largest = sorted(why["contributions"].items(), key=lambda one: (-abs(one[1]), one[0]))
    shown, rest = largest[:MOST_CONTRIBUTIONS], largest[MOST_CONTRIBUTIONS:]
    rows: list[tuple[str, str]] = [(_("Start, before anything is known"), f"{why['base']:+.6f}")]
    rows += [(meanings.get(name, name), f"{value:+.6f}") for name, value in shown]
    if rest:
        rows.append(
            (
                _("{rest} others together").format(rest=len(rest)),
                f"{sum(v for _unused, v in rest):+.6f}",
            )
        )
    rows.append((_("Sum"), f"{why['margin']:+.6f}"))
    said = [
        pdf.Paragraph(retelling.of_feature(one.get("feature", ""), one["sentence"]))
        for one in why["sentences"]
    ]
    table = pdf.Table([_("What moved the score"), _("Log-odds")], rows, numeric=frozenset({1}))
    return [pdf.Heading(_("Why")), *said, table]


def _payments(told: dict[str, Any]) -> list[pdf.Block]:
    rows = [
        (
            one["transaction"],
            _moment(one["event_time"]),
            f"{one['amount']} {one['currency']}",
            one["user"],
            one["merchant"] or one["place"],
            f"{one['decision']['risk_score']:.4f}",
            _said(one["labels"]),
            one["resolutions"][-1]["state"] if one["resolutions"] else "",
        )
        for one in told["payments"]
    ]
    head = [
        _("Payment"),
        _("When"),
        _("Amount"),
        _("Customer"),
        _("Where"),
        _("Score"),
        _("Label"),
        _("Now"),
    ]
    return [pdf.Heading(_("Payments")), pdf.Table(head, rows, numeric=frozenset({2, 5}))]


def _said(labels: list[dict[str, Any]]) -> str:
    return str(label_in_words(labels[-1]["value"])) if labels else ""


def _history(told: dict[str, Any]) -> list[pdf.Block]:
    rows = [(_moment(one["at"]), one["by"], one["text"]) for one in told["notes"]]
    rows += [
        (
            _moment(one["at"]),
            one["by"],
            _("Snoozed until {moment}. {reason}").format(
                moment=_moment(one["until"]), reason=one["reason"]
            ),
        )
        for one in told["snoozes"]
    ]
    rows += [(_moment(one["at"]), one["by"], _regrouped(one)) for one in told["regroupings"]]
    if not rows:
        return []
    return [
        pdf.Heading(_("Notes and what was done")),
        pdf.Table([_("When"), _("Who"), _("What")], sorted(rows)),
    ]


def _regrouped(one: dict[str, Any]) -> str:
    moved = ", ".join(f"{name} × {many}" for name, many in one["payments_of"].items())
    return f"{Regrouping.Kind(one['kind']).label}: {moved}"


def _trail(told: dict[str, Any]) -> list[pdf.Block]:
    rows = [
        (
            "" if one["number"] is None else one["number"],
            _moment(one["at"]),
            one["actor"],
            action_in_words(one["action"]),
            (one["digest"] or _("not sealed yet"))[:16],
        )
        for one in told["trail"]
    ]
    head = [_("No."), _("When"), _("Who"), _("What"), _("Hash begins")]
    return [pdf.Heading(_("Its events of the audit trail")), pdf.Table(head, rows)]


def _moment(text: str | None) -> str:
    """As it stands in the document, to the second."""
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S UTC") if text else ""
