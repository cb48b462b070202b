"""For model owners: who decides now, whether its world has moved, what could be learnt."""

from typing import Any

from django.utils.timesince import timesince

from anomalyshield.accounts.models import User
from anomalyshield.dashboard.parts import LINES, Line, Panel, Tile, asked, count, model
from anomalyshield.navigation import address_of
from anomalyshield.templatetags.words import ago, percent
from scoring.engine.evaluation import population_stability
from scoring.engine.moving import in_words

LATEST = 5_000  # decisions
ENOUGH = 200  # decisions to say anything
SHIFT = """
SELECT least(width_bucket(risk_score, 0, 1, %(bars)s), %(bars)s), count(*),
       count(*) FILTER (WHERE reviewable), count(*) FILTER (WHERE degraded <> '')
FROM (SELECT risk_score, reviewable, degraded, model_id FROM scoring_decision
      ORDER BY id DESC LIMIT %(latest)s) AS latest
WHERE model_id = %(model)s GROUP BY 1
"""


def reigning() -> Any:
    return model("scoring.ModelVersion").objects.filter(state="CHAMPION").first()


def champion(user: User) -> Tile:
    best = reigning()
    if best is None:
        return Tile("Champion", "none", "train and promote one", address_of("models"), "bad")
    since = f"for {timesince(best.champion_since, depth=1)}" if best.champion_since else ""
    return Tile("Champion", str(best), since, address_of("model", best.pk) or address_of("models"))


def labels_waiting(user: User) -> Tile:
    """Labels that became known after the champion had learnt."""
    rows, best = model("scoring.Label").objects.all(), reigning()
    if best is not None:
        rows = rows.filter(known_at__gt=best.cutoff)
    hint = "known since the champion's cut-off"
    return Tile("Labels not learnt yet", count(rows), hint, address_of("models"))


def runs_under_way(user: User) -> Tile:
    runs = model("scoring.TrainingRun").objects.filter(state__in=["READY", "RUNNING", "WAITING"])
    last = model("scoring.TrainingRun").objects.first()
    hint = f"last asked {ago(last.asked_at)} ago" if last else "none so far"
    return Tile("Trainings under way", count(runs), hint, address_of("models"))


def drift(user: User) -> Panel:
    """Hints, no verdict: the champion's latest decisions beside what it was measured on."""
    best = reigning()
    if best is None:
        return Panel("Drift", "There is no champion to drift.")
    params = {"bars": len(_measured(best)) or 20, "latest": LATEST, "model": best.pk}
    found = asked(SHIFT, params)
    total = sum(row[1] for row in found)
    if total < ENOUGH:
        words = f"{total} decisions by {best} are too few to say; {ENOUGH} are enough."
        return Panel("Drift", words)
    lines = [*_scores(best, found), _share(best, found, total), _degraded(found, total)]
    note = f"its latest {total:,} decisions"
    return Panel("Drift", "", lines, address_of("model", best.pk), note=note)


def _measured(best: Any) -> list[int]:
    bars = (best.metrics.get("curves") or {}).get("histogram") or {}
    return [a + b for a, b in zip(bars.get("fraud", []), bars.get("legitimate", []), strict=True)]


def _scores(best: Any, found: list[tuple[Any, ...]]) -> list[Line]:
    """How far the distribution of scores has moved, where one was measured."""
    expected = _measured(best)
    if not sum(expected):
        return []
    now = [0] * len(expected)
    for bar, rows, *_ in found:
        now[max(bar, 1) - 1] += rows
    index = population_stability(expected, now)
    words = in_words(index)
    tone = {"moved much": "bad", "moved": "warn", "stable": "good"}[words]
    return [Line("Risk scores", "", f"stability index {index:.3f}", words, tone=tone)]


def _share(best: Any, found: list[tuple[Any, ...]], total: int) -> Line:
    share, budget = sum(row[2] for row in found) / total, float(best.metrics.get("budget") or 0)
    far = bool(budget) and not budget / 2 <= share <= budget * 2
    words = f"{percent(share, 2)} to people, budget {percent(budget, 2)}"
    aside, tone = ("far from it", "warn") if far else ("as planned", "good")
    return Line("Alert budget", "", words, aside, tone=tone)


def _degraded(found: list[tuple[Any, ...]], total: int) -> Line:
    bad = sum(row[3] for row in found)
    words = f"{bad:,} of {total:,} scores were not whole"
    return Line("Whole scores", "", words, "look" if bad else "all", tone="warn" if bad else "good")


def runs(user: User) -> Panel:
    lines = [
        Line(
            f"Run {run.pk}",
            address_of("run", run.pk),
            run.verdict or run.message,
            f"{ago(run.asked_at)} ago",
        )
        for run in model("scoring.TrainingRun").objects.all()[:LINES]
    ]
    return Panel("Trainings", "Nothing was trained yet.", lines, address_of("models"))


def versions(user: User) -> Panel:
    lines = [
        Line(str(version), address_of("model", version.pk), version.kind, version.state.lower())
        for version in model("scoring.ModelVersion").objects.all()[:LINES]
    ]
    return Panel("Models", "No model was trained yet.", lines, address_of("models"))
