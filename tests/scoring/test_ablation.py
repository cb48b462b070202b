"""What a family adds is measured by doing without it."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from scoring import ablation
from scoring.dataset import Dataset, Split
from scoring.engine.features import NAMES, column
from scoring.engine.transaction import EPOCH
from scoring.models import Ablation

pytestmark = pytest.mark.django_db


def rows_of(count: int, seed: int) -> Dataset:
    """Frauds come from devices that many share; nothing else tells them apart."""
    random = np.random.default_rng(seed)
    vectors = random.normal(size=(count, len(NAMES)))
    frauds = random.random(count) < 0.2
    shared = column("device_distinct_users_30d")
    vectors[:, shared] = np.where(frauds, 6.0, 1.0) + random.integers(0, 3, count)
    return Dataset(
        ids=np.arange(count),
        times=EPOCH.timestamp() + np.arange(count, dtype=float),
        users=np.zeros(count, np.int64),
        amounts=np.ones(count),
        vectors=vectors,
        labels=frauds.astype(float),
        reviewed=np.ones(count, bool),
    )


def part(train: int = 1_500) -> Split:
    now = datetime.now(UTC)
    return Split(rows_of(train, 1), rows_of(500, 2), 0, now, timedelta(0), 0.0)


@pytest.mark.usefixtures("quick_learning")
def test_doing_without_what_tells_frauds_costs_what_it_is_worth():
    heard: list[str] = []
    made = ablation.measure(
        part(),
        budget=0.05,
        families=["sharing", "channel"],
        seeds=1,
        told=lambda name, reached, spread: heard.append(name),
    )
    assert heard == ["", "sharing", "channel"]
    assert made.whole > 0.95
    assert made.without["sharing"] < 0.5
    assert made.without["channel"] == pytest.approx(made.whole, abs=0.03)
    assert Ablation.objects.get().frauds == made.frauds > 50


def test_with_too_few_frauds_nothing_is_claimed():
    with pytest.raises(ablation.Unmeasurable, match="200 and 5 are needed"):
        ablation.measure(part(100), budget=0.05)
    assert not Ablation.objects.exists()


def test_the_command_names_what_it_does_not_know_and_what_is_missing():
    with pytest.raises(CommandError, match="No family nonsense"):
        call_command("evaluate", "--ablation", "nonsense", stdout=StringIO())
    with pytest.raises(CommandError, match="are needed"):
        call_command("evaluate", "--ablation", stdout=StringIO())


def test_the_register_is_listed_and_counted():
    counted, listed = StringIO(), StringIO()
    call_command("features", "--count", stdout=counted)
    call_command("features", stdout=listed)
    assert int(counted.getvalue()) == len(NAMES) >= 40
    assert all(f"  {name} " in listed.getvalue() for name in NAMES)
