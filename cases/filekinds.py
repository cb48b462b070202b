"""What a file is, by its content and never by its name; what is not known here is not taken."""

import io
import zipfile
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

OFFICE = "application/vnd.openxmlformats-officedocument"
PLAIN = frozenset({*range(0x20, 0x110000), 0x09, 0x0A, 0x0C, 0x0D})
MOST_MEMBERS = 2000  # of an office document


@dataclass(frozen=True)
class Kind:
    """A kind of file: its name for people, its media type, the endings it may have."""

    title: str
    media_type: str
    endings: tuple[str, ...]


PDF = Kind("PDF", "application/pdf", ("pdf",))
TEXT = Kind(_("Text"), "text/plain", ("txt", "csv", "tsv", "json", "eml", "log", "md"))
WORD = Kind(_("Word document"), f"{OFFICE}.wordprocessingml.document", ("docx",))
EXCEL = Kind(_("Excel table"), f"{OFFICE}.spreadsheetml.sheet", ("xlsx",))
BY_START = [
    (b"%PDF-", PDF),
    (b"\x89PNG\r\n\x1a\n", Kind(_("PNG picture"), "image/png", ("png",))),
    (b"\xff\xd8\xff", Kind(_("JPEG picture"), "image/jpeg", ("jpg", "jpeg"))),
    (b"GIF87a", Kind(_("GIF picture"), "image/gif", ("gif",))),
    (b"GIF89a", Kind(_("GIF picture"), "image/gif", ("gif",))),
]
MEDIA_TYPES = sorted(
    {kind.media_type for kind in (PDF, TEXT, WORD, EXCEL, *dict(BY_START).values())}
)
TAKEN = _("PDF, PNG, JPEG, GIF, Word (docx), Excel (xlsx), text and CSV in UTF-8")


def kind_of(content: bytes) -> Kind | None:
    """The kind, or None for everything that is not one of these."""
    for start, kind in BY_START:
        if content.startswith(start):
            return kind
    if content.startswith(b"PK\x03\x04"):
        return _office(content)
    return TEXT if _is_text(content) else None


def _office(content: bytes) -> Kind | None:
    """A Word or Excel document without macros; nothing of it is unpacked."""
    try:
        names = zipfile.ZipFile(io.BytesIO(content)).namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError, EOFError, OSError):
        return None
    macros = any(name.lower().endswith("vbaproject.bin") for name in names)
    if macros or len(names) > MOST_MEMBERS or "[Content_Types].xml" not in names:
        return None
    if any(name.startswith("word/") for name in names):
        return WORD
    return EXCEL if any(name.startswith("xl/") for name in names) else None


def _is_text(content: bytes) -> bool:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return all(ord(letter) in PLAIN for letter in set(text))
