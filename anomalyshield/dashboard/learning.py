"""For model owners: who decides now, whether its world has moved, what could be learnt."""

from typing import Any

from django.utils.html import format_html
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from anomalyshield.accounts.models import User
from anomalyshield.dashboard.parts import LINES, Line, Panel, Tile, elapsed, model, some, upto
from anomalyshield.navigation import address_of
from anomalyshield.templatetags.words import ago_shown, dated, figure, percent, within
from anomalyshield.together import Part, Sql, first
from scoring import kept
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
    return model("scoring.ModelVersion").objects.filter(state="CHAMPION")[:1]


def champion(user: User) -> Part[Tile]:
    best = first((yield reigning()))
    if best is None:
        hint = _("train and promote one")
        return Tile(_("Champion"), _("none yet"), hint, address_of("models"), "bad")
    since = (
        format_html(
            _("for {timesince}"),
            timesince=dated(timesince(best.champion_since, depth=1), best.champion_since),
        )
        if best.champion_since
        else ""
    )
    return Tile(
        _("Champion"), str(best), since, address_of("model", best.pk) or address_of("models")
    )


def labels_waiting(user: User) -> Part[Tile]:
    """Labels that became known after the champion had learnt."""
    rows, best = model("scoring.Label").objects.all(), first((yield reigning()))
    if best is not None:
        rows = rows.filter(known_at__gt=best.cutoff)
    found = yield some(rows)
    hint = _("known since the champion's cut-off")
    return Tile(_("Labels not learnt yet"), upto(found), hint, address_of("models"))


def runs_under_way(user: User) -> Part[Tile]:
    runs = model("scoring.TrainingRun").objects
    waiting, asked = yield (
        some(runs.filter(state__in=["READY", "RUNNING", "WAITING"])),
        runs.all()[:1],
    )
    last = first(asked)
    hint = (
        format_html(_("last asked {asked_at} ago"), asked_at=ago_shown(last.asked_at))
        if last
        else _("none so far")
    )
    return Tile(_("Trainings under way"), upto(waiting), hint, address_of("models"))


def drift(user: User) -> Part[Panel]:
    """Hints, no verdict: the champion's latest decisions beside what it was measured on."""
    best = first((yield reigning()))
    if best is None:
        return Panel(_("Drift"), _("There is no champion to drift."))
    params = {"bars": len(_measured(best)) or 20, "latest": LATEST, "model": best.pk}
    found = yield Sql(SHIFT, params)
    total = sum(row[1] for row in found)
    if total < ENOUGH:
        words = _("{total} decisions by {best} are too few to say; {enough} are enough.").format(
            total=total, best=best, enough=ENOUGH
        )
        return Panel(_("Drift"), words)
    lines = [*_scores(best, found), _share(best, found, total), _degraded(found, total)]
    note = _("its latest {total} decisions").format(total=figure(f"{total:,}"))
    return Panel(_("Drift"), "", lines, address_of("model", best.pk), note=note)


def _measured(best: Any) -> list[int]:
    bars = (best.metrics.get("curves") or {}).get("histogram") or {}
    return [a + b for a, b in zip(bars.get("fraud", []), bars.get("legitimate", []), strict=True)]


def _scores(best: Any, found: list[tuple[Any, ...]]) -> list[Line]:
    """How far the distribution of scores has moved, where one was measured."""
    expected = _measured(best)
    if not sum(expected):
        return []
    now = [0] * len(expected)
    for bar, rows, *_unused in found:
        now[max(bar, 1) - 1] += rows
    index = population_stability(expected, now)
    words = in_words(index)
    tone = {"moved much": "bad", "moved": "warn", "stable": "good"}[words]
    return [
        Line(
            _("Risk scores"),
            "",
            _("stability index {index}").format(index=figure(f"{index:.3f}")),
            words,
            tone=tone,
        )
    ]


def _share(best: Any, found: list[tuple[Any, ...]], total: int) -> Line:
    share, budget = sum(row[2] for row in found) / total, float(best.metrics.get("budget") or 0)
    far = bool(budget) and not budget / 2 <= share <= budget * 2
    words = _("{share} to people, budget {budget}").format(
        share=percent(share, 2), budget=percent(budget, 2)
    )
    aside, tone = (_("far from it"), "warn") if far else (_("as planned"), "good")
    return Line(_("Alert budget"), "", words, aside, tone=tone)


def _degraded(found: list[tuple[Any, ...]], total: int) -> Line:
    bad = sum(row[3] for row in found)
    words = _("{bad} of {total} scores were not whole").format(
        bad=figure(f"{bad:,}"), total=figure(f"{total:,}")
    )
    return Line(
        _("Whole scores"), "", words, "look" if bad else "all", tone="warn" if bad else "good"
    )


def runs(user: User) -> Part[Panel]:
    found = yield model("scoring.TrainingRun").objects.all()[:LINES]
    lines = [
        Line(
            _("Run {pk}").format(pk=run.pk),
            address_of("run", run.pk),
            kept.told(run.verdict or run.message),
            elapsed(run.asked_at),
        )
        for run in found
    ]
    return Panel(_("Trainings"), _("Nothing was trained yet."), lines, address_of("models"))


def versions(user: User) -> Part[Panel]:
    found = yield model("scoring.ModelVersion").objects.all()[:LINES]
    lines = [
        Line(
            str(version),
            address_of("model", version.pk),
            _("Without labels") if version.kind == "cold" else _("From labels"),
            within(version.get_state_display()),
        )
        for version in found
    ]
    return Panel(_("Models"), _("No model was trained yet."), lines, address_of("models"))
