"""`manage.py migrate`: brings the tables up to date beside those who work.

Whoever changes a table asks for a lock that nobody else may share, and while that waits for one
long reader everybody else waits behind it. So it is asked for briefly: when it is not to be had,
the migration is taken back, the others go on, and it is tried again a moment later.
"""

import random
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.contrib.postgres.operations import (
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)
from django.core.management.base import CommandError
from django.core.management.commands.migrate import Command as Django
from django.db import OperationalError, connections
from django.db.migrations import Migration
from psycopg.errors import DeadlockDetected, LockNotAvailable

# Longer than PostgreSQL’s deadlock_timeout (1 s): only after that an autovacuum gives way to us.
LOCK_MS = 1_300
PATIENCE = 300  # seconds of trying, as long as every try ends at the same lock
PAUSE = (0.5, 2.0)  # seconds between two tries, by chance: no rhythm of others is met for ever
OTHERS = (LockNotAvailable, DeadlockDetected)
BESIDE = (
    AddIndexConcurrently,
    RemoveIndexConcurrently,
    ValidateConstraint,
)  # stand in nobody's way
SETTINGS = ("lock_timeout", "statement_timeout")
OLDEST = """
SELECT pid, round(extract(epoch FROM clock_timestamp() - xact_start)) FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND xact_start IS NOT NULL
    AND backend_type = 'client backend'
ORDER BY xact_start LIMIT 1
"""
HALF_MADE = "SELECT indexrelid::regclass::text FROM pg_index WHERE NOT indisvalid ORDER BY 1"


class Command(Django):
    """Django's own, which gives way to others and comes back."""

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        words = f"Seconds to go on asking for a lock that others hold ({PATIENCE})"
        parser.add_argument("--patience", type=float, default=PATIENCE, help=words)

    def handle(self, *args: Any, **options: Any) -> None:
        self.under_way: Migration | None = None
        self.connection, self.asked = connections[options["database"]], ""
        self.patience = options.pop("patience", PATIENCE)
        if options["plan"] or options["check_unapplied"]:
            super().handle(*args, **options)
            return
        with self._briefly(), self.connection.execute_wrapper(self._noted):
            self._tried(lambda: super(Command, self).handle(*args, **options))

    def _tried(self, migrate: Callable[[], None]) -> None:
        """Until it is done; each try goes on with what is left."""
        deadline, done = time.monotonic() + self.patience, self.under_way
        while True:
            try:
                migrate()
                return
            except OperationalError as error:
                if not isinstance(error.__cause__, OTHERS) or self.connection.in_atomic_block:
                    raise
                self._given_up_if_half_done(error)
                if self.under_way != done:  # it got on: patience is with each lock
                    deadline, done = time.monotonic() + self.patience, self.under_way
                if time.monotonic() > deadline:
                    words = f"{self._what()} Given up after {self.patience:g} s of trying."
                    raise CommandError(f"{words} What was applied stays; run it again.") from error
            self._say(f"{self._what()} Others go on; trying again.")
            time.sleep(random.uniform(*PAUSE))  # noqa: S311 — no secret

    def _given_up_if_half_done(self, error: Exception) -> None:
        if self.under_way is None or self.under_way.atomic:
            return
        with self.connection.cursor() as cursor:
            cursor.execute(HALF_MADE)
            left = ", ".join(name for (name,) in cursor.fetchall())
        drop = f" Half made, to be dropped first: {left}." if left else ""
        raise CommandError(
            f"{self._what()} {self.under_way} is not one transaction, so part of it may be done "
            f"and it is not tried again by itself.{drop} Look, then run it again."
        ) from error

    # --- words ------------------------------------------------------------------------------------
    def _what(self) -> str:
        """Which statement waits, and who has been in the way for longest."""
        whose = f"{self.under_way}: " if self.under_way else ""
        with self.connection.cursor() as cursor:
            cursor.execute(OLDEST)
            oldest = cursor.fetchone()
        who = f" (oldest transaction: process {oldest[0]}, {oldest[1]} s)" if oldest else ""
        return f"{whose}no lock within {LOCK_MS / 1000:g} s for {self.asked[:100]!r}{who}."

    def _say(self, words: str) -> None:
        if self.verbosity > 0:
            self.stdout.write(f"\n    {words}")
            self.stdout.flush()

    def _noted(self, execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        # Not what we ask ourselves about a failure, and not how a failed migration is taken back.
        if sql not in (OLDEST, HALF_MADE):
            self.asked = str(sql)
        return execute(sql, params, many, context)

    # --- how long it waits ------------------------------------------------------------------------
    @contextmanager
    def _briefly(self) -> Iterator[None]:
        with self.connection.cursor() as cursor:
            cursor.execute("SELECT " + ", ".join(f"current_setting('{one}')" for one in SETTINGS))
            self.usual = dict(zip(SETTINGS, cursor.fetchone(), strict=True))
        self._set(lock_timeout=f"{LOCK_MS}ms")
        try:
            yield
        finally:
            self._set(**self.usual)

    def _set(self, **settings: str) -> None:
        """Of the session. In somebody's failed transaction nothing can be set; it is taken back."""
        if self.connection.needs_rollback:
            return
        with self.connection.cursor() as cursor:
            for name, value in settings.items():
                cursor.execute("SELECT set_config(%s, %s, false)", [name, value])

    def migration_progress_callback(
        self, action: str, migration: Migration | None = None, fake: bool = False
    ) -> None:
        if action in ("apply_start", "unapply_start") and migration is not None:
            self.under_way = migration
            # What stands in nobody's way waits for every open transaction, and may take its time.
            long = all(isinstance(one, BESIDE) for one in migration.operations)
            brief = {**self.usual, "lock_timeout": f"{LOCK_MS}ms"}
            self._set(**(dict.fromkeys(SETTINGS, "0") if long else brief))
        elif action in ("apply_success", "unapply_success"):
            self.under_way = None
        super().migration_progress_callback(action, migration, fake)
