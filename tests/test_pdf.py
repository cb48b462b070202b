"""PDFs: any text, broken images and long tables become a file, and the same ones the same file."""

from datetime import UTC, datetime
from io import BytesIO

import pytest
from PIL import Image as Drawn

from anomalyshield import pdf
from anomalyshield.pdf_look import Look

MADE = datetime(2026, 11, 21, 12, 30, tzinfo=UTC)


def png() -> bytes:
    file = BytesIO()
    Drawn.new("RGB", (30, 10), "navy").save(file, "PNG")
    return file.getvalue()


BLOCKS = [
    pdf.Heading("Why it was raised"),
    pdf.Paragraph("3.1 × her 90-day median\nMüller & Søn <b>€5</b>"),
    pdf.Facts([("Customer", "us…11"), ("Score", 0.93), ("Nobody", None)]),
    pdf.Table(["Name", "Amount"], [["a", "1,234.50"]] * 90, numeric=frozenset({1})),
    pdf.Table(["Name"], []),
    pdf.Image(png(), "A navy bar"),
    pdf.Bars([("North", 10, "10"), ("South", 0, "0")]),
]


def test_the_same_content_makes_the_same_bytes_with_its_own_date():
    one, two = (pdf.document("A-12", BLOCKS, "masked", made=MADE) for _ in range(2))
    assert one == two
    assert one.startswith(b"%PDF-")
    assert b"20261121123000" in one
    assert pdf.document("A-12", BLOCKS[1:], "masked", made=MADE) != one


@pytest.mark.parametrize(
    "text",
    ["", "山田 太郎", "Иван", "‏אב", "\x00\x07\ud800", "<para><img src='/etc/passwd'/>", "&#0;"],
)
def test_no_text_is_too_strange(text):
    blocks = [
        pdf.Heading(text),
        pdf.Paragraph(text),
        pdf.Facts([(text, text)]),
        pdf.Table([text], [[text]]),
        pdf.Image(b"no image", text),
        pdf.Bars([(text, 1, text)]),
    ]
    assert pdf.document(text, blocks, text).startswith(b"%PDF-")


def test_a_letter_the_font_lacks_loses_its_accent_or_becomes_a_question_mark():
    look = Look()
    assert look.printable("Zürich €5 – ł") == "Zürich €5 – ł"
    assert not look.lacking
    assert look.printable("ạ山") == "a?"
    assert look.lacking


@pytest.mark.parametrize("columns, cell", [(1, "w " * 9000), (1, "x" * 9000), (25, "y" * 40)])
def test_a_cell_longer_than_a_page_and_more_columns_than_fit_are_no_matter(columns, cell):
    table = pdf.Table([f"column {n}" for n in range(columns)], [[cell] * columns])
    assert pdf.document("Long", [table], wide=True).startswith(b"%PDF-")


def test_a_font_that_cannot_be_read_leaves_the_packaged_one(settings, tmp_path):
    broken = tmp_path / "broken.ttf"
    broken.write_bytes(b"nothing")
    settings.REPORT_FONT = str(broken)
    assert pdf.document("Still", [pdf.Paragraph("a page")]).startswith(b"%PDF-")
