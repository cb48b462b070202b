"""What an alert costs to explain: contributions, sentences, what would have changed it, a second
opinion; and shap.

python -m benchmarks.explain [--alerts 200]
"""

import argparse
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from benchmarks.peers import explainer_of, shap_values
from benchmarks.stack import installation
from scoring.engine.detectors.shapley import shares
from scoring.engine.detectors.trees import Trees

TOGETHER = 50  # as a worker takes them
GOAL = 3.0


def milliseconds(work: Callable[[Any], object], given: list[Any], share: int = 1) -> list[float]:
    """Per alert, of each piece of what is given; each piece holds `share` alerts."""
    spent = []
    for one in given:
        start = time.perf_counter()
        work(one)
        spent.append(1e3 * (time.perf_counter() - start) / share)
    return sorted(spent)


def told(what: str, spent: list[float]) -> None:
    slowest = spent[int(len(spent) * 0.99)]
    print(f"{what:<54}{median(spent):>9.2f} ms median{slowest:>9.2f} p99", flush=True)


def explained_decisions(count: int) -> tuple[Any, list[Any]]:
    """The champion, and the latest decisions that a person reads."""
    from scoring import explaining
    from scoring.models import Decision, ModelVersion

    champion = ModelVersion.objects.get(state=ModelVersion.State.CHAMPION)
    rows = Decision.objects.filter(reviewable=True, degraded="").select_related("policy")
    found = list(rows.order_by("-pk")[:count])
    return explaining.bundle_of(champion), found


def measure(count: int) -> None:
    from scoring import counterfactuals, explaining
    from scoring.engine import explanation
    from scoring.engine.features import widened

    bundle, decisions = explained_decisions(count)
    stored = explaining.stored_vectors(decisions)
    vectors = np.array([widened(stored[one.pk]) for one in decisions])
    made = explanation.explain(bundle, vectors)  # compiled
    rows = [vectors[place : place + 1] for place in range(len(vectors))]
    blocks = [vectors[at : at + TOGETHER] for at in range(0, len(vectors), TOGETHER)]
    blocks = [block for block in blocks if len(block) == TOGETHER] or [vectors]
    names = ", ".join(one.name for one in bundle.ensemble.members if one.weight)
    print(f"{len(decisions)} alerts, {bundle.kind} model of {names}")
    told("contributions, one by one", milliseconds(lambda r: explanation.explain(bundle, r), rows))
    together = milliseconds(lambda b: explanation.explain(bundle, b), blocks, len(blocks[0]))
    told(f"contributions, {len(blocks[0])} together", together)
    worded = list(zip(vectors, made.values, strict=True))
    told("sentences", milliseconds(lambda one: explanation.sentences(*one), worded))
    asked = list(zip(decisions, vectors, made.values, strict=True))
    counterfactuals.found(asked[:1], bundle)
    told(
        "what would have changed it, one by one",
        milliseconds(lambda one: counterfactuals.found([one], bundle), asked),
    )
    parts = [asked[at : at + TOGETHER] for at in range(0, len(asked), TOGETHER)]
    parts = [part for part in parts if len(part) == TOGETHER] or [asked]
    told(
        f"what would have changed it, {len(parts[0])} together",
        milliseconds(lambda part: counterfactuals.found(part, bundle), parts, len(parts[0])),
    )
    in_the_worker(len(decisions))
    in_a_second_opinion(vectors[:TOGETHER])
    beside_shap(bundle, vectors)


def in_the_worker(count: int) -> None:
    """All of it as a worker does it, from the claim to the commit."""
    from django.db.models.functions import Now

    from scoring.models import Explanation
    from scoring.tasks import do_next, work_named

    work = work_named("explanation")
    for name, size in ((f"the whole in a worker, {TOGETHER} together", TOGETHER), ("alone", 1)):
        wanted = list(Explanation.objects.order_by("-pk").values_list("pk", flat=True)[:count])
        steps = [wanted[at : at + size] for at in range(0, len(wanted), size)]
        steps = [step for step in steps if len(step) == size][: 60 if size == 1 else None]
        spent = []
        for step in steps:
            again = Explanation.objects.filter(pk__in=step)
            again.update(state="READY", attempts=0, due_at=Now(), lease_token=None)
            spent += milliseconds(lambda _: do_next(work), [None], len(step))
        if spent:
            told(name if size > 1 else "the whole in a worker, alone", sorted(spent))
    print(f"goal: {GOAL} ms per alert")


def in_a_second_opinion(vectors: np.ndarray) -> None:
    """A second method beside the latest version that kept how its training values lay."""
    from scoring import explaining
    from scoring.engine import explanation, surrogate
    from scoring.models import FeatureDrift

    kept = FeatureDrift.objects.select_related("version").latest("version_id")
    bundle = explaining.bundle_of(kept.version)
    values = explanation.explain(bundle, vectors).values
    pairs = zip(vectors, values, strict=True)
    asked = [(*pair, kept.reference, str(place)) for place, pair in enumerate(pairs)]

    def ask(one: tuple[Any, ...]) -> object:
        return surrogate.opinion(bundle.ensemble, *one)

    ask(asked[0])
    told(f"a second opinion on request, {bundle.kind} model", milliseconds(ask, asked))


def beside_shap(bundle: Any, vectors: np.ndarray) -> None:
    """shap.TreeExplainer on the same trees, and how far it is from ours."""
    for member in bundle.ensemble.members:
        trees = getattr(member.detector, "trees", None)
        if trees is not None and member.weight:
            beside(member.name, trees, vectors[:TOGETHER])


def beside(name: str, trees: Trees, some: np.ndarray) -> None:
    explainer = explainer_of(trees)
    theirs = milliseconds(lambda rows: shap_values(explainer, rows), [some] * 3, len(some))[0]
    own = milliseconds(lambda rows: shares(trees, rows), [some] * 3, len(some))[0]
    apart = np.abs(shap_values(explainer, some) - shares(trees, some)[1]).max()
    print(f"{name}: shap.TreeExplainer {theirs:.2f} ms an alert, ours {own:.2f}", end="")
    print(f" ({theirs / own:.1f} ×); they differ by at most {apart:.1g}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alerts", type=int, default=200)
    count = parser.parse_args().alerts
    with installation():
        measure(count)


if __name__ == "__main__":
    main()
