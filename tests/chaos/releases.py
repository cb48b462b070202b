"""Folders with another release of this code: the one before the last change of tables, and a next
one that adds whatever a release may add."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.db.migrations.loader import MigrationLoader
from django.db.models import CharField

from tests.chaos.stack import PROJECT
from tests.compatible import BUSY

NOT_CODE = (".git", ".venv", "var", "__pycache__", ".*_cache", ".hypothesis", "node_modules")
FIRST = 9001  # the number of the first migration of the next release
TEXT = '''"""What the next release brings."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = {atomic}
    harmless_because = "what grows here is only the length of texts"
    dependencies = [({app!r}, {after!r})]
    operations = [{step}]
'''
NULLABLE = "migrations.AddField({model!r}, 'of_next', models.TextField(null=True))"
FILLED = "migrations.AddField({model!r}, 'of_next', models.IntegerField(db_default=7))"
LONGER = "migrations.RunSQL('ALTER TABLE {table} {each}')"
TABLE = (
    "migrations.CreateModel('OfNext', [('id', models.BigAutoField(primary_key=True)),"
    " ('transaction', models.ForeignKey('scoring.Transaction', models.PROTECT))])"
)
INDEX = "AddIndexConcurrently('transaction', models.Index(fields=['-event_time'], name='of_next'))"


def next_release(folder: Path) -> Path:
    """A copy of this code whose tables grow: each by a column, texts by a letter, and one anew."""
    code = folder / "next"
    shutil.copytree(PROJECT, code, ignore=shutil.ignore_patterns(*NOT_CODE))
    after = dict(MigrationLoader(None).graph.leaf_nodes())
    for number, (app, step) in enumerate(steps(), FIRST):
        package = code / Path(apps.get_app_config(app).path).relative_to(PROJECT) / "migrations"
        atomic = not step.startswith("AddIndexC")
        text = TEXT.format(atomic=atomic, app=app, after=after[app], step=step)
        after[app] = f"{number}_of_next"
        (package / f"{after[app]}.py").write_text(text)
    return code


def steps() -> Iterator[tuple[str, str]]:
    """An app and an operation, a migration each."""
    for model in apps.get_models():
        meta = model._meta
        if (
            not Path(meta.app_config.path).is_relative_to(PROJECT)
            or ".venv" in meta.app_config.path
        ):
            continue
        column = NULLABLE if meta.label_lower == "scoring.transaction" else FILLED
        yield meta.app_label, column.format(model=meta.model_name)
        texts = [field for field in meta.local_fields if type(field) is CharField]
        # Not those of the trail: its triggers name its columns, which then keep their types.
        if meta.label_lower in BUSY and meta.app_label != "audit" and texts:
            each = ", ".join(
                f"ALTER COLUMN {field.column} TYPE varchar({field.max_length + 1})"
                for field in texts
            )
            yield meta.app_label, LONGER.format(table=meta.db_table, each=each)
    yield "scoring", TABLE
    yield "scoring", INDEX


def release_before(folder: Path) -> Path | None:
    """The code as it was before the last commit that changed tables; None without such a past."""
    tables = ["--", "*/migrations/*.py", ":(exclude)tests"]
    last = _git("log", "-1", "--format=%H", *tables)
    if not last or not _git("rev-parse", "--verify", "--quiet", f"{last}^"):
        return None
    code, archive = folder / "before", folder / "before.tar"
    code.mkdir()
    _git("archive", "-o", str(archive), f"{last}^")
    shutil.unpack_archive(archive, code, filter="data")
    return code


def _git(*arguments: str) -> str:
    command = ["git", "-C", str(PROJECT), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
