"""A report as files: its table of payments as CSV, the whole as JSON and as PDF.

The record of a decision not to file comes in the same forms as a report.
"""

import csv
import io
import json
import math
from collections.abc import Sequence
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield import pdf
from anomalyshield.audit.record import record
from anomalyshield.cells import harmless
from cases import narrative, sections
from cases.facts import Facts, Payment, facts_of
from cases.models import Report
from cases.states import Refused

LARGEST = 1_000_000  # bytes of one table, as the authority takes it
KINDS = {"csv": "text/csv; charset=utf-8", "json": "application/json", "pdf": "application/pdf"}
COLUMNS = (
    "Row", "Payment", "Time (UTC)", "Amount", "Currency", "Customer", "Card", "Device",
    "Merchant", "MCC", "Place", "Country", "Channel", "Risk score", "Alert",
)  # fmt: skip
SHOWN = {  # of these on paper, by their place
    0: _lazy("Row"), 2: _lazy("Time (UTC)"), 3: _lazy("Amount"), 4: _lazy("Currency"),
    5: _lazy("Customer"), 6: _lazy("Card"), 8: _lazy("Merchant"), 10: _lazy("Place"),
    13: _lazy("Risk score"), 14: _lazy("Alert"),
}  # fmt: skip


def exported(
    *, by: Any, report: Report, kind: str, part: int = 1, of: int = 1
) -> tuple[str, bytes]:
    """File name and bytes; who took it away is on the trail. Refused with a sentence if the table
    is too large for the authority: then it is asked for in parts."""
    facts = facts_of(report.case, by)
    content = {"csv": _csv, "json": _json, "pdf": _pdf}[kind](report, facts, part, of)
    name = f"{report.case}-report-{report.number}"
    if of > 1:
        name += f"-part-{part}-of-{of}"
    after = {"report": report.number, "kind": kind, "bytes": len(content), "part": f"{part}/{of}"}
    record(by=by, action="data.exported", object=report.case, after=after)
    return f"{name}.{kind}", content


def _csv(report: Report, facts: Facts, part: int, of: int) -> bytes:
    if not 1 <= part <= of <= max(1, len(facts.payments)):
        raise Refused(_("There is no part {part} of {of}.").format(part=part, of=of))
    each = math.ceil(len(facts.payments) / of) if facts.payments else 0
    content = table(facts.payments[(part - 1) * each : part * each])
    if len(content) > LARGEST:
        parts = math.ceil(of * len(content) / LARGEST * 1.05)
        raise Refused(
            _(
                "The table has {bytes:,} bytes, and {most:,} are accepted. Ask for it in {parts} "
                "parts: add ?part=1&of={parts} to the address, then part=2 …"
            ).format(bytes=len(content), most=LARGEST, parts=parts)
        )
    return content


def table(payments: Sequence[Payment]) -> bytes:
    """Comma-separated, UTF-8; no cell is a formula for a spreadsheet."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    for one in payments:
        writer.writerow([harmless(text) for text in cells(one)])
    return file.getvalue().encode()


def cells(one: Payment) -> list[str]:
    """A payment as a line of the table."""
    row = one.row
    score = "" if one.score != one.score else f"{one.score:.4f}"
    return [
        f"T-{row.pk}", row.external_id, f"{row.event_time:%Y-%m-%d %H:%M:%S}",
        f"{row.amount:.2f}", row.currency, row.user_id, row.card_id, row.device_id,
        row.merchant_name, row.mcc, row.location, row.country, row.channel, score,
        f"A-{one.alert}",
    ]  # fmt: skip


def told(report: Report, facts: Facts) -> dict[str, Any]:
    """The whole of it, as a program reads it."""
    version = report.current
    content = version.content if version else sections.empty()
    return {
        "case": str(report.case),
        "report": report.number,
        "state": report.state,
        "subject": facts.subject,
        "decision": _decision(report),
        "version": {"number": version.number, "sha256": version.sha256} if version else None,
        "sections": {**content, "narrative": {"text": narrative.plain(_text(content))}},
        "sources": [
            {"heading": one.heading, "text": one.text, "rows": list(one.rows)}
            for one in narrative.sentences(facts)
        ],
        "alerts": [str(alert) for alert in facts.alerts],
        "evidence": [{"name": one.name, "sha256": one.sha256} for one in facts.evidence],
        "transactions": [dict(zip(COLUMNS, cells(one), strict=True)) for one in facts.payments],
    }


def _json(report: Report, facts: Facts, part: int, of: int) -> bytes:
    return json.dumps(told(report, facts), indent=2, ensure_ascii=False).encode()


def _pdf(report: Report, facts: Facts, part: int, of: int) -> bytes:
    """In the language of who asks; what people wrote stays in theirs."""
    names = {"case": report.case, "number": report.number}
    if report.state == Report.State.NO_FILE or report.asks_not_to_file:
        title = _("{case}: decided not to report").format(**names)
        blocks = _not_filed(report, facts)
    else:
        title, blocks = _("{case}: report {number}").format(**names), _written(report)
    blocks += [pdf.Heading(_("Payments")), _payments(facts)]
    blocks += [pdf.Heading(_("Evidence")), _evidence(facts)]
    footer = f"{title} · {report.get_state_display()} · {_('confidential')}"
    return pdf.document(title, blocks, footer, made=timezone.now(), wide=True)


def _not_filed(report: Report, facts: Facts) -> list[pdf.Block]:
    return [
        pdf.Facts(
            [
                (_("Subject"), facts.subject),
                (_("Decision"), report.get_no_file_display()),
                *_people(report),
            ]
        ),
        pdf.Heading(_("Why nothing is filed")),
        pdf.Paragraph(report.reason),
    ]


def _written(report: Report) -> list[pdf.Block]:
    content = report.current.content if report.current else sections.empty()
    state = (_("State"), report.get_state_display())
    blocks: list[pdf.Block] = [pdf.Facts([state, *_people(report)])]
    for section in sections.SECTIONS[:-1]:
        said = content[section.name]
        pairs = [(str(field.title), said[field.name] or "–") for field in section.fields]
        blocks += [pdf.Heading(str(section.title)), pdf.Facts(pairs)]
    return [*blocks, pdf.Heading(_("Narrative")), pdf.Paragraph(narrative.plain(_text(content)))]


def _people(report: Report) -> list[tuple[str, object]]:
    pairs: list[tuple[str, object]] = []
    if report.submitted_by:
        pairs.append((_("Asked by"), f"{report.submitted_by}, {_moment(report.submitted_at)}"))
    if report.approved_by:
        pairs.append((_("Approved by"), f"{report.approved_by}, {_moment(report.approved_at)}"))
    if report.filed_on:
        pairs.append((_("Filed on"), f"{report.filed_on} {report.reference}".strip()))
    return pairs


def _decision(report: Report) -> dict[str, Any]:
    def name(person: Any) -> str | None:
        return person.get_username() if person else None

    def moment(at: Any) -> str | None:
        return at.isoformat() if at else None

    return {
        "no_file": report.no_file,
        "no_file_in_words": report.get_no_file_display() if report.no_file else "",
        "reason": report.reason,
        "asked_by": name(report.submitted_by),
        "asked_at": moment(report.submitted_at),
        "approved_by": name(report.approved_by),
        "approved_at": moment(report.approved_at),
        "filed_on": str(report.filed_on) if report.filed_on else None,
        "reference": report.reference,
    }


def _payments(facts: Facts) -> pdf.Table:
    rows = [cells(one) for one in facts.payments]
    return pdf.Table(
        [str(title) for title in SHOWN.values()],
        [[row[place] for place in SHOWN] for row in rows],
        frozenset({2, 8}),
        _("No payment."),
    )


def _evidence(facts: Facts) -> pdf.Table:
    rows = [[one.name, one.title, one.bytes, one.sha256] for one in facts.evidence]
    head = [_("File"), _("Kind"), _("Bytes"), "SHA-256"]
    return pdf.Table(head, rows, frozenset({2}), _("No file is kept."))


def _text(content: dict[str, Any]) -> str:
    return str(content["narrative"]["text"])


def _moment(at: Any) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
