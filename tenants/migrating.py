"""Applies migrations while people work: one caller at a time, and nobody waits for a table longer than a moment.

A migration is one transaction (unless it says `atomic = False`), several are several: what ends early ends between two.
"""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from django.core.management import call_command
from django.db import DatabaseError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor

from tenants import privileges

LOCK = 0x4D61726B65744564  # any number that only we use in this database
TURN_INTERVAL = 0.25  # seconds between two looks at whether it is our turn
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 10.0  # seconds between attempts, for those whom we kept waiting
NOT_FREE = {"55P03": "a lock was not free in time", "40P01": "it waited in a circle with somebody else (deadlock)"}
LOST = ("57P", "08")  # classes of codes of a session that was ended; a client that saw it first has no code
HOLDERS = """
SELECT l.pid, a.application_name, string_agg(DISTINCT c.relname, ', ' ORDER BY c.relname)
FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace
LEFT JOIN pg_stat_activity a ON a.pid = l.pid
WHERE l.granted AND l.pid <> pg_backend_pid() AND n.nspname = 'public' AND c.relkind IN ('r', 'p')
  AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
GROUP BY 1, 2 ORDER BY 1
"""


class CannotMigrate(Exception):
    """The message is one line; `advice` says what to do. The schema stands between two migrations."""

    def __init__(self, message: str, advice: str) -> None:
        super().__init__(message)
        self.advice = advice


class NotOurTurn(CannotMigrate):
    """Somebody else migrates, and has not ended in time."""


@dataclass
class Migrating:
    """One caller's work. `ends_at` is by time.monotonic(), `lock_timeout` in seconds; `tell` gets a line for people."""

    ends_at: float
    lock_timeout: float
    tell: Callable[[str], None]
    applied: list[str] = field(default_factory=list)
    has_rewritten_privileges: bool = False

    def run(self) -> None:
        """Apply what is pending; raises CannotMigrate. The default connection must be the owner's."""
        connection.ensure_connection()
        # The deadline of the command bounds each wait; building an index may take longer than a page may.
        connection.connection.limit = None
        with self._our_turn():
            for attempt in count(1):
                if not pending_work() or self._succeeds():
                    return
                self._pause(attempt)

    @contextmanager
    def _our_turn(self) -> Iterator[None]:
        # Asked again and again: a statement that waits keeps a snapshot, for which CREATE INDEX CONCURRENTLY waits.
        while not _one("SELECT pg_try_advisory_lock(%s)", LOCK):
            if time.monotonic() + TURN_INTERVAL > self.ends_at:
                raise NotOurTurn("somebody else is applying migrations, and has not ended in time", "Try again.")
            time.sleep(TURN_INTERVAL)
        try:
            yield
        finally:
            if connection.connection is not None and not connection.connection.closed:
                _one("SELECT pg_advisory_unlock(%s)", LOCK)

    def _succeeds(self) -> bool:
        """Whether all is applied after this attempt; False when a lock was not free, so that another may succeed."""
        before = pending_migrations()
        self._bound_statements()
        try:
            call_command("migrate", verbosity=0, interactive=False)
        except OperationalError as fault:
            if _code(fault) not in NOT_FREE:
                raise self._failure(fault, before) from fault
            return False
        except DatabaseError as fault:
            raise self._failure(fault, before) from fault
        finally:
            self._note_applied(before)
        self.has_rewritten_privileges = True
        return True

    def _bound_statements(self) -> None:
        left = max(1.0, self.ends_at - time.monotonic())
        for name, seconds in (
            ("lock_timeout", min(self.lock_timeout, left)),
            ("statement_timeout", left),
            ("idle_in_transaction_session_timeout", left),
        ):
            _one("SELECT set_config(%s, %s, false)", name, f"{round(seconds * 1000)}ms")

    def _note_applied(self, before: list[str]) -> None:
        if connection.connection is not None and not connection.connection.closed:
            left = pending_migrations()
            self.applied += [name for name in before if name not in left]

    def _failure(self, fault: DatabaseError, before: list[str]) -> CannotMigrate:
        if (_code(fault) or LOST[0]).startswith(LOST):
            raise fault
        name = next(iter(pending_migrations()), "the privileges")
        # The primary message names tables and rules; rows would be in its details.
        said = getattr(getattr(fault.__cause__, "diag", None), "message_primary", None) or type(fault).__name__
        return CannotMigrate(f"{name} failed and was taken back: {said}", "Correct it, then run this again.")

    def _pause(self, attempt: int) -> None:
        """Let those who queued behind us pass, longer each time; raises CannotMigrate when there is no time left."""
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (attempt - 1)) * random.uniform(0.75, 1.25)  # noqa: S311
        name = next(iter(pending_migrations()), "the privileges")
        if time.monotonic() + pause + self.lock_timeout > self.ends_at:
            raise CannotMigrate(
                f"{name} is not applied: a lock was not free in {attempt} attempts{_held_by()}",
                "End that transaction, or wait for it, then run this again.",
            )
        self.tell(f"{name}: a lock was not free within {self.lock_timeout:g} s; attempt {attempt + 1} in {pause:.1f} s")
        time.sleep(pause)


def pending_work() -> list[str]:
    """What a run would do, one line each; empty when there is nothing to do."""
    work = [f"apply migration {name}" for name in pending_migrations()]
    with connection.cursor() as cursor:
        tables = set(connection.introspection.table_names(cursor))
        missing, surplus = privileges.differences(cursor, tables)
    if missing or surplus:
        work.append(f"rewrite privileges: {len(missing)} missing, {len(surplus)} too many")
    return work


def pending_migrations() -> list[str]:
    """By name, in the order in which they are applied."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def _one(statement: str, *parameters: Any) -> Any:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return cursor.fetchone()[0]


def _code(fault: DatabaseError) -> str | None:
    return getattr(fault.__cause__, "sqlstate", None)


def _held_by() -> str:
    """Who holds tables just now, in words; PostgreSQL does not say for whom we waited."""
    with connection.cursor() as cursor:
        cursor.execute(HOLDERS)
        held = [f"{tables} by session {pid} ({name or 'no name'})" for pid, name, tables in cursor.fetchall()]
    return f"; held now: {'; '.join(held)}" if held else ""
