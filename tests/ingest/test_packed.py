"""Compressed files are read as what they hold, in little memory, and bombs are refused in words."""

import bz2
import gzip
import io
import lzma
import os
import tracemalloc
import zipfile
import zlib

import pyarrow as pa
import pytest

from scoring.sources import file_source, packed, unpacking
from scoring.sources.base import Broken, Unreadable

HEADER = b"transaction_id,user_id,amount\n"
ROWS = b"".join(b"t%d,u%d,%d.50\n" % (n, n % 97, n) for n in range(20_000))
TABLE = HEADER + ROWS


def zstd(content):
    return pa.compress(content, codec="zstd", asbytes=True)


def zipped(*members, **how):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **({"compression": zipfile.ZIP_DEFLATED} | how)) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return file.getvalue()


PACK = {
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd,
    "zip": lambda content: zipped(("payments.csv", content)),
}


@pytest.fixture
def csv():
    return file_source("csv")


def rows_of(csv, path, position=None, rows=3_000):
    return [record for block in csv.blocks(path, position, rows) for record in block.records]


# --- what is read ---------------------------------------------------------------------------------
@pytest.mark.parametrize("name", PACK)
def test_a_compressed_table_is_read_as_the_table_in_it(name, csv, tmp_path):
    plain, path = tmp_path / "plain", tmp_path / "packed"
    plain.write_bytes(TABLE)
    path.write_bytes(PACK[name](TABLE))
    examined = csv.examine(path)
    assert examined.columns == ["transaction_id", "user_id", "amount"]
    assert examined.note == f"UTF-8, separated by commas, packed with {name}"
    blocks = list(csv.blocks(path, None, 6_000))
    assert blocks == [
        one if one.done_share == there.done_share else _with_share(one, there.done_share)
        for one, there in zip(csv.blocks(plain, None, 6_000), blocks, strict=True)
    ]
    shares = [block.done_share for block in blocks]
    assert shares == sorted(shares)
    assert shares[-1] == 1


def _with_share(block, share):
    from dataclasses import replace

    return replace(block, done_share=share)


@pytest.mark.parametrize("name", PACK)
def test_it_goes_on_from_every_position_it_gave_out(name, csv, tmp_path):
    path = tmp_path / "packed"
    path.write_bytes(PACK[name](TABLE))
    done = 0
    for block in csv.blocks(path, None, 7_001):
        done += len(block.records)
        again = rows_of(csv, path, block.position)
        assert len(again) == 20_000 - done
        assert not again or again[0]["transaction_id"] == f"t{done}"


def test_one_stream_after_another_is_one_file(csv, tmp_path):
    path = tmp_path / "packed"
    for pack in (gzip.compress, bz2.compress, lzma.compress):
        path.write_bytes(pack(TABLE[:100_000]) + pack(TABLE[100_000:]) + b"\0" * 512)
        assert len(rows_of(csv, path)) == 20_000


def test_rejected_rows_are_read_again_without_unpacking_from_the_start(csv, tmp_path, monkeypatch):
    """Each of these makes the reader go back to where the record began."""
    path = tmp_path / "packed"
    path.write_bytes(gzip.compress(HEADER + b't1,u1,1\nt2,"u" 2,2\n' * 3_000))
    begun = []
    monkeypatch.setattr(
        packed.Unpacked,
        "_started",
        lambda self, started=packed.Unpacked._started: begun.append(1) or started(self),
    )
    found = rows_of(csv, path)
    assert [type(record) is Broken for record in found] == [False, True] * 3_000
    assert len(begun) == 1


@pytest.mark.parametrize("extra", ["__MACOSX/._payments.csv", "folder/", "folder/.DS_Store"])
def test_what_a_system_puts_beside_the_table_is_passed_over(extra, csv, tmp_path):
    path = tmp_path / "a.zip"
    path.write_bytes(zipped((extra, b""), ("folder/payments.csv", TABLE)))
    assert len(rows_of(csv, path)) == 20_000


def test_what_is_unpacked_is_let_go(csv, tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "BEHIND", 256 * 1024)
    path = tmp_path / "packed"
    wide = b"".join(b"t%d,%s,1\n" % (n, os.urandom(1_000).hex().encode()) for n in range(8_000))
    path.write_bytes(gzip.compress(HEADER + wide, 1))
    tracemalloc.start()
    try:
        assert sum(len(block.records) for block in csv.blocks(path, None, 100)) == 8_000
        assert tracemalloc.get_traced_memory()[1] < len(wide) / 4
    finally:
        tracemalloc.stop()


# --- what is refused ------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz", "zip"])
def test_a_bomb_is_refused_at_the_door(name, csv, tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "FREE", 1024 * 1024)
    path = tmp_path / "bomb"
    path.write_bytes(PACK[name](HEADER + b"t1,u1,1.00\n" * 400_000))
    with pytest.raises(Unreadable, match="more than 200 times its size"):
        csv.examine(path)


def test_a_bomb_behind_a_good_beginning_is_refused_where_it_begins(csv, tmp_path, monkeypatch):
    monkeypatch.setattr(packed, "LOOKED_AT", 100_000)
    monkeypatch.setattr(unpacking, "FREE", 1024 * 1024)
    monkeypatch.setattr(unpacking, "MOST_TIMES", 20)
    monkeypatch.setattr(packed, "BEHIND", 1024 * 1024)
    path = tmp_path / "bomb"
    path.write_bytes(gzip.compress(TABLE) + gzip.compress(b"t1,u1,1.00\n" * 400_000))
    csv.examine(path)
    with pytest.raises(Unreadable, match="more than 20 times its size"):
        for _ in csv.blocks(path, {"byte": len(TABLE), "row": 20_000}, 5_000):
            pass


def test_more_than_a_plain_file_may_hold_is_refused(csv, tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "MOST_UNPACKED", 100_000)
    path = tmp_path / "large"
    path.write_bytes(gzip.compress(TABLE))
    with pytest.raises(Unreadable, match="send it in parts"):
        csv.examine(path)


def test_xz_gets_no_more_memory_than_a_table_needs(csv, tmp_path):
    path = tmp_path / "greedy"
    head = lzma.compress(TABLE, filters=[{"id": lzma.FILTER_LZMA2, "dict_size": 4096}])
    greedy = bytearray(head)
    greedy[16] = 40  # 4 GB of dictionary, in the header of its block
    crc = zlib.crc32(bytes(greedy[12:20]))
    greedy[20:24] = crc.to_bytes(4, "little")
    path.write_bytes(bytes(greedy))
    with pytest.raises(Unreadable, match="compressed with xz and damaged: Memory usage limit"):
        csv.examine(path)


@pytest.mark.parametrize(
    "content, sentence",
    [
        (zipped(), "zip archive"),
        (zipped(("a.csv", TABLE), ("b.csv", TABLE)), "holds 2 files"),
        (zipped(*((f"{n}.csv", b"") for n in range(1_001))), "more than 1,000 files"),
        (zipped(("a.zip", zipped(("a.csv", TABLE)))), "a zip archive within another"),
        (zipped(("a.gz", gzip.compress(TABLE))), "within with gzip; pack it once"),
        (zipped(("[Content_Types].xml", b"x"), ("xl/workbook.xml", b"x")), "an Excel workbook"),
        (zipped(("a.csv", TABLE), compression=zipfile.ZIP_BZIP2), "pack it with “deflate”"),
        (zipped(("a.csv", TABLE))[:-30], "zip archive is damaged"),
        (zipped(("../../settings.py", b"<html>")), "a web page"),
        (gzip.compress(b"PAR1" + b"\0" * 100), "a Parquet file"),
        (gzip.compress(b"\0" * 257 + b"ustar" + b"\0" * 100), "a tar archive"),
        (gzip.compress(b"a.csv" + b"\0" * 252 + b"ustar" + b"\0" * 100), "a tar archive"),
        (gzip.compress(b""), "The file is empty"),
        (gzip.compress(HEADER), "a header but no rows"),
        (gzip.compress(TABLE)[:-5_000], "cut off"),
        (lzma.compress(TABLE)[:-2_000], "cut off"),
        (bz2.compress(TABLE)[:-2_000], "cut off"),
        (zstd(TABLE)[:-2_000], "damaged|cut off"),
        (gzip.compress(TABLE)[:2_000] + b"\x06" * 50_000, "compressed with gzip and damaged"),
        (b"\x28\xb5\x2f\xfd" + b"\xff" * 100, "compressed with zstd and damaged"),
        (b"\xfd7zXZ\0" + b"\xff" * 100, "compressed with xz and damaged"),
        (b"BZh91AY&SY" + b"\xff" * 100, "compressed with bzip2 and damaged"),
    ],
    # gzip writes the second into the file, so no name may hold its bytes: workers collect the same.
    ids=lambda one: one if isinstance(one, str) else "file",
)
def test_what_cannot_be_read_is_refused_in_a_sentence(content, sentence, csv, tmp_path):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(Unreadable, match=sentence):
        csv.examine(path)


def test_an_archive_under_a_password_is_refused(csv, tmp_path):
    content = bytearray(zipped(("a.csv", TABLE)))
    for first in (b"PK\x03\x04", b"PK\x01\x02"):  # the flag stands in both heads
        content[content.index(first) + (6 if first[2] == 3 else 8)] |= 1
    path = tmp_path / "a.zip"
    path.write_bytes(bytes(content))
    with pytest.raises(Unreadable, match="password"):
        csv.examine(path)
