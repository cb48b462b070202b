"""The words of the engine's registers, which pages look up when they show them."""

from collections.abc import Iterator


def told() -> Iterator[tuple[str, str]]:
    """Each sentence with the file it stands in."""
    yield from _features()
    yield from _rules()
    yield from _suspicions()
    yield from _units()
    yield from _settings()
    yield from _presets()
    yield from _refusals()
    yield from _steps()
    yield from _detectors()
    yield from _countries()


def _features() -> Iterator[tuple[str, str]]:
    from scoring.engine.families import FAMILIES
    from scoring.engine.features import FEATURES

    for feature in FEATURES:
        for words in (feature.meaning, feature.phrase, feature.baseline_phrase):
            yield words, "scoring/engine/register.py"
    for family in FAMILIES.values():
        yield family.title, "scoring/engine/families.py"
        yield family.meaning, "scoring/engine/families.py"


def _rules() -> Iterator[tuple[str, str]]:
    from scoring.engine import lane, lists, rules

    for rule in (*lists.LIST_RULES, *rules.RULES, *lane.LANE_RULES):
        yield rule.meaning.split("\n\n")[0], "scoring/engine/rules.py"
        yield rule.title, "scoring/engine/rules.py"
    for named in rules.RULES:
        yield named.sentence, "scoring/engine/rules.py"
    yield lane.SENTENCE, "scoring/engine/lane.py"


def _suspicions() -> Iterator[tuple[str, str]]:
    from alerts.plays import ANY, PLAYS
    from alerts.typologies import SENTENCES

    for sentence in SENTENCES.values():
        yield sentence, "alerts/typologies.py"
    for play in (ANY, *PLAYS.values()):
        yield play.text, "alerts/plays.py"
        for step in play.steps:
            yield step, "alerts/plays.py"


def _units() -> Iterator[tuple[str, str]]:
    from scoring import retelling, ways

    for words in (*retelling.UNITS.values(), *sorted(retelling.SHARES), retelling.LISTED):
        yield words, "scoring/retelling.py"
    for words in (*ways.CHANGES, *ways.WAYS):
        yield words, "scoring/ways.py"


def _settings() -> Iterator[tuple[str, str]]:
    from scoring.connections import SETTINGS

    for setting in (one for some in SETTINGS.values() for one in some):
        for words in (setting.title, setting.help):
            yield words, "scoring/connections.py"


def _presets() -> Iterator[tuple[str, str]]:
    from scoring.engine.presets import PRESETS

    for preset in PRESETS:
        yield preset.title, "scoring/engine/presets.py"


def _refusals() -> Iterator[tuple[str, str]]:
    from scoring import refusals

    for phrase in refusals.PHRASES:
        yield phrase, "scoring/refusals.py"


def _steps() -> Iterator[tuple[str, str]]:
    from cases.report_steps import STEPS

    for step in STEPS.values():
        yield step.words, "cases/report_steps.py"


def _detectors() -> Iterator[tuple[str, str]]:
    from scoring.engine.detectors import DETECTORS

    for kind in DETECTORS:
        file = kind.module.replace(".", "/") + ".py"
        yield kind.title, "scoring/engine/detectors/__init__.py"
        yield kind.help, file


def _countries() -> Iterator[tuple[str, str]]:
    from scoring.engine import gazetteer

    for name in gazetteer.countries().values():
        yield name, "scoring/engine/places.tsv"
