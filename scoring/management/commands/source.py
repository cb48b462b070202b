"""`manage.py source FILE`: make or change a source from a YAML document."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from scoring import source_documents, source_rules
from scoring.columns import Refused
from scoring.models import Source
from scoring.sampled import try_sample
from scoring.sourcing import load_document


class Command(BaseCommand):
    """Load a document, or try a sample on it first."""

    help = "Make or change the source that a YAML document names."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("path", type=Path)
        parser.add_argument("--sample", type=Path, help="Try these records on it; store nothing")

    def handle(self, *_: Any, **given: Any) -> None:
        text = read(given["path"])
        try:
            if given["sample"]:
                self._try(text, read(given["sample"]))
                return
            source, made = load_document(by="command", text=text)
        except Refused as refused:
            refusal = source_documents.as_called(refused)
            raise CommandError(f"{refusal.field}: {refusal}") from None
        done = "made" if made else f"version {source.version}"
        self.stdout.write(f"Source {source.name}: {done}")
        if source.signing_secret:
            self.stdout.write(f"Its secret, told this once: {source.signing_secret}")

    def _try(self, text: str, sample: str) -> None:
        fields, secrets = source_documents.read(text)
        fields, _ = source_rules.checked(fields["kind"], fields, secrets)
        tried = try_sample(Source(**fields), sample)
        self.stdout.write(
            f"{tried.read:,} records: {tried.accepted:,} taken, {tried.rejected:,} refused"
        )
        for (field, reason), records in tried.most:
            self.stdout.write(f"  {field} {reason}: {records:,}")


def read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CommandError(f"{path} cannot be read: {error}.") from None
