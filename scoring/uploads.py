"""Receiving files: content checked, kept under a name of our own, known again by their hash."""

import hashlib
import os
import uuid
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, BinaryIO

from django.conf import settings
from django.db import transaction
from django.db.models import Model
from django.db.models.functions import Now
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from anomalyshield import bell, leases
from anomalyshield.accounts.models import User
from anomalyshield.audit.record import record
from anomalyshield.templatetags.words import figure
from scoring import cardnumbers, ingest
from scoring.columns import OPTIONS, Refused, checked_options, map_columns
from scoring.models import Source, Upload
from scoring.sources import FILE_SOURCES, file_source, kind_of
from scoring.sources.base import Unreadable, printable

__all__ = [_lazy("Refused"), _lazy("Unkept"), "cancel", "receive", "resume", "start"]
PIECE = 1024 * 1024
KEPT_DAYS = 7
MOST_BYTES = 20 * 1024**3


class Unkept(Refused):
    """Nothing is wrong with the file; there is no room for it here at the moment."""


@dataclass(frozen=True)
class Kept:
    """A file that lies below settings.UPLOADS, whole."""

    path: Path
    size: int
    sha256: str


def receive(
    *,
    by: Any,
    source: Source,
    name: str,
    file: BinaryIO,
    options: dict[str, Any],
    hold: bool = False,
) -> Upload:
    """Keep the file for a worker. Refused, with field and sentence, if it cannot be read.

    With `hold` it waits for `start`, which says what its columns mean. The same bytes for the same
    source are not done twice: the earlier upload comes back with `already_received` set, unless it
    was cancelled or set aside.
    """
    if isinstance(by, User) and not Source.objects.open_to(by).filter(pk=source.pk).exists():
        raise Refused("source", _("There is no source of this name."))
    if not source.active:
        raise Refused("source", _("The source {source} is switched off.").format(source=source))
    if source.about:
        options = {**options, "notices": True}
    options, kind = checked_options(options), _kind(name)
    hold = hold and not options.get("notices")  # its columns are few, and called by their names
    name = cardnumbers.cleaned_text(name)
    kept = keep(file)
    try:
        examined = file_source(kind).examine(kept.path)
        if not hold:
            options["mapping"] = map_columns(examined.columns, source.mapping, options)
        options |= {"columns": examined.columns, "read_as": examined.note}
        upload = _entered(
            by=by, source=source, name=name, kind=kind, kept=kept, options=options, hold=hold
        )
    except Unreadable as unreadable:
        kept.path.unlink(missing_ok=True)
        raise Refused("file", str(unreadable)) from None
    except BaseException:
        kept.path.unlink(missing_ok=True)
        raise
    if upload.already_received:
        kept.path.unlink(missing_ok=True)
    return upload


def _kind(name: str) -> str:
    if kind := kind_of(name):
        return kind
    known = ", ".join(suffix for entry in FILE_SOURCES for suffix in entry.suffixes)
    raise Refused(
        "file",
        _("This kind of file is not read; its name must end in one of {known}.").format(
            known=known
        ),
    )


def keep(file: BinaryIO) -> Kept:
    """Write the file aside and rename it when it is whole, so that no half of one is ever seen."""
    folder = Path(settings.UPLOADS)
    place = folder / uuid.uuid4().hex
    aside = place.with_suffix(".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        size, digest = _copy(file, aside)
        aside.rename(place)
    except OSError as error:
        raise Unkept(
            "file",
            _("The file could not be kept here: {strerror}.").format(strerror=error.strerror),
        ) from error
    finally:
        aside.unlink(missing_ok=True)
    return Kept(place, size, digest)


def _copy(file: BinaryIO, aside: Path) -> tuple[int, str]:
    digest, size = hashlib.sha256(), 0
    with aside.open("xb") as out:
        while piece := file.read(PIECE):
            size += len(piece)
            if size > MOST_BYTES:
                raise Refused(
                    "file",
                    _("The file is larger than {most_bytes} GB.").format(
                        most_bytes=figure(f"{MOST_BYTES / 1024**3:.0f}")
                    ),
                )
            digest.update(piece)
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())
    if not size:
        raise Refused("file", _("The file is empty."))
    return size, digest.hexdigest()


@transaction.atomic
def _entered(
    *,
    by: Any,
    source: Source,
    name: str,
    kind: str,
    kept: Kept,
    options: dict[str, Any],
    hold: bool,
) -> Upload:
    Source.objects.select_for_update(no_key=True).get(pk=source.pk)  # two at once: one file
    if earlier := Upload.objects.all().same_content(source, kept.sha256).first():
        earlier.already_received = True
        return earlier
    upload = Upload.objects.create(
        source=source,
        kind=kind,
        name=label_of(name),
        path=kept.path.name,
        bytes=kept.size,
        sha256=kept.sha256,
        options=options,
        state=Upload.State.WAITING if hold else Upload.State.READY,
        created_by=by if isinstance(by, Model) else None,
    )
    after = {"name": upload.name, "source": source.name, "bytes": kept.size, "sha256": kept.sha256}
    record(by=by or "command", action="upload.received", object=upload, after=after)
    if not hold:
        bell.leave("upload")
    return upload


@transaction.atomic
def start(*, by: Any, upload: Upload, options: dict[str, Any]) -> Upload:
    """Let a file that waits be read, its columns meaning what these options say.

    The options are what the next file of this source begins with.
    """
    upload = (
        Upload.objects.select_for_update(of=("self",)).select_related("source").get(pk=upload.pk)
    )
    if upload.state != Upload.State.WAITING:
        raise Refused(
            "file",
            _("This file is {state_in_words} already.").format(
                state_in_words=upload.state_in_words
            ),
        )
    upload.options = understood(upload, options)
    upload.state = Upload.State.READY
    upload.save(update_fields=["options", "state"])
    Upload.objects.filter(pk=upload.pk).update(due_at=Now())
    told = {name: upload.options[name] for name in OPTIONS if name in upload.options}
    record(by=by, action="upload.started", object=upload, after=told)
    bell.leave("upload")
    return upload


def understood(upload: Upload, options: dict[str, Any]) -> dict[str, Any]:
    """All that is known of the file, with these options; Refused if they do not fit its columns."""
    kept = checked_options(options)
    found = {name: upload.options[name] for name in ("columns", "read_as")}
    kept["mapping"] = map_columns(found["columns"], upload.source.mapping, kept)
    return kept | found


def remembered(source: Source) -> dict[str, Any]:
    """What the columns of the last file of this source meant."""
    last = (
        Upload.objects.filter(source=source)
        .exclude(options__has_key="notices")
        .exclude(state__in=[Upload.State.WAITING, Upload.State.QUARANTINED])
        .first()
    )
    said = last.options if last else {}
    return {
        "mapping": {**source.mapping, **said.get("mapping", {})},
        **{name: said[name] for name in OPTIONS if name in said and name != "mapping"},
    }


def label_of(name: str) -> str:
    """What to call the file on pages. It is never used as a path."""
    last = name.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return printable(last[-255:])[-255:]


@transaction.atomic
def cancel(*, by: Any, upload: Upload) -> bool:
    """Stop reading a file. What is stored already was received, and is scored like anything else.

    The file is kept for KEPT_DAYS, so that `resume` can go on. False if nothing was left to read.
    """
    if not leases.cancel(upload):
        return False
    upload.refresh_from_db()
    Upload.objects.filter(pk=upload.pk).update(**ingest.make_chunks(upload))
    after = {"rows_kept": upload.accepted}
    record(by=by, action="upload.cancelled", object=upload, after=after)
    return True


@transaction.atomic
def resume(*, by: Any, upload: Upload) -> Upload:
    """Go on with a cancelled file where it stopped. Refused when it is no longer kept."""
    upload = Upload.objects.select_for_update().get(pk=upload.pk)
    if not upload.can_resume:
        raise Refused("file", _("There is nothing to go on with; send the file again."))
    waits = "mapping" not in upload.options  # it was never said what its columns mean
    Upload.objects.filter(pk=upload.pk).update(
        state=Upload.State.WAITING if waits else Upload.State.READY,
        stage=Upload.Stage.STORING,
        attempts=0,
        finished_at=None,
        due_at=Now(),
    )
    record(by=by, action="upload.resumed", object=upload, after={"rows_kept": upload.accepted})
    bell.leave("upload")
    return upload


def tidy() -> int:
    """Let go of files nobody started or resumed for KEPT_DAYS. Run once a day."""
    long_ago = timezone.now() - timedelta(days=KEPT_DAYS)
    old = Upload.objects.exclude(path="").filter(created_at__lt=long_ago)
    for upload in old.filter(state=Upload.State.WAITING):
        cancel(by="schedule", upload=upload)
    gone = 0
    for upload in old.filter(state=Upload.State.CANCELLED):
        ingest.forget_file(upload)
        gone += Upload.objects.filter(pk=upload.pk).update(path="")
    return gone
