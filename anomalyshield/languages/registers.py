"""The words of the engine's registers, which pages look up when they show them."""

from collections.abc import Iterator


def told() -> Iterator[tuple[str, str]]:
    """Each sentence with the file it stands in."""
    yield from _features()
    yield from _rules()
    yield from _suspicions()
    yield from _units()


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
    from scoring import retelling

    for words in (*retelling.UNITS.values(), *sorted(retelling.SHARES), retelling.LISTED):
        yield words, "scoring/retelling.py"
