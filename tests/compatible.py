"""What a migration may do to tables that the release before it still works on.

Old code and new code share the tables while a new version comes up, and again when it is taken
back. So tables only grow within a release; what nobody uses any more goes in a later one. A
migration may say two things about itself:

    unused_since = "1.2"        what it removes is used by no code since that release
    harmless_because = "…"      why what looks dangerous here is not, in a sentence
"""

import re
from collections.abc import Iterator
from typing import Any

from django.contrib.postgres.operations import (
    AddConstraintNotValid,
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.db import connection
from django.db.migrations import Migration, operations
from django.db.migrations.state import ProjectState
from django.db.models import NOT_PROVIDED, Field

# Written at every payment, or of a row for each: nobody can wait until these are read through.
BUSY = {
    "scoring.transaction", "scoring.decision", "scoring.snapshot", "scoring.shadowscore",
    "scoring.chunk", "scoring.label", "scoring.outboundevent", "scoring.idempotentrequest",
    "scoring.merchanthour", "alerts.alert", "alerts.alerthit", "alerts.profile",
    "audit.auditevent",
}  # fmt: skip
REMOVALS = (
    operations.RemoveField, operations.DeleteModel, operations.RenameField, operations.RenameModel,
    operations.AlterModelTable, operations.RemoveConstraint,
)  # fmt: skip
CONSTRAINTS = (
    operations.AddConstraint, AddConstraintNotValid, operations.AlterUniqueTogether,
)  # fmt: skip
BESIDE = (AddIndexConcurrently, RemoveIndexConcurrently, ValidateConstraint)
TAKES_AWAY = re.compile(r"\b(DROP\s+(TABLE|COLUMN)|RENAME\s+(TO|COLUMN|CONSTRAINT))\b", re.I)
STRICTER = re.compile(
    r"\b(SET\s+NOT\s+NULL|ADD\s+(CONSTRAINT|UNIQUE|CHECK|PRIMARY)"
    r"|ALTER\s+(COLUMN\s+)?\"?\w+\"?\s+(SET\s+DATA\s+)?TYPE)\b",
    re.I,
)
INDEX = re.compile(r"\bCREATE\s+(UNIQUE\s+)?INDEX\s+(?!CONCURRENTLY)", re.I)
ALTERED = re.compile(r"\bALTER\s+TABLE\s+(?:ONLY\s+)?\"?(\w+)", re.I)
LONG_ENOUGH = 20  # letters of a reason

REMOVED = (
    "{what}: the release before still uses it. Stop using it, and remove it in a later release"
    " that says `unused_since`."
)
NEVER = "unused_since = {since!r} is no heading of CHANGELOG.md."
UNFILLED = (
    "{what}: code of the release before inserts without it; make it nullable or `db_default`."
)
NARROWER = "{what}: code of the release before still writes null."
OTHER_TYPE = (
    "{what}: from {old} to {new} rewrites the table, and code of the release before writes the"
    " old type."
)
CONSTRAINT = (
    "{what}: rows and code of the release before may not keep to it; say `harmless_because` if"
    " they do."
)
LOCKED = (
    "{what}: nobody can write while the index of so large a table is made; use AddIndexConcurrently"
    " in a migration of its own (a field first without index, unique and foreign key)."
)
TWO = (
    "{what}: holds the one and waits for the other, as payments do in another order; one migration"
    " each."
)
FILLING = (
    "{what}: rows are written while the table is locked; fill them in a migration of their own."
)
HALF = "{what}: atomic = False may end half done; only what is made beside others may be so."
SQL = "RunSQL {what!r}: {why}; say `unused_since` or `harmless_because` if it is not so."


def faults(migration: Migration, before: ProjectState, releases: set[str]) -> list[str]:
    """Every rule it breaks, in a sentence each. `before` are the tables it finds, `releases` the
    versions that were released."""
    return [f"{migration}: {words}" for words in _faults(migration, before.clone(), releases)]


def _faults(migration: Migration, state: ProjectState, releases: set[str]) -> Iterator[str]:
    since = getattr(migration, "unused_since", None)
    if since is not None and since not in releases:
        yield NEVER.format(since=since)
    reasoned = len(getattr(migration, "harmless_because", "")) > LONG_ENOUGH
    app, fresh, touched = migration.app_label, set(), set()
    steps = list(_steps(migration.operations))
    for step in steps:
        if isinstance(step, operations.CreateModel):
            fresh.add(_model(app, step))
        elif isinstance(step, operations.RunSQL):
            yield from _of_sql(step, since, reasoned)
            touched |= {table.replace("_", ".", 1) for table in ALTERED.findall(_text(step))}
        elif (name := _model(app, step)) not in fresh:
            touched |= {name} if _alters(step) else set()
            yield from _of_step(step, name, app, state, since, reasoned)
        step.state_forwards(app, state)
    yield from _of_all(migration, steps, sorted(touched & BUSY), reasoned)


def _of_step(
    step: Any, name: str, app: str, state: ProjectState, since: str | None, reasoned: bool
) -> Iterator[str]:
    what = step.describe()
    if isinstance(step, REMOVALS) and not since:
        yield REMOVED.format(what=what)
    if isinstance(step, CONSTRAINTS) and not reasoned:
        yield CONSTRAINT.format(what=what)
    if isinstance(step, operations.AddIndex) and name in BUSY and not isinstance(step, BESIDE):
        yield LOCKED.format(what=what)
    if isinstance(step, operations.AddField):
        yield from _of_new(step.field, what, name)
    if isinstance(step, operations.AlterField):
        old = state.models[app, step.model_name_lower].fields[step.name]
        yield from _of_altered(old, step.field, what, name, reasoned)


def _of_new(field: Field, what: str, name: str) -> Iterator[str]:
    if field.many_to_many:
        return
    if not field.null and field.db_default is NOT_PROVIDED and not field.generated:
        yield UNFILLED.format(what=what)
    if name in BUSY and (_indexed(field) or getattr(field, "db_constraint", False)):
        yield LOCKED.format(what=what)


def _of_altered(old: Field, new: Field, what: str, name: str, reasoned: bool) -> Iterator[str]:
    if old.null and not new.null and not reasoned:
        yield NARROWER.format(what=what)
    if new.unique and not old.unique and not reasoned:
        yield CONSTRAINT.format(what=what)
    if name in BUSY and _indexed(new) and not _indexed(old):
        yield LOCKED.format(what=what)
    if not _takes_as_much(old, new) and not reasoned:
        yield OTHER_TYPE.format(what=what, old=_kind(old), new=_kind(new))


def _of_sql(step: operations.RunSQL, since: str | None, reasoned: bool) -> Iterator[str]:
    rules = [
        (TAKES_AWAY, "the release before still uses what it takes away", bool(since)),
        (STRICTER, "rows and code of the release before may not keep to it", False),
        (INDEX, "nobody can write while the index is made", False),
    ]
    for pattern, why, said in rules:
        if (found := pattern.search(_text(step))) and not said and not reasoned:
            yield SQL.format(what=found[0], why=why)


def _of_all(migration: Migration, steps: list[Any], busy: list[str], said: bool) -> Iterator[str]:
    fills = any(isinstance(step, operations.RunPython) for step in steps)
    if len(busy) > 1:
        yield TWO.format(what=" and ".join(busy))
    if fills and busy:
        yield FILLING.format(what=busy[0])
    if not migration.atomic and not said:
        for step in steps:
            if not isinstance(step, BESIDE):
                yield HALF.format(what=step.describe())


# --- of operations and fields ---------------------------------------------------------------------
def _steps(given: list[Any]) -> Iterator[Any]:
    """What is done to the database; what is only said of the models changes nothing there."""
    for step in given:
        if isinstance(step, operations.SeparateDatabaseAndState):
            yield from _steps(step.database_operations)
        else:
            yield step


def _model(app: str, step: Any) -> str:
    name = getattr(step, "model_name", None) or getattr(step, "name", None) or ""
    return f"{app}.{name.lower()}"


def _alters(step: Any) -> bool:
    """Does it lock the table against everybody?"""
    kinds = (operations.AddField, operations.AlterField, *REMOVALS, *CONSTRAINTS)
    return isinstance(step, kinds)


def _text(step: operations.RunSQL) -> str:
    given = [step.sql] if isinstance(step.sql, str) else step.sql
    return "\n".join(one if isinstance(one, str) else one[0] for one in given or [])


def _indexed(field: Field) -> bool:
    return bool(field.db_index or field.unique)


def _kind(field: Field) -> str:
    """Its type in PostgreSQL. A key's is that of a row of another table, by whose name it goes."""
    if field.is_relation:
        table = field.remote_field.model
        return f"key of {table if isinstance(table, str) else table._meta.label}".lower()
    return field.db_type(connection) or ""


def _takes_as_much(old: Field, new: Field) -> bool:
    """Is the column as it was, or a longer text? Neither rewrites the table."""
    was, now = _kind(old), _kind(new)
    if was == now or (was.startswith("varchar") and now == "text"):
        return True
    lengths = [re.fullmatch(r"varchar\((\d+)\)", kind) for kind in (was, now)]
    return all(lengths) and int(lengths[0][1]) <= int(lengths[1][1])  # type: ignore[index]
