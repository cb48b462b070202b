"""What every typology promises: its mark, its sums, how long it lasts, whom it concerns."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest

from scoring.demo import frauds, honest, world
from scoring.demo.crime import THIEVES, Crime
from scoring.demo.honest import LONGITUDES
from scoring.demo.payments import NO_DEVICE, ORIGINS, Payment
from scoring.demo.places import TRADES
from scoring.demo.typologies import NAMES, REGISTER, typology

DAYS = 60.0
EPISODES = 80
Told = list[Payment]


@dataclass(frozen=True)
class Promise:
    """Of one typology: payments, amounts, days from first to last, and its mark without care."""

    payments: tuple[int, int]
    amounts: tuple[float, float]
    days: float
    mark: Callable[[Told, Crime], bool]
    customers: tuple[int, int] = (1, 1)


def trades(told: Told, crime: Crime) -> list[str]:
    return [TRADES[crime.world.trade_of[one.merchant]].name for one in told]


def card_present(told: Told) -> bool:
    return all(one.device == NO_DEVICE for one in told)


def tried_then_used(told: Told, crime: Crime) -> bool:
    *tries, last = told
    quick = tries[-1].day - tries[0].day < 1 / 24
    return quick and len(tries) >= 4 and max(one.amount for one in tries) <= 6 < last.amount


def far_and_online(told: Told, crime: Crime) -> bool:
    return all(one.place != crime.place and one.device != NO_DEVICE for one in told)


def an_ocean_in_two_hours(told: Told, crime: Crime) -> bool:
    return told[0].place != crime.place and told[0].day - crime.day < 2.01 / 24


def in_and_out(told: Told, crime: Crime) -> bool:
    kinds = np.array(trades(told, crime)) == "wallet top-up"
    amounts = np.array([one.amount for one in told])
    return 0.8 < amounts[~kinds].sum() / amounts[kinds].sum() < 1


def one_shop_round_sums(told: Told, crime: Crime) -> bool:
    whole = all(one.amount % 50 == 0 for one in told)
    return len({one.merchant for one in told}) == 1 and whole


def just_below_the_limit(told: Told, crime: Crime) -> bool:
    return set(trades(told, crime)) == {"cash deposit"} and sum(p.amount for p in told) > 20_000


def own_name_own_phone(told: Told, crime: Crime) -> bool:
    return all(one.device < THIEVES and one.place == crime.place for one in told)


def spent_nearby(told: Told, crime: Crime) -> bool:
    return card_present(told) and {one.place for one in told} == {crime.place}


PROMISES = {
    "STOLEN_CARD": Promise((3, 6), (1, 40_000), 2.5, spent_nearby),
    "CARD_TESTING": Promise((5, 9), (0.4, 600), 0.8, tried_then_used),
    "ACCOUNT_TAKEOVER": Promise((2, 4), (10, 6_000), 0.5, far_and_online),
    "IMPOSSIBLE_TRAVEL": Promise((2, 4), (1, 40_000), 0.6, an_ocean_in_two_hours),
    "MULE": Promise((2, 5), (100, 26_500), 6, in_and_out),
    "MERCHANT_COLLUSION": Promise((2, 9), (60, 2_600), 5, one_shop_round_sums, (2, 9)),
    "STRUCTURING": Promise((3, 6), (1_800, 9_850), 6, just_below_the_limit),
    "BUST_OUT": Promise((4, 8), (1, 9_900), 14, own_name_own_phone),
}


@pytest.fixture(scope="module")
def setting():
    rng = np.random.default_rng(3)
    people = world.build(rng, DAYS, 8_000)
    return people, honest.payments(rng, people, 8_000, 0)


def episodes(setting, kind, careful: float) -> list[tuple[Crime, Told]]:
    rng = np.random.default_rng(5)
    crimes = [Crime(rng, *setting, careful) for _ in range(EPISODES)]
    return [(crime, sorted(kind.tell(crime))) for crime in crimes]


def test_every_typology_has_a_promise_here_and_a_sentence():
    assert set(PROMISES) == set(NAMES)
    for kind in REGISTER:
        assert kind.meaning.endswith(".")
        assert 0 < kind.share < 1
        assert 0 < kind.careful < 1


@pytest.mark.parametrize("careful", [0.0, 9.0])
@pytest.mark.parametrize("kind", REGISTER, ids=NAMES)
def test_a_typology_keeps_its_promise(setting, kind, careful):
    promise = PROMISES[kind.name]
    for _, told in episodes(setting, kind, careful):
        assert promise.payments[0] <= len(told) <= promise.payments[1]
        assert told[-1].day - told[0].day <= promise.days
        assert promise.amounts[0] <= min(one.amount for one in told)
        assert max(one.amount for one in told) <= promise.amounts[1]
        people = len({one.customer for one in told})
        assert promise.customers[0] <= people <= promise.customers[1]


@pytest.mark.parametrize("kind", REGISTER, ids=NAMES)
def test_its_mark_is_plain_without_care(setting, kind):
    marked = [PROMISES[kind.name].mark(told, crime) for crime, told in episodes(setting, kind, 0)]
    assert np.mean(marked) > 0.95


@pytest.mark.parametrize("name", ["CARD_TESTING", "ACCOUNT_TAKEOVER", "STRUCTURING"])
def test_who_takes_care_hides_the_mark(setting, name):
    kind = typology(name)
    marked = [PROMISES[name].mark(told, crime) for crime, told in episodes(setting, kind, 9)]
    assert np.mean(marked) < 0.35


def test_a_gangs_phone_is_seen_with_several_victims(setting):
    kind = typology("account_takeover")
    seen: dict[int, set[int]] = {}
    for crime, told in episodes(setting, kind, 0.0):
        for one in told:
            seen.setdefault(one.device, set()).add(crime.victim)
    assert max(len(victims) for phone, victims in seen.items() if phone >= THIEVES) >= 3


def test_late_kinds_come_late_and_thieves_learn(setting):
    made = frauds.payments(np.random.default_rng(1), *setting, 3_000)
    late = next(kind for kind in REGISTER if kind.since)
    own = made.typology == REGISTER.index(late) + 1
    assert own.any()
    assert made.day[own].min() > (late.since - 0.02) * DAYS
    assert made.careful[made.day > 40].mean() > made.careful[made.day < 20].mean() + 0.05


def test_each_origin_is_late_in_its_own_way(setting):
    made = frauds.payments(np.random.default_rng(1), *setting, 3_000)
    last = {number: made.day[made.episode == number].max() for number in set(made.episode.tolist())}
    ends = np.array([last[number] for number in made.episode.tolist()])
    middle = {
        name: float(np.median((made.reported - ends)[made.origin == number]))
        for number, name in enumerate(ORIGINS)
        if name
    }
    assert 12 < middle["chargeback"] < 21  # weeks
    assert 1.5 < middle["customer"] < 4  # days
    assert 2 / 24 < middle["analyst"] < 10 / 24  # hours
    assert 0.01 < np.isnan(made.reported).mean() < 0.06, "some are never reported"


def test_an_unknown_scenario_names_those_there_are():
    with pytest.raises(KeyError, match="card_testing"):
        typology("phishing")


def test_the_clocks_of_a_place_follow_its_longitude(setting):
    crime = Crime(np.random.default_rng(1), *setting, 0.5)
    noon = crime.at_hour(10.7, 12, 5)
    assert noon == pytest.approx(10 + (12 - LONGITUDES[5] / 15) / 24)
