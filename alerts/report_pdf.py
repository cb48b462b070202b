"""A page of figures as PDF, as its reader may see it."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext as _

from alerts.analytics import Tab
from alerts.analytics.section import Section
from alerts.analytics.window import Window, window_of
from alerts.visibility import masked
from anomalyshield import pdf
from anomalyshield.accounts.reading import as_read_by
from anomalyshield.templatetags.words import when
from scoring import costs

DRAWN = 31  # bars of one section


def pdf_of(reader: Any, tab: Tab, last: str, *, title: str, now: Any = None) -> bytes:
    """The sections of a tab for this person: their queues, language and clocks, masked alike."""
    with as_read_by(reader):
        window = window_of(reader, last, zone=reader.timezone, now=now)
        hidden = masked(reader)
        blocks: list[pdf.Block] = [_about(reader, tab, window, hidden)]
        for section in tab.make(window):
            blocks.extend(_blocks(section, hidden))
        footer = _("AnomalyShield · {title} · {now}").format(title=tab.title, now=when(window.now))
        return pdf.document(title, blocks, footer, made=window.now, wide=True)


def _about(reader: Any, tab: Tab, window: Window, hidden: bool) -> pdf.Facts:
    queues = ", ".join(name for _unused, name in window.names) or _("none")
    return pdf.Facts(
        [
            (_("Figures"), tab.title),
            (
                _("Time"),
                _("{since} to {until}").format(since=when(window.since), until=when(window.until)),
            ),
            (_("For"), f"{reader}, {_('names masked')}" if hidden else str(reader)),
            (_("Alerts of queues"), queues),
            (_("Cost model"), str(costs.active().version)),
        ]
    )


def _blocks(section: Section, hidden: bool) -> Iterator[pdf.Block]:
    yield pdf.Heading(section.title)
    yield pdf.Paragraph(section.meaning)
    lines = section.lines(hidden)
    if section.bars is not None and lines:
        yield pdf.Bars(_bars(section, hidden))
    heads = section.heads
    yield pdf.Table(
        [title for title, _number in heads],
        [[f"{line.first.text}{' *' * line.faint}", *(c.text for c in line.rest)] for line in lines],
        frozenset(place for place, (_title, number) in enumerate(heads) if number),
        section.empty,
    )
    if section.faint:
        yield pdf.Paragraph(_("* Most labels of this time are still to come."), muted=True)
    if section.note:
        yield pdf.Paragraph(section.note, muted=True)


def _bars(section: Section, hidden: bool) -> list[tuple[str, float, str]]:
    """The last ones of a time, the first ones of a list that is ordered by size."""
    assert section.bars is not None
    pairs = list(zip(section.rows, section.lines(hidden), strict=True))
    in_time = section.columns[0].kind in ("day", "moment")
    return [
        (line.first.text, max(float(row[section.bars] or 0), 0.0), line.cells[section.bars].text)
        for row, line in (pairs[-DRAWN:] if in_time else pairs[:DRAWN])
    ]
