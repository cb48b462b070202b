"""Parquet files and workbooks that would take more than they are: refused before it is taken."""

import io
import time
import zipfile

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from scoring.sources import file_source, footer, unpacking, workbook
from scoring.sources.base import Unreadable


def varint(number):
    found = bytearray()
    while number > 127:
        found.append(number & 127 | 128)
        number >>= 7
    return bytes([*found, number])


def i32(number):
    return varint(number << 1)


def element(name, children=0):
    """One element of a Parquet schema: repetition, name, children."""
    own = b"\x35" + i32(0) + b"\x18" + varint(len(name)) + name
    return own + (b"\x15" + i32(children) if children else b"") + b"\x00"


def written(path, children, rows=1):
    """A Parquet file of nothing but a footer with that schema."""
    head = bytes([15 << 4 | 12]) + varint(len(children))
    schema = head + b"".join(element(b"c%d" % at, count) for at, count in enumerate(children))
    meta = b"\x15" + i32(2) + b"\x19" + schema + b"\x16" + i32(rows) + b"\x19\x0c" + b"\x00"
    path.write_bytes(b"PAR1" + meta + len(meta).to_bytes(4, "little") + b"PAR1")
    return path


@pytest.fixture
def parquet():
    return file_source("parquet")


# --- Parquet --------------------------------------------------------------------------------------
def test_types_within_types_are_refused_however_deep(parquet, tmp_path):
    with pytest.raises(Unreadable, match="columns within columns"):
        parquet.examine(written(tmp_path / "deep", [1] * 3_000 + [0]))


def test_more_columns_than_anybody_has_are_refused_by_the_footer(parquet, tmp_path):
    began = time.process_time()
    with pytest.raises(Unreadable, match="100,000 columns; at most 500"):
        parquet.examine(written(tmp_path / "wide", [100_000] + [0] * 100_000))
    assert time.process_time() - began < 1


def test_a_description_without_end_is_refused(parquet, tmp_path, monkeypatch):
    monkeypatch.setattr(footer, "MOST_FOOTER", 100)
    path = tmp_path / "long"
    pq.write_table(pa.table({"a": [1, 2]}), path)
    with pytest.raises(Unreadable, match="is described in"):
        parquet.examine(path)


@pytest.mark.parametrize("rows", [7, 99_999_999, 10**12])
def test_rows_that_no_group_has_are_refused(rows, parquet, tmp_path):
    """The number of rows in the footer is a lie; the groups have two."""
    path = tmp_path / "lie"
    pq.write_table(pa.table({"a": [1, 2]}), path, compression="none")
    content = path.read_bytes()
    length = int.from_bytes(content[-8:-4], "little")
    meta = content[-8 - length : -8]
    at = meta.index(b"\x16\x04\x19\x1c")  # num_rows 2, then one group
    told = meta[: at + 1] + varint(rows << 1) + meta[at + 2 :]
    path.write_bytes(content[: -8 - length] + told + len(told).to_bytes(4, "little") + b"PAR1")
    with pytest.raises(Unreadable, match=f"says it has {rows:,} rows"):
        parquet.examine(path)


def test_a_page_that_unpacks_to_more_than_memory_is_refused_before_it_is_unpacked(
    parquet, tmp_path, monkeypatch
):
    monkeypatch.setattr(footer, "MOST_PAGE", 1024 * 1024)
    path = tmp_path / "page"
    table = pa.table({"note": ["x" * 3_000_000]})
    pq.write_table(table, path, compression="zstd", use_dictionary=False)
    assert path.stat().st_size < 10_000
    with pytest.raises(Unreadable, match="column “note” unpacks to 3 MB; at most 1"):
        parquet.examine(path)


def test_such_a_page_is_found_in_a_later_group_too(parquet, tmp_path, monkeypatch):
    path = tmp_path / "later"
    with pq.ParquetWriter(path, pa.schema([("note", pa.string())]), compression="zstd") as file:
        file.write_table(pa.table({"note": ["x"] * 10}))
        file.write_table(pa.table({"note": ["y" * 3_000_000]}))
    monkeypatch.setattr(footer, "MOST_PAGE", 1024 * 1024)
    parquet.examine(path)
    blocks = parquet.blocks(path, None, 10)
    assert len(next(blocks).records) == 10
    with pytest.raises(Unreadable, match="Write the file in smaller pages"):
        next(blocks)


def test_too_many_groups_are_refused(parquet, tmp_path, monkeypatch):
    monkeypatch.setattr(footer, "MOST_GROUPS", 2)
    path = tmp_path / "groups"
    pq.write_table(pa.table({"a": [1, 2, 3]}), path, row_group_size=1)
    with pytest.raises(Unreadable, match="cut into 3 groups"):
        parquet.examine(path)


def test_a_cell_that_is_no_text_or_date_costs_its_row_alone(parquet, tmp_path):
    letters = pa.py_buffer(b"goodb\xe9!fine")
    places = pa.py_buffer(np.array([0, 4, 7, 11, 11], dtype=np.int32).tobytes())
    days = pa.array([0, 0, 2**62, 0], pa.timestamp("us"))
    table = pa.table({"shop": pa.StringArray.from_buffers(4, places, letters), "day": days})
    pq.write_table(table, path := tmp_path / "p.parquet", use_dictionary=False)
    (block,) = parquet.blocks(path, None, 10)
    kinds = [getattr(one, "reasons", None) for one in block.records]
    wrong = {"shop": "is not UTF-8 text"}, {"day": "is beyond the calendar"}
    assert kinds == [None, *wrong, None]
    assert block.records[0]["shop"] == "good"
    list(parquet.blocks(path, {"row": 2}, 1))


def test_an_ordinary_file_of_many_pages_is_read(parquet, tmp_path):
    path = tmp_path / "many"
    table = pa.table({"a": list(range(5_000)), "b": [f"t{n}" for n in range(5_000)]})
    pq.write_table(table, path, data_page_size=512, row_group_size=2_000, version="2.6")
    parquet.examine(path)
    assert sum(len(block.records) for block in parquet.blocks(path, None, 999)) == 5_000


# --- workbooks ------------------------------------------------------------------------------------
HEAD = ["transaction_id", "amount"]


def book_of(path, rows, **how):
    book = xlsxwriter.Workbook(path, how)
    sheet = book.add_worksheet("Payments")
    for number, row in enumerate(rows):
        sheet.write_row(number, 0, row)
    book.close()
    return path


def changed(path, part, make):
    """The workbook with one part made anew."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts[part] = make(parts.get(part, b""))
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    path.write_bytes(out.getvalue())
    return path


SHEET = "xl/worksheets/sheet1.xml"
TYPE = b'<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]>'


@pytest.mark.parametrize("part", [SHEET, "xl/sharedStrings.xml", "xl/workbook.xml"])
def test_a_document_type_is_refused_in_every_part(part, tmp_path):
    path = book_of(tmp_path / "a.xlsx", [HEAD, ["t1", 1]])
    changed(path, part, lambda old: old.replace(b"?>\n", b"?>\n" + TYPE, 1))
    with pytest.raises(Unreadable, match="document type"):
        file_source("xlsx").examine(path)


def test_a_tag_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "LONGEST_TAG", 100_000)
    path = book_of(tmp_path / "a.xlsx", [HEAD, ["t1", 1]])
    changed(path, SHEET, lambda old: old.replace(b"<row ", b"<row x='" + b"y" * 300_000, 1))
    with pytest.raises(Unreadable, match="a tag that does not end"):
        file_source("xlsx").examine(path)


@pytest.mark.parametrize("part", [SHEET, "xl/styles.xml", "xl/sharedStrings.xml"])
def test_a_part_that_unpacks_like_a_bomb_is_refused(part, tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "FREE", 100_000)
    path = book_of(tmp_path / "a.xlsx", [HEAD, ["t1", 1]])
    changed(path, part, lambda old: old + b" " * 1_000_000)
    with pytest.raises(Unreadable, match="200 times"):
        file_source("xlsx").examine(path)


def test_more_text_than_memory_has_room_for_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(workbook, "MOST_TEXTS", 1_000)
    path = book_of(tmp_path / "a.xlsx", [HEAD, *([f"t{n}", 1] for n in range(100))])
    with pytest.raises(Unreadable, match="too much text; save the sheet as CSV"):
        file_source("xlsx").examine(path)


def test_a_cell_longer_than_any_is_refused(tmp_path):
    path = book_of(tmp_path / "a.xlsx", [HEAD, ["t1", 1]])
    changed(path, "xl/sharedStrings.xml", lambda old: old.replace(b"t1", b"x" * 40_000))
    with pytest.raises(Unreadable, match="more than 32,767 characters"):
        file_source("xlsx").examine(path)


def test_more_columns_than_a_sheet_has_are_refused(tmp_path):
    path = book_of(tmp_path / "a.xlsx", [HEAD, ["t1", 1]])
    changed(path, SHEET, lambda old: old.replace(b'r="B2"', b'r="ZZZZ2"'))
    with pytest.raises(Unreadable, match="more than 16,384 columns"):
        list(file_source("xlsx").blocks(path, None, 10))


@pytest.mark.parametrize(
    "name, content, sentence",
    [
        ("xl/vbaProject.bin", b"x", "holds macros"),
        ("xl/workbook.xml", b"<workbook", "damaged: xl/workbook.xml"),
        (SHEET, b"<worksheet><sheetData><row>", "damaged"),
        (SHEET, b"<worksheet><sheetData/></worksheet>", "nothing but blanks"),
    ],
)
def test_a_workbook_that_is_not_in_order_is_refused(name, content, sentence, tmp_path):
    path = book_of(tmp_path / "a.xlsx", [HEAD, ["t1", 1]])
    changed(path, name, lambda _: content)
    with pytest.raises(Unreadable, match=sentence):
        file_source("xlsx").examine(path)
