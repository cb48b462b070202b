"""A page of ours as PDF: headings, sentences, facts, tables, images and bars, one below the other.

The same blocks with the same moment make the same bytes, so a file can be hashed and compared.
Fonts are in the file (ReportLab brings Bitstream Vera: Western European letters and €). What the
font lacks is shown as `?`, and the document then says so at its end; a TrueType file of the
operator's own (`ANOMALYSHIELD_REPORT_FONT`) brings other scripts.
"""

from calendar import timegm
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from typing import Any

from django.utils.translation import gettext as _
from reportlab import platypus
from reportlab.graphics.shapes import Drawing, Rect, String
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.utils import ImageReader
from reportlab.pdfgen.canvas import Canvas

from anomalyshield.pdf_look import (
    ACCENT,
    EDGE,
    LINE,
    MARGIN,
    MUTED,
    SMALL,
    TEXT,
    Look,
    Written,
    widths,
)
from anomalyshield.templatetags.words import figure

MOST_ROWS = 2_000  # of one table; more is what CSV and XLSX are for
BAR, GAP, TALLEST = 9, 4, 440  # points
PIECE = 8  # bars that stay together


@dataclass(frozen=True)
class Heading:
    """A line above what follows; level 1 or 2 below the title."""

    text: str
    level: int = 1


@dataclass(frozen=True)
class Paragraph:
    """Sentences; line breaks stay. `muted` ones stand back: notes, sources."""

    text: str
    muted: bool = False


@dataclass(frozen=True)
class Facts:
    """What is called what: pairs of a name and a value."""

    pairs: Sequence[tuple[str, object]]


@dataclass(frozen=True)
class Table:
    """Columns and rows as they are to be read; `numeric` are the places of columns of numbers."""

    columns: Sequence[str]
    rows: Sequence[Sequence[object]]
    numeric: frozenset[int] = frozenset()
    empty: str = "Nothing."


@dataclass(frozen=True)
class Image:
    """A PNG or JPEG; `says` is what it shows, and what stands there when it cannot be read."""

    content: bytes
    says: str
    share: float = 1.0  # of the width of the page


@dataclass(frozen=True)
class Bars:
    """Sizes beside each other: a label, a number not below zero, and the number in words."""

    rows: Sequence[tuple[str, float, str]]


Block = Heading | Paragraph | Facts | Table | Image | Bars


def document(
    title: str,
    blocks: Sequence[Block],
    footer: str = "",
    *,
    made: datetime | None = None,
    wide: bool = False,
) -> bytes:
    """The PDF, A4, on its side where `wide`. `made` is the moment it carries as its date.

    Never raises for what is in the blocks: text of any script, broken images, tables of any size.
    """
    paper, look = landscape(A4) if wide else A4, Look()
    room = paper[0] - 2 * MARGIN
    story = [look.paragraph(title, "title")]
    for block in blocks:
        story.extend(_flow(block, look, room))
    if look.lacking:
        story.append(
            look.paragraph(
                _("Characters that this file's font does not have are shown as ?."), "note"
            )
        )
    return _built(story, paper, Written(look, title, footer), made)


def _built(
    story: list[Any], paper: tuple[float, float], written: Written, made: datetime | None
) -> bytes:
    file = BytesIO()
    pages = platypus.BaseDocTemplate(
        file,
        pagesize=paper,
        title=written.look.printable(written.title),
        author="AnomalyShield",
        creator="AnomalyShield",
        subject="",
        lang="en",
        invariant=1,
    )

    room = (paper[0] - 2 * MARGIN, paper[1] - 2 * MARGIN - 14)
    frame = platypus.Frame(MARGIN, MARGIN + 14, *room, 0, 0, 0, 0)
    pages.addPageTemplates([platypus.PageTemplate(frames=[frame])])

    class Numbered(Canvas):
        """Writes the foot of each page when it is known how many there are."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._kept: list[dict[str, Any]] = []
            if made is not None:
                _date(self, made)

        def showPage(self) -> None:
            self._kept.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            for state in self._kept:
                self.__dict__.update(state)
                written.foot(self, paper, len(self._kept))
                super().showPage()
            super().save()

    pages.build(story, canvasmaker=Numbered)
    return file.getvalue()


def _date(canvas: Canvas, made: datetime) -> None:
    """Give the document this moment, in UTC, in place of a fixed one."""
    stamp = canvas._doc._timeStamp
    stamp.t = timegm(made.utctimetuple())
    stamp.lt = made.utctimetuple()
    stamp.YMDhms = tuple(stamp.lt)[:6]


def _flow(block: Block, look: Look, room: float) -> list[Any]:
    match block:
        case Heading():
            kind = "heading" if block.level == 1 else "lesser"
            return [platypus.CondPageBreak(70), look.paragraph(block.text, kind)]
        case Paragraph():
            return [look.paragraph(block.text, "note" if block.muted else "body")]
        case Facts():
            return _facts(block, look, room)
        case Table():
            return _table(block, look, room)
        case Image():
            return _image(block, look, room)
        case Bars():
            return _bars(block, look, room)


class Left(platypus.LongTable):
    """A table that stands at the left; the parts of a split one would move to the middle."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.hAlign = "LEFT"


def _facts(block: Facts, look: Look, room: float) -> list[Any]:
    if not block.pairs:
        return []
    rows = [(look.cell(name, "name"), look.cell(value)) for name, value in block.pairs]
    asked = widths([[str(name) for name, _unused in block.pairs]], look, room * 0.4)[0]
    table = Left(rows, colWidths=[asked, room - asked], splitInRow=1, style=PLAIN)
    return [table, platypus.Spacer(0, 8)]


def _table(block: Table, look: Look, room: float) -> list[Any]:
    if not block.rows:
        return [look.paragraph(block.empty, "note")]
    shown = block.rows[:MOST_ROWS]
    texts = [
        [_text(row[at]) for row in (block.columns, *shown)] for at in range(len(block.columns))
    ]
    head = [
        look.cell(name, "head-number" if at in block.numeric else "head")
        for at, name in enumerate(block.columns)
    ]
    rows = [
        [
            look.cell(value, "number" if at in block.numeric else "cell")
            for at, value in enumerate(row)
        ]
        for row in shown
    ]
    asked = widths(texts, look, room)
    flow: list[Any] = [
        Left([head, *rows], colWidths=asked, repeatRows=1, splitInRow=1, style=RULED)
    ]
    if left := len(block.rows) - len(shown):
        flow.append(
            look.paragraph(
                _("{left} more rows are not shown here.").format(left=figure(f"{left:,}")), "note"
            )
        )
    return [*flow, platypus.Spacer(0, 8)]


def _image(block: Image, look: Look, room: float) -> list[Any]:
    try:
        width, height = ImageReader(BytesIO(block.content)).getSize()
        wanted = min(max(block.share, 0.05), 1.0) * room
        tall = min(wanted * height / width, TALLEST)
        image = platypus.Image(BytesIO(block.content), width=tall * width / height, height=tall)
    except Exception:  # whatever a decoder makes of bytes that are no image
        return [
            look.paragraph(_("{says} (the image cannot be read)").format(says=block.says), "note")
        ]
    return [image, look.paragraph(block.says, "note")]


def _bars(block: Bars, look: Look, room: float) -> list[Any]:
    """Labels, bars from one line, values behind them; drawn, so sharp at every size.

    In pieces of some bars that follow each other, so that a page may end between two.
    """
    if not block.rows:
        return []
    most = max(value for _unused, value, _unused in block.rows) or 1
    left = min(
        widths([[label for label, _unused, _unused in block.rows]], look, room * 0.35)[0],
        room * 0.35,
    )
    full = room - left - 90
    pieces = [block.rows[at : at + PIECE] for at in range(0, len(block.rows), PIECE)]
    drawn = [_piece(rows, most, (left, full, room), look) for rows in pieces]
    return [*drawn, platypus.Spacer(0, 6)]


def _piece(
    rows: Sequence[tuple[str, float, str]],
    most: float,
    sizes: tuple[float, float, float],
    look: Look,
) -> Drawing:
    left, full, room = sizes
    drawing = Drawing(room, len(rows) * (BAR + GAP))
    for place, (label, value, words) in enumerate(rows):
        y = drawing.height - (place + 1) * (BAR + GAP)
        long = full * max(value, 0.0) / most
        drawing.add(_string(look.clipped(label, left - 4), 0, y, look, MUTED))
        if long:
            drawing.add(Rect(left, y, long, BAR - 1, fillColor=ACCENT, strokeColor=None))
        drawing.add(_string(look.printable(words), left + long + 4, y, look, TEXT))
    return drawing


def _string(text: str, x: float, y: float, look: Look, colour: Any) -> String:
    return String(x, y + 1.5, text, fontName=look.face, fontSize=SMALL, fillColor=colour)


def _text(value: object) -> str:
    return "" if value is None else str(value)


PLAIN = platypus.TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LEFTPADDING", (0, 0), (-1, -1), 0),
        ("TOPPADDING", (0, 0), (-1, -1), 1.5),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
    ]
)
RULED = platypus.TableStyle(
    [
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, EDGE),
        ("LINEBELOW", (0, 1), (-1, -1), 0.4, LINE),
        ("LEFTPADDING", (0, 0), (-1, -1), 3),
        ("RIGHTPADDING", (0, 0), (-1, -1), 3),
        ("TOPPADDING", (0, 0), (-1, -1), 2),
        ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
    ]
)
