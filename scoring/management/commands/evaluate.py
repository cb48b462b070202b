"""`manage.py evaluate`: how good a version is on matured labels it has not learnt from."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from scoring import ablation, comparison, dataset, figures, registry, training
from scoring.engine.bundle import Refused
from scoring.engine.families import FAMILIES
from scoring.engine.training import Untrainable
from scoring.labels import MATURITY
from scoring.models import ModelVersion


class Command(BaseCommand):
    """Measure a version, by default the champion."""

    help = "Print the measurements of a model version on the latest matured rows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("version", nargs="?", type=int, help="Its number; else the champion")
        parser.add_argument("--json", action="store_true", help="For programs")
        parser.add_argument("--maturity-days", type=int, default=MATURITY.days)
        parser.add_argument("--budget", type=float, help="Share of transactions people can review")

        parser.add_argument(
            "--ablation",
            nargs="*",
            metavar="FAMILY",
            help="Train with and without each family of features (all, or those named)",
        )
        parser.add_argument("--seeds", type=int, default=ablation.SEEDS, help="Trainings of each")

    def handle(self, *_: Any, **given: Any) -> None:
        if given["ablation"] is not None:
            self.ablate(**given)
            return
        version, now = _version(given["version"]), timezone.now()
        maturity = timedelta(days=given["maturity_days"])
        unseen_from = version.learnt_until
        part = dataset.split(dataset.read(now, maturity), now, maturity, unseen_from=unseen_from)
        budget = given["budget"] or training.default_budget()
        try:
            bundle = registry.load(version)
        except Refused as refusal:
            raise CommandError(f"{version} is refused: {refusal}") from None
        found = comparison.report(part, bundle, None, budget=budget)
        if not found["measured"]:
            raise CommandError("Too few matured labels to measure anything.")
        if given["json"]:
            kept = {name: found[name] for name in ("budget", "heldout", "measured")}
            self.stdout.write(json.dumps({"version": version.number, **kept}, indent=1))
            return
        held = found["heldout"]
        self.stdout.write(
            f"{version}, {held['rows']} rows of {held['from']} to {held['until']}, "
            f"{held['frauds']} frauds"
        )
        for row in figures.table(found):
            self.stdout.write(f"  {row['title']:32} {row['own']:>8}")

    def ablate(self, **given: Any) -> None:
        """Print what each family adds, and keep it for the feature page."""
        families = given["ablation"] or list(FAMILIES)
        if unknown := set(families) - set(FAMILIES):
            raise CommandError(f"No family {unknown.pop()}; there are {', '.join(FAMILIES)}.")
        now, maturity = timezone.now(), timedelta(days=given["maturity_days"])
        part = dataset.split(dataset.read(now, maturity), now, maturity)
        budget = given["budget"] or training.default_budget()
        try:
            ablation.measure(
                part, budget=budget, families=families, seeds=given["seeds"], told=self.tell
            )
        except (ablation.Unmeasurable, Untrainable) as reason:
            raise CommandError(str(reason)) from None

    def tell(self, family: str, reached: float, spread: float) -> None:
        title = f"without {FAMILIES[family].title}" if family else "everything"
        self.stdout.write(f"  {title:48} {reached:.3f} ± {spread:.3f}")
        self.stdout.flush()


def _version(number: int | None) -> ModelVersion:
    asked = {"number": number} if number is not None else {"state": ModelVersion.State.CHAMPION}
    version = ModelVersion.objects.filter(**asked).first()
    if version is None:
        raise CommandError("There is no champion yet." if number is None else f"No v{number}.")
    return version
