"""`manage.py ingest_file`: hand a file to the workers, as the page and the API do."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError

from anomalyshield import leases
from scoring import uploads
from scoring.mapping_form import from_yaml
from scoring.models import Source, Upload
from scoring.sources import kind_of
from scoring.sourcing import make_source
from scoring.tasks import do, work_named

NOBODY_SECONDS = 15.0  # after so long without a worker, say how to start one


class Command(BaseCommand):
    """Receive a file from this machine."""

    help = "Receive a CSV or Parquet file for a source; workers store and score it."
    waits = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--source", required=True, help="Its name; made if there is none yet")
        parser.add_argument("--map", action="append", default=[], metavar="THEIRS=OURS")
        parser.add_argument("--mapping", type=Path, help="A mapping file (docs/mapping.md)")
        parser.add_argument("--label-column")
        parser.add_argument("--label-known-column", help="When each label became known")
        parser.add_argument("--label-delay-days", type=float, help="Or: so many days after")
        parser.add_argument("--notices", action="store_true", help="Chargebacks, not payments")
        parser.add_argument("--inline", action="store_true", help="Do it here, without a worker")
        if not self.waits:
            parser.add_argument("--wait", action="store_true", help="Until every row is scored")

    def handle(self, *_: Any, **given: Any) -> None:
        upload = self._receive(given)
        again = " (these very bytes were received before)" if upload.already_received else ""
        self.stdout.write(f"File {upload.pk}: {upload.name} for {upload.source.name}{again}")
        if self.waits or given["inline"] or given.get("wait"):
            self._follow(upload, inline=given["inline"])

    def _receive(self, given: dict[str, Any]) -> Upload:
        path: Path = given["path"]
        names = ("label_column", "label_known_column", "label_delay_days")
        options = self._mapping_file(given["mapping"])
        options |= {name: given[name] for name in names if given[name] is not None}
        options["mapping"] = {**options.get("mapping", {}), **dict(map(self._pair, given["map"]))}
        if given["notices"]:
            options["notices"] = True
        try:
            with path.open("rb") as file:
                return uploads.receive(
                    by="command",
                    source=self._source(given["source"], path),
                    name=path.name,
                    file=file,
                    options=options,
                )
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from error
        except uploads.Refused as refusal:
            raise CommandError(f"{refusal.field}: {refusal}") from None

    @staticmethod
    def _mapping_file(path: Path | None) -> dict[str, Any]:
        if path is None:
            return {}
        try:
            return from_yaml(path.read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"{path} cannot be read: {error}.") from error
        except uploads.Refused as refusal:
            raise CommandError(f"{path}: {refusal}") from None

    @staticmethod
    def _source(name: str, path: Path) -> Source:
        """The source of that name; the first file of a new upstream system makes it."""
        if found := Source.objects.filter(name=name).first():
            return found
        try:
            Source._meta.get_field("name").clean(name, None)
        except ValidationError:
            raise CommandError("--source: letters, digits, hyphens and underscores only.") from None
        kind = "parquet" if kind_of(path.name) == "parquet" else "csv"  # tables of text
        return make_source(by="command", name=name, kind=kind)

    @staticmethod
    def _pair(text: str) -> tuple[str, str]:
        theirs, sign, ours = text.rpartition("=")
        if not (sign and theirs and ours):
            raise CommandError(f"--map {text} is not THEIRS=OURS.")
        return theirs, ours

    def _follow(self, upload: Upload, *, inline: bool) -> None:
        """Say how far it is until nothing of it will change any more."""
        said, idle = "", time.monotonic()
        while upload.under_way:
            if inline:
                work_off()
                upload.refresh_from_db()
            now = f"{upload.done_share:4.0%}  {upload.read:,} read, {upload.scored:,} scored"
            if now != said:
                said, idle = now, time.monotonic()
                self.stderr.write(now)
            elif time.monotonic() - idle > NOBODY_SECONDS and upload.state == Upload.State.READY:
                idle = time.monotonic()
                self.stderr.write("No worker takes it. Start `manage.py up`, or use --inline.")
            if upload.under_way:
                time.sleep(0.5)
                upload.refresh_from_db()
        self._tell(upload)

    def _tell(self, upload: Upload) -> None:
        self.stdout.write(
            f"{upload.read:,} rows: {upload.accepted:,} new, {upload.repeated:,} known already, "
            f"{upload.rejected:,} rejected; {upload.scored:,} scored"
        )
        if upload.state != Upload.State.DONE:
            raise CommandError(upload.error or f"The file was {upload.state_in_words}.")


def work_off() -> None:
    """Do here what workers would: store what waits, score its chunks."""
    for name in ("upload", "chunk"):
        work = work_named(name)
        while rows := leases.claim(work.rows, exhausted=work.act("on_exhausted")):
            do(work, rows[0])
