"""Each migration of a new release leaves the one before it at work; rules in `compatible.py`."""

import re
from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    ValidateConstraint,
)
from django.db import migrations, models
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ModelState, ProjectState

from tests.compatible import BUSY, faults

# What was there before the first release: no other version ever worked beside it.
BASELINE = {
    "accounts": "0008_rates_of_keys",
    "alerts": "0023_one_at_a_time",
    "anomalyshield": "0001_heartbeat",
    "audit": "0003_read_by_action",
    "cases": "0010_evidence_of_closed_cases_is_kept",
    "scoring": "0035_personal_marks_come_off_by_two_people",
}
HEADING = re.compile(r"^## \[?v?([\w.]+)", re.MULTILINE)
RELEASES = {"1.2"}  # for the toys


def changelog() -> set[str]:
    text = (Path(settings.BASE_DIR) / "CHANGELOG.md").read_text(encoding="utf-8")
    return set(HEADING.findall(text)) - {"Unreleased"}


def test_every_migration_leaves_the_release_before_it_at_work():
    loader = MigrationLoader(None)
    found = [
        words
        for (app, name), migration in sorted(loader.disk_migrations.items())
        if app in BASELINE and name > BASELINE[app]
        for words in faults(migration, loader.project_state((app, name), at_end=False), changelog())
    ]
    assert found == []


def test_the_baseline_and_the_busy_tables_are_there():
    there = MigrationLoader(None).disk_migrations
    assert set(BASELINE.items()) <= set(there)
    ours = {one.label for one in apps.get_app_configs() if Path(one.path).is_relative_to(
        settings.BASE_DIR) and ".venv" not in one.path}  # fmt: skip
    assert {app for app, _ in there if app in ours} == set(BASELINE)
    assert {model._meta.label_lower for model in apps.get_models()} >= BUSY


# --- toys: each breaks a rule, or keeps it --------------------------------------------------------
def tables() -> ProjectState:
    """Payments, and a small table, as they are before."""
    state = ProjectState()
    for name in ("Transaction", "Decision", "Small"):
        fields = [
            ("id", models.BigAutoField(primary_key=True)),
            ("name", models.CharField(max_length=9, null=True)),
            ("amount", models.IntegerField()),
            ("of", models.OneToOneField("scoring.Small", models.PROTECT)),
        ]
        state.add_model(ModelState("scoring", name, fields))
    return state


def judged(*steps: Any, **said: Any) -> list[str]:
    toy = type("Migration", (migrations.Migration,), {"operations": list(steps), **said})
    return faults(toy("0099_toy", "scoring"), tables(), RELEASES)


def add(field: models.Field, to: str = "transaction") -> migrations.AddField:
    return migrations.AddField(to, "more", field)


def alter(name: str, field: models.Field, of: str = "transaction") -> migrations.AlterField:
    return migrations.AlterField(of, name, field)


def nothing(*_: Any) -> None: ...


POSITIVE = models.CheckConstraint(condition=models.Q(amount__gt=0), name="positive")
INDEX = models.Index(fields=["name"], name="by_name")
NULLABLE = models.IntegerField(null=True)
STILL_USED, MAY_BREAK = "release before still uses it", "may not keep to it"
KEY = models.ForeignKey("scoring.Small", models.PROTECT, null=True)
BROKEN = [
    (migrations.RemoveField("transaction", "name"), STILL_USED),
    (migrations.DeleteModel("Small"), STILL_USED),
    (migrations.RenameField("small", "name", "title"), STILL_USED),
    (migrations.RenameModel("Small", "Tiny"), STILL_USED),
    (migrations.AlterModelTable("small", "tiny"), STILL_USED),
    (migrations.RunSQL("ALTER TABLE scoring_small DROP COLUMN name"), "uses what it takes away"),
    (migrations.RunSQL([("ALTER TABLE a RENAME TO b", None)]), "uses what it takes away"),
    (add(models.IntegerField(default=0), "small"), "inserts without it"),
    (alter("name", models.CharField(max_length=9), "small"), "still writes null"),
    (alter("name", models.CharField(max_length=8, null=True), "small"), "rewrites the table"),
    (alter("amount", models.BigIntegerField()), "from integer to bigint"),
    (alter("of", models.OneToOneField("scoring.Decision", models.PROTECT)), "key of scoring.dec"),
    (alter("name", models.CharField(max_length=9, null=True, unique=True), "small"), MAY_BREAK),
    (migrations.AddConstraint("small", POSITIVE), MAY_BREAK),
    (AddConstraintNotValid("small", POSITIVE), MAY_BREAK),
    (migrations.AlterUniqueTogether("small", {("name", "amount")}), MAY_BREAK),
    (migrations.RunSQL("ALTER TABLE a ALTER b SET NOT NULL"), MAY_BREAK),
    (migrations.RunSQL("ALTER TABLE a ALTER COLUMN b TYPE bigint"), MAY_BREAK),
    (migrations.AddIndex("transaction", INDEX), "AddIndexConcurrently"),
    (add(models.IntegerField(null=True, db_index=True)), "AddIndexConcurrently"),
    (add(KEY), "AddIndexConcurrently"),
    (alter("amount", models.IntegerField(db_index=True)), "AddIndexConcurrently"),
    (migrations.RunSQL("CREATE UNIQUE INDEX a ON b (c)"), "while the index is made"),
    (migrations.SeparateDatabaseAndState([migrations.DeleteModel("Small")]), STILL_USED),
]  # fmt: skip
KEPT = [
    add(NULLABLE),
    add(models.IntegerField(db_default=0)),
    add(models.ForeignKey(
        "scoring.Small", models.PROTECT, null=True, db_index=False, db_constraint=False
    )),
    add(models.ManyToManyField("scoring.Small")),
    alter("name", models.CharField(max_length=10, null=True)),
    alter("name", models.TextField(null=True)),
    alter("amount", models.IntegerField(null=True)),
    alter("of", models.OneToOneField("scoring.Small", models.CASCADE, db_constraint=False)),
    migrations.AddIndex("small", INDEX),
    migrations.CreateModel("New", [("id", models.BigAutoField(primary_key=True))]),
    migrations.RunSQL("CREATE INDEX CONCURRENTLY a ON b (c)"),
    migrations.RunSQL("CREATE OR REPLACE FUNCTION a() RETURNS trigger LANGUAGE plpgsql AS ''"),
    migrations.RunPython(nothing),
    migrations.SeparateDatabaseAndState(state_operations=[migrations.DeleteModel("Small")]),
]  # fmt: skip


@pytest.mark.parametrize("step, words", BROKEN, ids=lambda one: getattr(one, "describe", str)())
def test_what_the_release_before_does_not_survive_is_named(step: Any, words: str):
    [found] = judged(step)
    assert found.startswith("scoring.0099_toy: ")
    assert words in found


@pytest.mark.parametrize("step", KEPT, ids=lambda one: one.describe())
def test_what_it_survives_is_let_through(step: Any):
    assert judged(step) == []


def test_a_table_made_by_the_same_migration_is_nobodys_yet():
    made = migrations.CreateModel("New", [("id", models.BigAutoField(primary_key=True))])
    assert judged(made, add(models.IntegerField(default=0), "new")) == []


def test_what_nothing_uses_may_go_when_the_release_since_is_named():
    gone = migrations.RemoveField("transaction", "name")
    assert judged(gone, unused_since="1.2") == []
    assert judged(migrations.RunSQL("ALTER TABLE a DROP COLUMN b"), unused_since="1.2") == []
    [found] = judged(gone, unused_since="7")
    assert "'7' is no heading of CHANGELOG.md" in found


def test_a_constraint_that_nobody_can_break_is_said_to_be_one():
    one = migrations.AddConstraint("small", POSITIVE)
    assert judged(one, harmless_because="nobody ever wrote an amount below one") == []
    assert judged(one, harmless_because="trust me") != []


def test_two_busy_tables_are_not_locked_by_one_migration():
    [found] = judged(add(NULLABLE), add(NULLABLE, "decision"))
    assert "scoring.decision and scoring.transaction: holds the one and waits" in found
    [found] = judged(add(NULLABLE), migrations.RunSQL("ALTER TABLE scoring_decision ADD a int"))
    assert "holds the one and waits" in found


def test_rows_are_not_filled_while_their_table_is_locked():
    [found] = judged(add(NULLABLE), migrations.RunPython(nothing))
    assert "rows are written while the table is locked" in found
    assert judged(add(NULLABLE, "small"), migrations.RunPython(nothing)) == []


def test_what_may_end_half_done_is_only_what_is_made_beside_others():
    index = AddIndexConcurrently("transaction", INDEX)
    assert judged(index, ValidateConstraint("small", "positive"), atomic=False) == []
    [found] = judged(index, add(NULLABLE, "small"), atomic=False)
    assert "atomic = False may end half done" in found


def test_headings_of_the_changelog_are_its_releases():
    assert HEADING.findall("# Changelog\n\n## Unreleased\n\n## 1.2 (2027-01-01)\n") == [
        "Unreleased",
        "1.2",
    ]
