"""The YAML of a feature pipeline: read as it is written elsewhere, and faulted by line."""

import pytest

from scoring import plans
from scoring.engine.families import FAMILIES
from scoring.engine.plan import Imputation, Plan, Scaling
from scoring.engine.register import NAMES

DOCUMENT = """\
transformations:
  - type: imputation
    strategy: mean
  - type: scaling
    method: standard
  - type: time_window_aggregation
    entity_key: user_id
    windows: ["1h", "24h", "7d"]
    aggregations: ["mean", "std", "count"]
"""
WITH_SETTINGS = """\
name: credit_card_features
transformations:
  - name: imputation
    config:
      strategy: mean
  - type: scaling
    params:
      method: standard
  - type: time_window_aggregation
    name: velocity
    config:
      entity_key: user_id
      windows: ["1h", "24h", "7d"]
      aggregations: ["mean", "std", "count"]
"""
SHORT = """\
transformations: [imputation: {strategy: mean}, scaling: {method: standard},
  time_window_aggregation: {entity_key: user_id, windows: ["1h","24h","7d"],
                            aggregations: ["mean","std","count"]}]
"""


def faults(text: str) -> list[tuple[int, str]]:
    with pytest.raises(plans.Unreadable) as refused:
        plans.read(text)
    return [(problem.line, problem.field) for problem in refused.value.problems]


@pytest.mark.parametrize("text", [DOCUMENT, WITH_SETTINGS, SHORT])
def test_the_promised_document_loads_verbatim(text):
    plan = plans.read(text)
    assert plan.steps == (Imputation("mean"), Scaling("standard"))
    windows = {name for name in plan.columns if name.startswith(("mean_", "std_", "transaction_"))}
    assert windows == {
        f"{kind}_{window}"
        for kind in ("mean_amount", "std_amount", "transaction_count")
        for window in ("1h", "24h", "7d")
    }
    assert not [name for name in plan.columns if "total_amount" in name or "max_amount" in name]
    assert {"amount", "new_device", "implied_speed_kmh"} <= set(plan.columns)


@pytest.mark.parametrize("said, meant", [("true", True), ("False", False)])
def test_an_imputation_may_keep_what_was_missing(said, meant):
    text = f"transformations:\n- imputation: {{strategy: knn, indicator: {said}}}\n"
    assert plans.read(text).steps == (Imputation("knn", indicator=meant),)


def test_without_steps_it_is_everything_as_it_is():
    assert plans.read("transformations: []") == Plan()
    assert plans.read("transformations: []").whole


def test_columns_stand_in_the_order_of_the_register():
    columns = plans.read(DOCUMENT).columns
    assert list(columns) == [name for name in NAMES if name in columns]


def test_families_and_features_are_left_out():
    text = "transformations:\n- drop: {families: [sharing], features: [hour]}\n"
    assert set(NAMES) - set(plans.read(text).columns) == {
        "hour", "device_distinct_users_24h", "device_distinct_users_30d",
        "device_distinct_cards_24h", "distinct_devices_30d",
    }  # fmt: skip


@pytest.mark.parametrize(
    "change, line, field",
    [
        (("strategy: mean", "strategy: nearest"), 3, "transformations[0].strategy"),
        (("strategy: mean", "strategy: [mean]"), 3, "transformations[0].strategy"),
        (("strategy: mean", "strategy: knn\n    indicator: 1"), 4, "transformations[0].indicator"),
        (("strategy: mean", "strategy: mean\n    k: 9"), 4, "transformations[0].k"),
        (("strategy: mean", "strategy: constant"), 2, "transformations[0].value"),
        (("method: standard", "metod: standard"), 4, "transformations[1].method"),
        (("type: scaling", "type: scailing"), 4, "transformations[1].type"),
        (("user_id", "country_id"), 7, "transformations[2].entity_key"),
        (('"24h"', '"25h"'), 8, "transformations[2].windows[1]"),
        (('"1h"', '"1m"'), 8, "transformations[2].windows"),
        (('["mean", "std", "count"]', "mean"), 9, "transformations[2].aggregations"),
        (('["mean", "std", "count"]', "[]"), 9, "transformations[2].aggregations"),
        (("transformations:", "transforms:"), 2, "document.transforms"),
        (("type: imputation", "type: pii_mask"), 2, "transformations[0]"),
    ],
)
def test_a_fault_is_named_with_its_line_and_field(change, line, field):
    assert (line, field) in faults(DOCUMENT.replace(*change))


def test_all_faults_are_told_at_once():
    text = DOCUMENT.replace("strategy: mean", "strategy: nearest").replace("standard", "std")
    assert [line for line, _ in faults(text)] == [3, 5]


@pytest.mark.parametrize(
    "text",
    ["", "- a", "a: [", "a: &x 1\nb: *x", "transformations: 3", "x" * 30_000, "[" * 5_000,
     "transformations:\n - 3", "transformations:\n- {}", "? [a]\n: b", "!!python/object:x {}",
     "transformations: []\ntransformations: []", "\x00", "a: 2026-99-99",
     "transformations:\n- drop: {}\n", "transformations: [imputation: mean]"],
)  # fmt: skip
def test_anything_else_is_refused_in_words(text):
    assert faults(text)


def test_a_step_is_for_the_families_and_features_it_names():
    text = "transformations:\n- scaling: {method: robust, families: [amount], features: [hour]}\n"
    (step,) = plans.read(text).steps
    assert step == Scaling("robust", ("amount", "amount_log", "hour"))
    for wrong in ("families: [no]", "features: []", "features: hour"):
        assert faults(f"transformations:\n- scaling: {{method: robust, {wrong}}}\n")


def test_a_pipeline_that_leaves_nothing_is_refused():
    every = ", ".join(FAMILIES)
    text = f"transformations:\n- drop: {{families: [{every}]}}\n"
    assert faults(text) == [(2, "transformations")]
