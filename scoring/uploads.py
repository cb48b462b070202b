"""Receiving files: content checked, kept under a name of our own, known again by their hash."""

import hashlib
import os
import uuid
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db import transaction
from django.db.models import Model

from anomalyshield import bell, leases
from anomalyshield.audit.record import record
from scoring.models import Chunk, Source, Upload
from scoring.sources import FILE_SOURCES, file_source, kind_of
from scoring.sources.base import Unreadable

PIECE = 1024 * 1024
MOST_BYTES = 20 * 1024**3
OPTIONS = {"mapping", "label_column", "label_known_column", "label_delay_days"}


class Refused(ValueError):
    """Why a file was not taken: the field that is wrong, and a sentence for the person."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field = field


def receive(
    *, by: Any, source: Source, name: str, file: BinaryIO, options: dict[str, Any]
) -> Upload:
    """Keep the file for a worker. The same bytes for the same source are not done twice."""
    options = checked_options(options)
    kind = kind_of(name)
    if kind is None:
        known = ", ".join(suffix for entry in FILE_SOURCES for suffix in entry.suffixes)
        raise Refused(
            "file", f"This kind of file is not read; its name must end in one of {known}."
        )
    stored, size, digest = keep(file)
    try:
        examined = file_source(kind).examine(stored)
        check_columns(examined.columns, options)
        return _entered(by, source, name, kind, stored, size, digest, options)
    except Unreadable as unreadable:
        raise Refused("file", str(unreadable)) from None
    finally:
        if not Upload.objects.filter(path=stored.name).exists():
            stored.unlink(missing_ok=True)


def keep(file: BinaryIO) -> tuple[Path, int, str]:
    """Write the file aside and rename it when whole: its path, size and SHA-256."""
    folder = Path(settings.UPLOADS)
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / uuid.uuid4().hex
    aside, digest, size = place.with_suffix(".part"), hashlib.sha256(), 0
    try:
        with aside.open("wb") as out:
            while piece := file.read(PIECE):
                size += len(piece)
                if size > MOST_BYTES:
                    raise Refused("file", f"The file is larger than {MOST_BYTES >> 30} GB.")
                digest.update(piece)
                out.write(piece)
            out.flush()
            os.fsync(out.fileno())
        aside.rename(place)
    except OSError as error:
        raise Refused("file", f"The file could not be kept here: {error.strerror}.") from None
    finally:
        aside.unlink(missing_ok=True)
    if size == 0:
        place.unlink()
        raise Refused("file", "The file is empty.")
    return place, size, digest.hexdigest()


@transaction.atomic
def _entered(
    by: Any,
    source: Source,
    name: str,
    kind: str,
    stored: Path,
    size: int,
    digest: str,
    options: dict[str, Any],
) -> Upload:
    Source.objects.select_for_update(no_key=True).get(pk=source.pk)  # two at once: one file
    if earlier := Upload.objects.all().same_content(source, digest).first():
        earlier.already_received = True
        return earlier
    upload = Upload.objects.create(
        source=source,
        kind=kind,
        name=Path(name.replace("\\", "/")).name[:255],
        path=stored.name,
        bytes=size,
        sha256=digest,
        options=options,
        created_by=by if isinstance(by, Model) else None,
    )
    after = {"name": upload.name, "source": source.name, "bytes": size, "sha256": digest}
    record(by=by or "command", action="upload.received", object=upload, after=after)
    bell.leave("upload")
    return upload


def checked_options(options: dict[str, Any]) -> dict[str, Any]:
    """Only what is understood; labels only with the date they became known."""
    if unknown := set(options) - OPTIONS:
        raise Refused("options", f"Unknown option: {', '.join(sorted(unknown))}.")
    kept = {name: value for name, value in options.items() if value not in (None, "", {})}
    mapping = kept.get("mapping", {})
    if not isinstance(mapping, dict) or not all(isinstance(v, str) for v in mapping.values()):
        raise Refused("mapping", "A mapping names for each of their columns one of our fields.")
    known = "label_known_column" in kept or "label_delay_days" in kept
    if "label_column" in kept and not known:
        raise Refused(
            "label_column",
            "Labels come with the date they became known: name its column, or state the delay.",
        )
    if known and "label_column" not in kept:
        raise Refused("label_column", "Name the column of the labels too.")
    if "label_delay_days" in kept:
        kept["label_delay_days"] = _days(kept["label_delay_days"])
    return kept


def _days(value: object) -> float:
    try:
        days = float(str(value))
    except ValueError:
        days = -1.0
    if not 0 <= days <= 3650:
        raise Refused("label_delay_days", "The delay is a number of days between 0 and 3650.")
    return days


def check_columns(columns: list[str], options: dict[str, Any]) -> None:
    """What an option names must be in the file, or every row would be rejected for it."""
    named = {"mapping": list(options.get("mapping", {}))}
    for name in ("label_column", "label_known_column"):
        named[name] = [options[name]] if name in options else []
    for field, wanted in named.items():
        if missing := [column for column in wanted if column not in columns]:
            raise Refused(
                field, f"The file has no column “{missing[0]}”. It has: {', '.join(columns)[:300]}."
            )


@transaction.atomic
def cancel(*, by: Any, upload: Upload) -> bool:
    """Stop reading and scoring it; what is stored and decided stays."""
    chunks = [leases.cancel(chunk) for chunk in Chunk.objects.filter(upload=upload)]
    stopped = leases.cancel(upload) or any(chunks)
    if stopped:
        Upload.objects.filter(pk=upload.pk).update(stage=Upload.Stage.FINISHED)
        record(by=by, action="upload.cancelled", object=upload)
    return stopped
