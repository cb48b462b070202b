"""What would have changed a decision: found by changing the payment, and true when tried."""

import numpy as np
import pytest

from scoring.engine.alternatives import (
    CHANGES,
    Try,
    actionable,
    alternatives,
    applied,
    own_past,
)
from scoring.engine.counterfactual import Search, reachable, search
from scoring.engine.decision import Level, Outcome, Policy, Verdict
from scoring.engine.features import FEATURES, NAMES, column, compute
from scoring.engine.history import EVENT, HOUR, History
from scoring.engine.scorer import Scorer
from scoring.engine.transaction import UNITS
from tests.engine.streams import DAY, START, crowd, event, stream

POLICY = Policy()


class Model:
    """A model that says what a test wants of a vector."""

    lane = None

    def __init__(self, score):
        self.score_of = score
        self.ensemble = self

    def score(self, vectors):
        from scoring.engine.ensemble import Scored

        risk = np.array([self.score_of(dict(zip(NAMES, row, strict=True))) for row in vectors])
        return Scored(risk.copy(), risk, None)


def habits(count: int = 20, **fields):
    """A user who pays about noon, 50 each time, with one device, at one merchant, in one place."""
    usual = {"device": 7, "card": 8, "merchant": 9, "category": 3, "place": 4, "country": 5,
             "lat": 10.0, "lon": 20.0, "units": 50 * UNITS, **fields}  # fmt: skip
    noon = START + 12 * HOUR
    return [event(**usual, time=noon - (count - n) * DAY) for n in range(count)]


def odd(**fields):
    """Its payment at three in the night, of 900, with another device, elsewhere."""
    given = {"device": 70, "card": 8, "merchant": 90, "category": 6, "place": 40, "country": 6,
             "lat": 50.0, "lon": 60.0, "units": 900 * UNITS, "online": 1.0, "channel": 1,
             "time": START + 21 * HOUR + DAY, **fields}  # fmt: skip
    return event(**given)


def asked(rows, model, policy=POLICY):
    """What is found of the last of these rows."""
    rows = stream(*rows)
    own, history = rows[-1:], History.of(rows)
    scorer = Scorer(model, policy)
    before = scorer.score(own, history).verdicts[0]
    singles = alternatives(own[0], own_past(own[0], history.by_user), policy, "EUR")
    [found] = search([Search(own, before, singles)], history, scorer)
    return found


def test_the_largest_amount_below_which_all_would_have_passed():
    found = asked([*habits(), odd()], Model(lambda v: 0.8 if v["amount"] > 420 else 0.2))
    assert found.state == "approved"
    assert [way.changes for way in found.ways] == [("amount",)]
    assert found.ways[0].sentence == (
        "With an amount of 400.00 EUR or less, it would have been approved: LOW, score 0.20."
    )


def test_an_amount_moves_everything_that_is_made_of_it():
    names = ("amount", "amount_log", "amount_over_mean_30d", "amount_over_median",
             "amount_over_max_30d", "amount_deviation", "card_amount_over_mean_30d")  # fmt: skip
    rows = stream(*habits(), odd())
    history = History.of(rows)
    less = applied(rows[-1:], [[{"units": 100 * UNITS}]])
    then, now = compute(rows[-1:], history)[0], compute(less, history)[0]
    assert now[column("amount")] == 100
    assert now[column("amount_over_median")] == 2
    assert all(now[column(name)] < then[column(name)] for name in names[:6])


@pytest.mark.parametrize(
    "moved, words",
    [
        (lambda v: v["new_device"] == 1, "From the device this customer uses most, it would"),
        (lambda v: v["new_merchant"] == 1, "At the merchant this customer pays most often, it"),
        (lambda v: v["location_distance_km"] > 100, "In the place where this customer pays most,"),
        (lambda v: v["is_online"] == 1, "In person instead of online, it would have been"),
        (lambda v: v["hour"] != 12, "Around 12:00, when this customer usually pays (9 hours"),
    ],
)
def test_one_change_that_is_enough_is_told(moved, words):
    rows = [*habits(), odd(time=START + DAY + 21 * HOUR)]
    found = asked(rows, Model(lambda v: 0.95 if moved(v) else 0.1))
    assert found.state == "approved"
    assert found.ways[0].sentence.startswith(words)
    assert all(len(way.changes) == 1 for way in found.ways)


def test_two_changes_are_told_only_where_none_is_enough():
    both = Model(lambda v: 0.4 + 0.24 * (v["new_device"] == 1) + 0.24 * (v["amount"] > 400))
    found = asked([*habits(), odd()], both)
    assert [way.changes for way in found.ways] == [("amount",), ("device",)]
    either = Model(lambda v: 0.8 if v["new_device"] == 1 or v["amount"] > 250 else 0.3)
    found = asked([*habits(), odd()], either)
    assert [way.changes for way in found.ways] == [("amount", "device")]
    assert " and from the device this customer uses most, it" in found.ways[0].sentence


def test_all_changes_together_are_the_last_resort():
    three = ("new_device", "new_merchant", "new_place")
    found = asked([*habits(), odd()], Model(lambda v: 0.8 if any(v[n] == 1 for n in three) else 0))
    assert found.state == "approved"
    assert set(found.ways[0].changes) >= {"device", "merchant", "place"}


def test_a_lower_level_is_told_where_nothing_lets_it_through():
    found = asked([*habits(), odd()], Model(lambda v: 0.95 if v["new_device"] == 1 else 0.8))
    assert found.state == "lower"
    assert found.ways[0].sentence == (
        "From the device this customer uses most, a person would still have to look: "
        "HIGH, score 0.80."
    )


def test_what_no_change_of_the_customers_moves_is_said():
    found = asked([*habits(), odd()], Model(lambda v: 0.95))
    assert (found.state, found.ways) == ("nothing", [])


def test_rules_decide_along():
    """The model sees nothing; the amount is above the limit of the rule."""
    found = asked([*habits(), odd(units=15_000 * UNITS)], Model(lambda v: 0.1))
    assert found.ways[0].sentence.startswith("With an amount of 10,000.00 EUR or less")


def test_an_amount_in_the_middle_of_bad_ones_is_no_way_out():
    odd_one = Model(lambda v: 0.2 if 290 < v["amount"] < 310 else 0.8)
    assert asked([*habits(), odd()], odd_one).state == "nothing"


def test_a_customer_without_a_past_has_only_the_payment_itself():
    found = asked([odd()], Model(lambda v: 0.8 if v["amount"] > 100 else 0.2))
    assert [way.changes for way in found.ways] == [("amount",)]
    assert "median" not in found.ways[0].sentence


def test_what_a_payment_already_has_is_not_proposed():
    usual = habits()
    rows = stream(*usual, event(device=7, card=8, merchant=9, category=3, place=4, country=5,
                                lat=10.0, lon=20.0, units=40 * UNITS,
                                time=START + DAY + 12 * HOUR))  # fmt: skip
    past = own_past(rows[-1], History.of(rows).by_user)
    assert alternatives(rows[-1], past, POLICY, "") == []


def test_the_past_of_a_payment_ends_before_it():
    rows = stream(*habits(40), odd(), event(time=START + 3 * DAY))
    past = own_past(rows[40], History.of(rows).by_user)
    assert past["time"].max() < rows[40]["time"]
    assert past["time"].min() > rows[40]["time"] - 30 * DAY


def test_every_event_that_is_tried_was_read_for():
    """A merchant's past is asked for by the hour: of each merchant at each time that is tried."""
    rows = stream(*habits(), odd())
    singles = alternatives(rows[-1], own_past(rows[-1], History.of(rows).by_user), POLICY, "")
    read = reachable([Search(rows[-1:], Verdict(Level.HIGH, Outcome.REVIEW), singles)])
    merchant, hour = (next(one for one in singles if one.change == name).fields
                      for name in ("merchant", "hour"))  # fmt: skip
    pairs = set(zip(read["merchant"].tolist(), read["time"].tolist(), strict=True))
    assert (merchant["merchant"], hour["time"]) in pairs
    assert (90, hour["time"]) in pairs


# --- the register
def test_a_change_moves_what_it_says_and_nothing_of_the_past():
    """Of a crowd, every field a change may set is set otherwise; nothing else may move."""
    rows = crowd(1_500, seed=8, days=30)
    history, own = History.of(rows), rows[-150:]
    before = compute(own, history)
    for change in CHANGES:
        if change.name == "hour":
            continue  # at another time all windows are others
        after = compute(_changed(own, change.name), history)
        same = (before == after) | (np.isnan(before) & np.isnan(after))
        moved = {NAMES[number] for number in np.flatnonzero(~same.all(axis=0))}
        meant = {feature.name for feature in FEATURES if change.moves(feature)}
        assert moved <= meant, (change.name, sorted(moved - meant))
        assert moved, change.name


def _changed(own, name):
    other = own.copy()
    fields = {
        "amount": {"units": 12_345_678},
        "device": {"device": 3}, "card": {"card": 3},
        "merchant": {"merchant": 5, "category": 3, "mcc": 0},
        "place": {"place": 9, "lat": 1.0, "lon": 2.0, "country": 77},
        "channel": {"online": 0.0, "channel": 3},
    }[name]  # fmt: skip
    for field, value in fields.items():
        other[field] = value
    return other


def test_a_customers_own_past_and_their_known_frauds_are_not_actionable():
    fixed = ("transaction_count_", "total_amount_", "mean_amount_", "std_amount_", "max_amount_")
    fixed += ("known_fraud_", "amount_back_", "minutes_back_", "history_days", "large_amount")
    for feature in FEATURES:
        if feature.name.startswith(fixed):
            assert actionable(feature) == (), feature.name
    assert all(any(change.moves(feature) for feature in FEATURES) for change in CHANGES)


def test_every_change_sets_fields_of_an_event():
    rows = stream(*habits(), odd())
    past = own_past(rows[-1], History.of(rows).by_user)
    tries = alternatives(rows[-1], past, POLICY, "EUR")
    assert {one.change for one in tries} == {c.name for c in CHANGES} - {"card"}
    assert all(set(one.fields) <= set(EVENT.names) for one in tries)
    assert all(isinstance(one, Try) and one.words for one in tries)


def test_what_is_found_on_a_learnt_model_holds_when_it_is_paid_like_that(cold, world):
    """On real vectors: the change is made by hand, and the scorer says the same."""
    scorer = Scorer(cold, POLICY)
    scores = scorer.score(world.events, world.history)
    worst = np.argsort(-scores.margin)[:20]
    searches = []
    for row in worst:
        own = world.events[row : row + 1]
        past = own_past(own[0], world.history.by_user)
        searches.append(Search(own, scores.verdicts[row], alternatives(own[0], past, POLICY, "")))
    found = search(searches, world.history, scorer)
    ways = 0
    for asked, result in zip(searches, found, strict=True):
        for way in result.ways:
            tried = next(t for t in asked.tried
                         if tuple(c.change for c in t.changes) == way.changes
                         and t.score == way.risk_score)  # fmt: skip
            paid = applied(asked.event, [[one.fields for one in tried.changes]])
            again = scorer.score(paid, world.history)
            assert float(again.risk_score[0]) == way.risk_score
            assert again.verdicts[0].outcome == way.outcome
            ways += way.outcome == Outcome.APPROVE
    assert ways > 5
