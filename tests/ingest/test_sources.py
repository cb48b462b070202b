"""Every listed file source keeps its promises; each broken file has its one known outcome."""

import datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xlsxwriter

from scoring.sources import FILE_SOURCES, file_source, kind_of
from scoring.sources.base import Broken, Unreadable

HEADER = "transaction_id,user_id,amount,note\n"
ROWS = [
    {"transaction_id": f"t{n}", "user_id": f"u{n % 7}", "amount": f"{n}.50", "note": note}
    for n, note in enumerate(
        ["plain", 'says "hi"', "two\nlines", "a,comma", "", "Ünïcode ₹", "crlf\r\ninside", "end"]
        * 3
    )
]
KINDS = [entry.kind for entry in FILE_SOURCES]


def write(kind, path, rows):
    if kind == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path, row_group_size=7)
        return
    if kind == "xlsx":
        book = xlsxwriter.Workbook(path)
        sheet = book.add_worksheet("Payments")
        for number, row in enumerate([list(rows[0]), *(list(row.values()) for row in rows)]):
            sheet.write_row(number, 0, row)
        book.close()
        return
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def records(kind, path, position=None, rows=1000):
    return [r for b in file_source(kind).blocks(path, position, rows) for r in b.records]


# --- the contract of every kind -----------------------------------------------------------------
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("size", [1, 3, 5, 24, 1000])
def test_it_goes_on_from_every_position_it_gave_out(kind, size, tmp_path):
    path = tmp_path / "file"
    write(kind, path, ROWS)
    assert records(kind, path) == ROWS
    done = 0
    for block in file_source(kind).blocks(path, None, size):
        assert block.first_row == done + 1
        done += len(block.records)
        again = list(file_source(kind).blocks(path, block.position, size))
        assert [r for b in again for r in b.records] == ROWS[done:]
        assert not again or again[0].first_row == done + 1
    assert done == len(ROWS)


@pytest.mark.parametrize("kind", KINDS)
def test_it_says_how_far_it_is(kind, tmp_path):
    path = tmp_path / "file"
    write(kind, path, ROWS)
    shares = [block.done_share for block in file_source(kind).blocks(path, None, 5)]
    assert shares == sorted(shares)
    assert shares[0] > 0
    assert shares[-1] == 1


@pytest.mark.parametrize("kind", KINDS)
def test_it_names_the_columns_and_how_it_reads_them(kind, tmp_path):
    path = tmp_path / "file"
    write(kind, path, ROWS)
    examined = file_source(kind).examine(path)
    assert examined.columns == list(ROWS[0])
    assert examined.note


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x7fELF\x02\x01\x01\x00" + b"\x00" * 64,
        b"<!DOCTYPE html><html><body>Sign in</body></html>",
        b"PK\x03\x04\x14\x00\x06\x00" + b"xl/workbook.xml",
        b"PK\x05\x06" + b"\x00" * 18,
        b"\x1f\x8b\x08\x00" + b"\x00" * 20,
        b"%PDF-1.7\n",
        b'<svg xmlns="http://www.w3.org/2000/svg"></svg>',
        b'{"transactions": []}',
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        b"\x00" * 100,
        b"   \r\n\r\n ",
    ],
)
def test_it_refuses_what_is_not_of_its_kind_in_a_sentence(kind, content, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=r"^[A-Z].*[a-z]+.*") as refusal:
        file_source(kind).examine(path)
    assert len(str(refusal.value).split()) >= 4


@pytest.mark.parametrize("kind", KINDS)
def test_it_refuses_more_columns_than_anyone_has(kind, tmp_path):
    path = tmp_path / "file"
    write(kind, path, [{f"c{n}": "1" for n in range(10_000)}])
    with pytest.raises(Unreadable, match="10,000 columns"):
        file_source(kind).examine(path)


def test_the_name_promises_a_kind():
    assert kind_of("Day 1.CSV") == "csv"
    assert kind_of("x.parquet") == "parquet"
    assert kind_of("x.csv.gz") == "csv"
    assert kind_of("x.xlsx") == "xlsx"
    assert kind_of("x.docx") is None


def test_csv_refuses_a_parquet_file_by_its_name_and_the_other_way_round(tmp_path):
    write("parquet", tmp_path / "a", ROWS)
    write("csv", tmp_path / "b", ROWS)
    with pytest.raises(Unreadable, match=r"it is a Parquet file; let its name end in \.parquet"):
        file_source("csv").examine(tmp_path / "a")
    with pytest.raises(Unreadable, match="not Parquet, though its name says so"):
        file_source("parquet").examine(tmp_path / "b")


# --- CSV: what is imported ----------------------------------------------------------------------
TWO = [["1", "ü€", "a;b"], ["2", "two\nlines", "x"]]


def text(delimiter, end):
    quoted = [[f'"{value}"' for value in row] for row in [["id", "name", "note"], *TWO]]
    return "".join(delimiter.join(row) + end for row in quoted)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_dialect_encoding_and_line_end_is_read(delimiter, codec, end, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(text(delimiter, end).encode(codec))
    expected = [dict(zip(["id", "name", "note"], row, strict=True)) for row in TWO]
    assert records("csv", path) == expected
    first = next(iter(file_source("csv").blocks(path, None, 1)))
    assert records("csv", path, first.position) == expected[1:]


def test_what_was_guessed_is_stated(tmp_path):
    path = tmp_path / "file"
    path.write_bytes(text(";", "\n").encode("cp1252"))
    assert file_source("csv").examine(path).note == "Windows-1252, separated by semicolons"


@pytest.mark.parametrize(
    "body, count",
    [
        ("1,a,x\n2,b,y", 2),  # no line end at the end
        ("1,a,x\n\n\r\n2,b,y\n\n", 2),  # blank lines
        ("1,a,x\r\n2,b,y\r\n\x1a", 2),  # DOS end of file
        ('1,"a ""quoted"" word",x\n', 1),
        ('1,5" pipe,x\n', 1),  # a quote inside a bare value is a character
        ("1,ａ,x\n", 1),
    ],
)
def test_ordinary_oddities_are_read(body, count, tmp_path):
    path = tmp_path / "file"
    path.write_text("id,name,note\n" + body, encoding="utf-8", newline="")
    found = records("csv", path)
    assert len(found) == count
    assert not any(isinstance(record, Broken) for record in found)


# --- CSV: rows that are rejected, and only those ------------------------------------------------
@pytest.mark.parametrize(
    "bad, reason",
    [
        (b"1,a\n", "has 2 values where the header names 3 columns"),
        (b"1,a,x,more\n", "has 4 values where the header names 3 columns"),
        (b"1\n", "has 1 value where"),
        (b"1,a\x00b,x\n", "NUL"),
        (b"1,\xff\xfe,x\n", "is not UTF-8 text"),
        (b"1,\xc0\xaf,x\n", "is not UTF-8 text"),  # overlong
        (b'1,"a" b,x\n', "a quote inside a value must be doubled"),
        (b'1,"never closed,x\n', "a quote|never closed"),
        (b"1," + b"y" * 1_100_000 + b",x\n", "longer than 1 MB"),
        (b"1," + b"y" * 200_000 + b",x\n", "128 KB"),
    ],
)
@pytest.mark.parametrize("resume_at", [None, 2, 3])
def test_a_bad_row_costs_itself_only(bad, reason, resume_at, tmp_path):
    path = tmp_path / "file"
    filler = "é".encode() * 10
    path.write_bytes(
        b"id,name,note\n0,ok," + filler + b"\n1,ok,\n" + bad + b"3,ok,x\n" + b'4,"ok\nok",x\n' * 2
    )
    blocks = list(file_source("csv").blocks(path, None, resume_at or 100))
    if resume_at:
        blocks[1:] = file_source("csv").blocks(path, blocks[0].position, 100)
    found = [record for block in blocks for record in block.records]
    assert [type(record) is Broken for record in found] == [False, False, True, False, False, False]
    import re

    assert re.search(reason, found[2].reasons["row"])
    assert len(found[2].text) <= 2000
    assert "\x00" not in found[2].text


def test_an_unclosed_quote_does_not_swallow_the_file(tmp_path):
    path = tmp_path / "file"
    path.write_text('id,name\n1,"open\n' + "2,fine\n" * 300_000)
    found = records("csv", path)
    assert len(found) == 300_001
    assert isinstance(found[0], Broken)
    assert found[1] == {"id": "2", "name": "fine"}


# --- CSV: files that are refused ----------------------------------------------------------------
@pytest.mark.parametrize(
    "content, sentence",
    [
        ("id,amount,id\n1,2,3\n", "names “id” twice"),
        ("id,,amount\n1,2,3\n", "Column 2 has no name"),
        ("id,amount\n", "a header but no rows"),
        ("id,amount\n\n\n", "a header but no rows"),
        ('"id,amount\n1,2\n', "quote in it is never closed"),
    ],
)
def test_a_header_that_would_need_guessing_is_refused(content, sentence, tmp_path):
    path = tmp_path / "file"
    path.write_text(content)
    with pytest.raises(Unreadable, match=sentence):
        file_source("csv").examine(path)


# --- Parquet ------------------------------------------------------------------------------------
def test_parquet_values_keep_their_meaning(tmp_path):
    moment = datetime.datetime(2026, 1, 14, 15, 0, 0, 123456)
    table = pa.table(
        {
            "amount32": pa.array([0.1, None], pa.float32()),
            "amount": pa.array([Decimal("12.3400"), None], pa.decimal128(18, 4)),
            "at": pa.array([moment, None], pa.timestamp("ns")),
            "online": pa.array([True, None]),
            "city": pa.array(["Pune", None]).dictionary_encode(),
            "count": pa.array([7, None], pa.int64()),
        }
    )
    pq.write_table(table, tmp_path / "f.parquet")
    first, second = records("parquet", tmp_path / "f.parquet")
    assert first == {
        "amount32": "0.1",
        "amount": Decimal("12.3400"),
        "at": moment,
        "online": True,
        "city": "Pune",
        "count": 7,
    }
    assert set(second.values()) == {None}


@pytest.mark.parametrize(
    "column",
    [
        pa.array([[1, 2]]),
        pa.array([{"a": 1}]),
        pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0" * 16], pa.binary(16))),
        pa.ExtensionArray.from_storage(pa.json_(), pa.array(["{}"])),
    ],
)
def test_parquet_refuses_nested_and_extension_types(column, tmp_path):
    pq.write_table(pa.table({"x": column}), tmp_path / "f.parquet")
    with pytest.raises(Unreadable, match="only plain columns"):
        file_source("parquet").examine(tmp_path / "f.parquet")


def test_parquet_refuses_a_bomb_by_its_row_count(tmp_path, monkeypatch):
    monkeypatch.setattr("scoring.sources.parquet.MOST_ROWS", 10)
    write("parquet", tmp_path / "f.parquet", ROWS)
    with pytest.raises(Unreadable, match="24 rows; at most 10"):
        file_source("parquet").examine(tmp_path / "f.parquet")


@pytest.mark.parametrize("damage", ["tail", "middle"])
def test_a_damaged_parquet_file_is_refused_in_words(damage, tmp_path):
    path = tmp_path / "f.parquet"
    write("parquet", path, ROWS)
    content = bytearray(path.read_bytes())
    if damage == "tail":
        path.write_bytes(content[:-20])
    else:
        content[4:200] = b"\xff" * 196
        path.write_bytes(content)
    with pytest.raises(Unreadable, match="damaged"):
        records("parquet", path)
