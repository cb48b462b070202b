"""What each family of features adds: the same training with and without it, on the same rows."""

from collections.abc import Callable, Iterable

import numpy as np
from django.db import transaction

from scoring import dataset
from scoring.dataset import Split
from scoring.engine import training as learning
from scoring.engine.evaluation import average_precision
from scoring.engine.families import FAMILIES
from scoring.engine.plan import Plan
from scoring.engine.register import NAMES
from scoring.models import Ablation

SEEDS = 3  # trainings that differ in their dice alone say what a difference is worth
Told = Callable[[str, float, float], None]


class Unmeasurable(Exception):
    """There are too few frauds to learn from or to measure on; the text says so."""


@transaction.atomic
def measure(
    part: Split,
    *,
    budget: float,
    families: Iterable[str] = FAMILIES,
    seeds: int = SEEDS,
    told: Told = lambda name, reached, spread: None,
) -> Ablation:
    """Train with everything and without each family; the means are kept as one row.

    `told` hears each result: the family ("" for everything), its mean average precision on the
    held-out rows and the standard deviation between the dice.
    """
    if part.test.frauds < 5 or part.train.frauds < learning.LEAST_FRAUDS:
        raise Unmeasurable(
            f"{part.train.frauds} known frauds to learn from and {part.test.frauds} held out: "
            f"{learning.LEAST_FRAUDS} and 5 are needed."
        )
    means: dict[str, float] = {}
    noise = 0.0
    for name in ("", *families):
        reached = [_reached(part, name, budget, learning_seed) for learning_seed in range(seeds)]
        means[name], spread = float(np.mean(reached)), float(np.std(reached))
        noise = noise if name else spread
        told(name, means[name], spread)
    whole = means.pop("")
    return Ablation.objects.create(
        rows=len(part.test),
        frauds=part.test.frauds,
        whole=round(whole, 5),
        noise=round(noise, 5),
        without={name: round(mean, 5) for name, mean in means.items()},
    )


def _reached(part: Split, family: str, budget: float, seed: int) -> float:
    left_out = FAMILIES[family].features if family else ()
    plan = Plan(tuple(name for name in NAMES if name not in left_out))
    bundle = learning.fit(
        part.train.vectors,
        part.train.labels,
        dataset.clock(part.train),
        budget=budget,
        seed=seed,
        plan=plan,
        known=dataset.outcomes(part.train).known,
    )
    return average_precision(part.test.labels, bundle.ensemble.score(part.test.vectors).margin)
