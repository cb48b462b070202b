"""Where records come from. Each kind is one small module; the register below lists them."""

from importlib import import_module
from typing import NamedTuple

from scoring.sources.base import FileSource


class FileKind(NamedTuple):
    """One kind of file: its word, its name on pages, how its files end, where it lives."""

    kind: str
    label: str
    suffixes: tuple[str, ...]
    where: str


PACKED = (".gz", ".bz2", ".xz", ".zst", ".zip")  # a CSV within, whatever stands before
# Read by upload forms, the API, the commands and the contract test. A kind is imported when first
# used: Parquet's library alone costs more memory than reading a CSV does.
FILE_SOURCES = [
    FileKind("csv", "CSV", (".csv", ".tsv", ".txt", *PACKED), "scoring.sources.csv.Csv"),
    FileKind("parquet", "Parquet", (".parquet", ".pq"), "scoring.sources.parquet.Parquet"),
    FileKind("xlsx", "Excel", (".xlsx",), "scoring.sources.xlsx.Xlsx"),
]


def file_source(kind: str) -> FileSource:
    """The source that reads files of this kind; KeyError if the register has none."""
    where = {entry.kind: entry.where for entry in FILE_SOURCES}[kind]
    module, _, name = where.rpartition(".")
    source: FileSource = getattr(import_module(module), name)()
    return source


def kind_of(name: str) -> str | None:
    """The kind a file's name promises, or None."""
    lower = name.lower()
    return next((entry.kind for entry in FILE_SOURCES if lower.endswith(entry.suffixes)), None)
