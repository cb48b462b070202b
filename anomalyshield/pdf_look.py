"""How our PDFs look: fonts, sizes, colours, and what becomes of letters that a font lacks."""

import logging
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any
from xml.sax.saxutils import escape

from django.conf import settings
from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.styles import ParagraphStyle
from reportlab.pdfbase.pdfmetrics import getFont, registerFont, registerFontFamily, stringWidth
from reportlab.pdfbase.ttfonts import TTFError, TTFont
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph

log = logging.getLogger(__name__)
MARGIN = 40  # points
SMALL = 7.5
TEXT, MUTED = HexColor("#151d2a"), HexColor("#566173")
LINE, EDGE, ACCENT = HexColor("#dde1e8"), HexColor("#c3cad5"), HexColor("#1f54c6")
LOOKED = 300  # rows of a table whose texts decide how wide its columns are
LONGEST = 20_000  # characters of one cell
STYLES = {  # name → size, bold, muted, space before, space behind
    "title": (15, True, False, 0, 8),
    "heading": (11, True, False, 10, 4),
    "lesser": (9, True, False, 6, 3),
    "body": (8.5, False, False, 0, 5),
    "note": (SMALL, False, True, 2, 6),
    "cell": (SMALL, False, False, 0, 0),
    "name": (SMALL, False, True, 0, 0),
    "number": (SMALL, False, False, 0, 0),
    "head": (SMALL, True, True, 0, 0),
    "head-number": (SMALL, True, True, 0, 0),
}


@cache
def _faces(own: str) -> tuple[str, str]:
    """The names of the plain and the bold face: of the operator's file, or those that are here."""
    names = ("report", "report-bold")
    try:
        fonts = [TTFont(name, own) for name in names] if own else []
    except (TTFError, OSError) as error:
        log.warning("ANOMALYSHIELD_REPORT_FONT cannot be used: %s", error)
        fonts = []
    for font in fonts or [TTFont(names[0], "Vera.ttf"), TTFont(names[1], "VeraBd.ttf")]:
        registerFont(font)
    plain, bold = names
    registerFontFamily(plain, normal=plain, bold=bold, italic=plain, boldItalic=bold)
    return names


@dataclass
class Look:
    """The styles of one document; remembers whether a letter was lacking."""

    lacking: bool = False
    styles: dict[str, ParagraphStyle] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.face, self.strong = _faces(settings.REPORT_FONT)
        self.glyphs = getFont(self.face).face.charToGlyph
        for name, (size, strong, muted, before, behind) in STYLES.items():
            self.styles[name] = ParagraphStyle(
                name,
                fontName=self.strong if strong else self.face,
                fontSize=size,
                leading=size * 1.35,
                textColor=MUTED if muted else TEXT,
                spaceBefore=before,
                spaceAfter=behind,
                alignment=TA_RIGHT if name.endswith("number") else 0,
                splitLongWords=1,
            )

    def printable(self, text: object) -> str:
        """The text with nothing that the font lacks: without accents where that helps, else ?."""
        said = "" if text is None else str(text)
        return "".join(map(self._letter, unicodedata.normalize("NFC", said)))

    def _letter(self, letter: str) -> str:
        if letter == "\n" or (ord(letter) in self.glyphs and letter.isprintable()):
            return letter
        if letter.isspace():
            return " "
        if not letter.isprintable():
            return ""
        self.lacking = True
        plain = unicodedata.normalize("NFKD", letter)[:1]
        return plain if ord(plain) in self.glyphs else "?"

    def paragraph(self, text: object, style: str) -> Paragraph:
        """Never read as markup: what people typed stays what they typed."""
        marked = escape(self.printable(text)[:LONGEST]).replace("\n", "<br/>")
        return Paragraph(marked, self.styles[style])

    def cell(self, value: object, style: str = "cell") -> Paragraph:
        return self.paragraph(value, style)

    def clipped(self, text: str, room: float) -> str:
        """As much of a label as there is room for."""
        text = self.printable(text).replace("\n", " ")
        if self.width(text) <= room:
            return text
        while text and self.width(text + "…") > room:
            text = text[:-1]
        return text + "…"

    def width(self, text: str) -> float:
        return stringWidth(text, self.face, SMALL)


def widths(columns: Sequence[Sequence[str]], look: Look, room: float) -> list[float]:
    """How wide columns of these texts are: each its longest text, while there is room; else each
    its longest word, and of what is left as much as it asks for."""
    least, wished = [], []
    for texts in columns:
        short = [text[:200] for text in texts[: LOOKED + 1]]
        words = [word for text in short for word in text.split()] or [""]
        heading = [stringWidth(word, look.strong, SMALL) for word in short[0].split()] or [0.0]
        least.append(max(min(max(map(look.width, words)), 130.0), max(heading)) + 9)
        wished.append(max(min(max(map(look.width, short), default=0), 260.0), max(heading)) + 9)
    if sum(wished) <= room:
        return wished
    spare = room - sum(least)
    if spare <= 0:
        return [width * room / sum(least) for width in least]
    more = [max(w - at_least, 0) for w, at_least in zip(wished, least, strict=True)]
    return [
        at_least + spare * m / (sum(more) or 1) for at_least, m in zip(least, more, strict=True)
    ]


@dataclass(frozen=True)
class Written:
    """What stands at the foot of every page."""

    look: Look
    title: str
    footer: str

    def foot(self, canvas: Any, paper: tuple[float, float], pages: int) -> None:
        assert isinstance(canvas, Canvas)
        wide, y = paper[0] - 2 * MARGIN, MARGIN - 8
        canvas.saveState()
        canvas.setStrokeColor(LINE)
        canvas.line(MARGIN, y + 12, MARGIN + wide, y + 12)
        canvas.setFont(self.look.face, SMALL)
        canvas.setFillColor(MUTED)
        canvas.drawString(MARGIN, y, self.look.clipped(self.footer or self.title, wide - 80))
        canvas.drawRightString(MARGIN + wide, y, f"{canvas.getPageNumber()} / {pages}")
        canvas.restoreState()
