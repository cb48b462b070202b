"""The lists in the engine: whom they meet, what they decide, and what they never override."""

import numpy as np
import pytest

from scoring.engine.decision import ALLOW, DENY, Hit, Policy, decide, heeded
from scoring.engine.history import EVENT, History
from scoring.engine.keys import entity_key, folded_key
from scoring.engine.lists import ENTITIES, Entry, Lists
from scoring.engine.scorer import Scorer

POLICY = Policy()


def events(count: int = 3) -> np.ndarray:
    made = np.zeros(count, EVENT)
    made["id"] = np.arange(1, count + 1)
    for entity in ENTITIES:
        made[entity] = [entity_key(f"{entity} {n}") for n in range(count)]
    return made


def entry(number: int, code: str, entity: str, text: str) -> Entry:
    key = folded_key(text) if entity == "merchant" else entity_key(text)
    return Entry(number, code, entity, key)


def met(*entries: Entry, rows: np.ndarray | None = None) -> list[list[tuple[str, float]]]:
    found = Lists(entries).hits(events() if rows is None else rows)
    return [[(hit.code, hit.observed) for hit in hits] for hits in found]


@pytest.mark.parametrize("entity", ENTITIES)
@pytest.mark.parametrize("code", [DENY, ALLOW])
def test_an_entry_meets_its_entity_and_nobody_else(code, entity):
    text = "merchant 1" if entity == "merchant" else f"{entity} 1"
    assert met(entry(7, code, entity, text)) == [[], [(code, 7.0)], []]


def test_a_key_of_one_entity_is_not_that_of_another():
    assert met(entry(1, DENY, "card", "user 1")) == [[], [], []]


def test_none_is_nobody():
    rows = np.zeros(2, EVENT)
    assert met(Entry(1, DENY, "card", 0), rows=rows) == [[], []]
    assert met(entry(1, DENY, "card", "x"), rows=rows) == [[], []]


def test_the_deny_list_comes_first_and_all_that_are_met_are_named():
    listed = [
        entry(1, ALLOW, "user", "user 0"),
        entry(2, DENY, "card", "card 0"),
        entry(3, DENY, "device", "device 0"),
    ]
    assert met(*listed)[0] == [(DENY, 2.0), (DENY, 3.0), (ALLOW, 1.0)]


def test_many_entries_are_found_like_few():
    chance = np.random.default_rng(5)
    listed = [Entry(n, DENY, "user", int(k)) for n, k in enumerate(chance.integers(1, 10**6, 900))]
    rows = np.zeros(4000, EVENT)
    rows["user"] = chance.integers(1, 10**6, 4000)
    keys = {one.key for one in listed}
    found = [bool(hits) for hits in Lists(listed).hits(rows)]
    assert found == [int(key) in keys for key in rows["user"]]
    assert any(found)


def test_the_sentence_says_which_entry_and_nothing_of_the_person():
    [hit] = Lists([entry(12, DENY, "card", "card 0")]).hits(events(1))[0]
    assert hit.sentence == "This card is on the deny list, entry L-12."


# --- the table ------------------------------------------------------------------------------------
def verdict(score, *codes: str, amount: float = 10, degraded: str = "") -> tuple[str, str]:
    hits = [Hit(code, "…", 1, 0) for code in codes]
    found = decide(score=score, hits=hits, amount=amount, policy=POLICY, degraded=degraded)
    return str(found.level), str(found.outcome)


@pytest.mark.parametrize("score", [0.0, 0.5, 0.8, 0.95, None, float("nan")])
@pytest.mark.parametrize("others", [(), (ALLOW,), ("HIGH_AMOUNT",)])
@pytest.mark.parametrize("degraded", ["", "boosting: failed"])
def test_denied_is_blocked_whatever_else(score, others, degraded):
    assert verdict(score, DENY, *others, degraded=degraded) == ("CRITICAL", "BLOCK")


def test_allowed_is_not_reviewed_for_a_score_alone():
    assert verdict(0.8) == ("HIGH", "REVIEW")
    assert verdict(0.8, ALLOW) == ("MEDIUM", "APPROVE")
    assert verdict(0.8, ALLOW, "UNUSUAL_HOUR") == ("MEDIUM", "APPROVE")


@pytest.mark.parametrize(
    "score, codes, amount, degraded, outcome",
    [
        (0.95, (ALLOW,), 10, "", "BLOCK"),
        (0.8, (ALLOW, "HIGH_AMOUNT"), 10, "", "REVIEW"),
        (0.2, (ALLOW, "VELOCITY_MULTI_CITY"), 10, "", "REVIEW"),
        (0.8, (ALLOW,), 10_000, "", "BLOCK"),
        (0.8, (ALLOW,), 10, "boosting: failed", "REVIEW"),
        (None, (ALLOW,), 10, "", "REVIEW"),
        (0.8, (ALLOW, DENY), 10, "", "BLOCK"),
    ],
)
def test_allowed_overrides_nothing_else(score, codes, amount, degraded, outcome):
    assert verdict(score, *codes, amount=amount, degraded=degraded)[1] == outcome


def test_a_code_met_twice_is_one_reason():
    hits = [Hit(DENY, "a card", 1, 0), Hit(DENY, "a device", 2, 0)]
    assert decide(score=0.1, hits=hits, amount=1, policy=POLICY).reason_codes == [DENY]


@pytest.mark.parametrize(
    "score, others, kept",
    [
        (0.2, (), False),
        (0.7, ("UNUSUAL_HOUR",), False),
        (0.71, (), True),
        (0.2, ("HIGH_AMOUNT",), True),
        (0.2, (DENY,), True),
        (float("nan"), (), True),
    ],
)
def test_an_allow_entry_is_on_record_where_it_says_something(score, others, kept):
    hits = [Hit(code, "…", 1, 0) for code in (*others, ALLOW)]
    assert (ALLOW in {hit.code for hit in heeded(hits, score, POLICY)}) == kept


# --- the scorer -----------------------------------------------------------------------------------
def test_without_a_model_and_without_features_the_deny_list_still_blocks(monkeypatch):
    monkeypatch.setattr("scoring.engine.rules.RULES", [None])
    lists = Lists([entry(1, DENY, "user", "user 1")])
    scores = Scorer(None, POLICY, lists).score(events(), History.none())
    assert [str(one.outcome) for one in scores.verdicts] == ["REVIEW", "BLOCK", "REVIEW"]


def test_lists_that_meet_nobody_change_not_a_bit(bundle, world):
    lists = Lists([entry(1, DENY, "user", "nobody here"), entry(2, ALLOW, "card", "nor here")])
    plain = Scorer(bundle, POLICY).score(world.events, world.history)
    listed = Scorer(bundle, POLICY, lists).score(world.events, world.history)
    assert listed.verdicts == plain.verdicts
    assert listed.hits == plain.hits
    assert listed.risk_score.tobytes() == plain.risk_score.tobytes()
