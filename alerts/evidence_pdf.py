"""The evidence of an alert to be read on paper: the same document, in sentences and tables."""

from datetime import datetime
from typing import Any

from anomalyshield import pdf
from anomalyshield.templatetags.words import label_in_words
from scoring.engine.register import FEATURES

MOST_CONTRIBUTIONS = 20
ADDRESS = "Checked by the JSON of the same alert: it holds every value in full."


def as_pdf(told: dict[str, Any]) -> bytes:
    """Of what `evidence` says and nothing else; the same document makes the same bytes."""
    alert, made = told["alert"], datetime.fromisoformat(told["made_at"])
    lead = next((one for one in told["payments"] if one["leads"]), None)
    blocks: list[pdf.Block] = [_facts(told), *_verdicts(told)]
    if lead:
        blocks += [*_decision(lead), *_why(lead["explanation"])]
    blocks += [*_payments(told), *_history(told), *_trail(told)]
    blocks.append(pdf.Paragraph(ADDRESS, muted=True))
    hidden = " · personal values masked" if told["masked"] else ""
    footer = f"{alert['name']} · made by {told['made_by']}, {_moment(told['made_at'])}{hidden}"
    return pdf.document(f"Alert {alert['name']}", blocks, footer, made=made)


def _facts(told: dict[str, Any]) -> pdf.Facts:
    alert = told["alert"]
    about = f"{alert['entity']['kind']} {alert['entity']['value']}"
    return pdf.Facts(
        [
            ("About", about),
            ("Suspected", alert["suspected"] or "unusual, nothing in particular"),
            ("Queue", alert["queue"]),
            ("Status", alert["status"]),
            ("Level and score", f"{alert['level']}, {alert['risk_score']:.4f}"),
            ("Payments", f"{alert['payments']}, {alert['total']} in the base currency"),
            ("Raised", _moment(alert["created_at"])),
            ("Due", _moment(alert["due_at"])),
            ("Decided", _decided(alert)),
        ]
    )


def _decided(alert: dict[str, Any]) -> str:
    if not alert["disposition"]:
        return "not yet"
    of = f" of {alert['duplicate_of']}" if alert["duplicate_of"] else ""
    kind = f", {alert['typology']}" if alert["typology"] else ""
    said = f"{alert['disposition']}{of}{kind}"
    return f"{said}, by {alert['closed_by']}, {_moment(alert['closed_at'])}"


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
    head = ["Verdict", "By", "At", "Behind it", "Taken back"]
    return [pdf.Heading("Verdicts"), pdf.Table(head, rows)]


def _decision(lead: dict[str, Any]) -> list[pdf.Block]:
    decision = lead["decision"]
    model, policy = decision["model"], decision["policy"]
    bundle = f"version {model['version']} ({model['kind']}), SHA-256 {model['sha256']}"
    rules = [
        (hit["code"], hit["sentence"], hit.get("observed", ""), hit.get("limit", ""))
        for hit in decision["hits"]
    ]
    chance = "not calibrated" if decision["probability"] is None else decision["probability"]
    facts = [
        ("Outcome", f"{decision['outcome']}, {decision['level']}"),
        ("Risk score", decision["risk_score"]),
        ("Probability", chance),
        ("Decided", f"{_moment(decision['decided_at'])}, known at {_moment(decision['known_at'])}"),
        ("Model", bundle if model else "none"),
        ("Policy", f"version {policy['version']}"),
        ("Scoring", decision["degraded"] or "whole"),
    ]
    head = ["Rule that hit", "In words", "Seen", "Limit"]
    table = pdf.Table(head, rules, numeric=frozenset({2, 3}), empty="No rule hit.")
    return [pdf.Heading("The decision on the leading payment"), pdf.Facts(facts), table]


def _why(why: dict[str, Any] | None) -> list[pdf.Block]:
    """The largest first; what is not shown is one line, so that the column adds up."""
    if why is None:
        return []
    meanings = {feature.name: feature.meaning for feature in FEATURES}
    largest = sorted(why["contributions"].items(), key=lambda one: (-abs(one[1]), one[0]))
    shown, rest = largest[:MOST_CONTRIBUTIONS], largest[MOST_CONTRIBUTIONS:]
    rows: list[tuple[str, str]] = [("Start, before anything is known", f"{why['base']:+.6f}")]
    rows += [(meanings.get(name, name), f"{value:+.6f}") for name, value in shown]
    if rest:
        rows.append((f"{len(rest)} others together", f"{sum(v for _, v in rest):+.6f}"))
    rows.append(("Sum", f"{why['margin']:+.6f}"))
    said = [pdf.Paragraph(one["sentence"]) for one in why["sentences"]]
    table = pdf.Table(["What moved the score", "Log-odds"], rows, numeric=frozenset({1}))
    return [pdf.Heading("Why"), *said, table]


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
    head = ["Payment", "When", "Amount", "Customer", "Where", "Score", "Label", "Now"]
    return [pdf.Heading("Payments"), pdf.Table(head, rows, numeric=frozenset({2, 5}))]


def _said(labels: list[dict[str, Any]]) -> str:
    return str(label_in_words(labels[-1]["value"])) if labels else ""


def _history(told: dict[str, Any]) -> list[pdf.Block]:
    rows = [(_moment(one["at"]), one["by"], one["text"]) for one in told["notes"]]
    rows += [
        (_moment(one["at"]), one["by"], f"Snoozed until {_moment(one['until'])}. {one['reason']}")
        for one in told["snoozes"]
    ]
    rows += [
        (_moment(one["at"]), one["by"], f"{one['kind'].title()}: {one['payments_of']}")
        for one in told["regroupings"]
    ]
    if not rows:
        return []
    return [
        pdf.Heading("Notes and what was done"),
        pdf.Table(["When", "Who", "What"], sorted(rows)),
    ]


def _trail(told: dict[str, Any]) -> list[pdf.Block]:
    rows = [
        (
            "" if one["number"] is None else one["number"],
            _moment(one["at"]),
            one["actor"],
            one["action"],
            (one["digest"] or "not sealed yet")[:16],
        )
        for one in told["trail"]
    ]
    head = ["No.", "When", "Who", "What", "Hash begins"]
    return [pdf.Heading("Its events of the audit trail"), pdf.Table(head, rows)]


def _moment(text: str | None) -> str:
    """As it stands in the document, to the second."""
    return datetime.fromisoformat(text).strftime("%Y-%m-%d %H:%M:%S UTC") if text else ""
