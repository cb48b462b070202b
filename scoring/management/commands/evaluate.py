"""`manage.py evaluate`: how good a version is on matured labels it has not learnt from."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from scoring import (
    ablation,
    comparison,
    dataset,
    evaluated,
    feature_pipelines,
    figures,
    plans,
    registry,
    training,
    weekly,
)
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
        parser.add_argument("--model", type=int, help="The same, by name")
        parser.add_argument(
            "--weeks",
            nargs="?",
            type=int,
            const=weekly.WEEKS,
            help=f"Measure so many past weeks (without a number {weekly.WEEKS}), each with a model "
            "of its own made as this version was, and keep them with the version",
        )
        parser.add_argument(
            "--window", type=int, default=weekly.WINDOW, help="Days learnt from; 0 is everything"
        )
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
        if given["weeks"] is not None:
            self.weeks(**given)
            return
        version, now = _version(given["version"] or given["model"]), timezone.now()
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

    def weeks(self, **given: Any) -> None:
        """Print the past weeks of a version's recipe, and keep them for its page."""
        if given["weeks"] < 1 or given["window"] < 0 or given["maturity_days"] < 0:
            raise CommandError("--weeks is 1 or more, --window and --maturity-days 0 or more.")
        version, now = _version(given["version"] or given["model"]), timezone.now()
        maturity = timedelta(days=given["maturity_days"])
        recipe = weekly.Recipe(
            budget=given["budget"] or float(version.metrics["budget"]),
            plan=feature_pipelines.plan_of(version.pipeline) if version.pipeline else None,
            weeks=given["weeks"],
            window=given["window"] or None,
            maturity=maturity,
        )
        try:
            found = weekly.measure(dataset.read(now, maturity), now, recipe, told=self.follow)
        except (weekly.Unmeasurable, plans.Unreadable) as reason:
            raise CommandError(str(reason)) from None
        weekly.keep(by="command", version=version, found=found)
        if given["json"]:
            self.stdout.write(json.dumps({"version": version.number, **found}, indent=1))
            return
        self.stdout.write(f"{version}: {len(found['weeks'])} weeks, as its page shows them")
        for line in evaluated.lines(found):
            self.stdout.write(line)

    def follow(self, at: int, of: int, what: str) -> None:
        self.stderr.write(what)

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
