"""Can this process serve? The database answers and accepts writes, all migrations are applied, the login is modest."""

import logging
import time
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from functools import cache

from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from marketedge.phases import phases
from modules.flags import watching as flags
from tenants.postgresql import deadline, faults
from tenants.postgresql.base import PrivilegedLogin
from tenants.probing import Prober

logger = logging.getLogger(__name__)
DEADLINE = 2.0  # seconds until a caller is told that there is no answer
ASKING = 1.9  # seconds for all the questions together: the thread that asks ends as well
KEPT = 2.0  # seconds that an answer is told again
SKEW_ALLOWED = 5.0  # seconds between our clock and the database's
NO_ANSWER = "it does not answer in time"
PROBLEMS = ("database", "login", "migrations", "probe")  # what may be wrong
WARNINGS = ("clock",)  # what somebody has to look at


@dataclass(frozen=True)
class Readiness:
    """`problems` maps what is wrong (database, login, migrations) to what is known of it; empty means ready.

    `warnings` (clock) do not keep requests away, but somebody has to look.
    """

    problems: dict[str, str]
    warnings: dict[str, str] = field(default_factory=dict)

    @property
    def is_ready(self) -> bool:
        return not self.problems

    @property
    def in_words(self) -> str | None:
        return "; ".join(f"{what}: {why}" for what, why in self.problems.items()) or None


def ask_database() -> Readiness:
    """Connect anew, as the web does, and close again. Runs in a thread of its own."""
    connection.close()
    try:
        with deadline.within(ASKING):
            return _examine()
    except PrivilegedLogin as fault:
        return Readiness({"login": str(fault)})
    except DatabaseError as fault:
        return Readiness({"database": faults.describe(fault)})
    finally:
        connection.close()


def _examine() -> Readiness:
    began = time.perf_counter()
    is_read_only, skew = _first_answer()
    warnings = _warnings(skew)
    if is_read_only:
        return Readiness({"database": faults.READ_ONLY}, warnings)
    phases.note("database", time.perf_counter() - began)
    return replace(_examine_schema(), warnings=warnings)


def _first_answer() -> tuple[bool, float]:
    """Whether nothing can be written, and by how many seconds the database's clock is ahead of ours."""
    with connection.cursor() as cursor:
        asked_at = time.time()
        cursor.execute(
            "SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean,"
            " extract(epoch FROM clock_timestamp())::float"
        )
        is_read_only, told = cursor.fetchone()
    return is_read_only, told - (asked_at + time.time()) / 2


def _warnings(skew: float) -> dict[str, str]:
    if abs(skew) <= SKEW_ALLOWED:
        return {}
    words = f"{abs(skew):.0f} seconds {'behind' if skew > 0 else 'ahead of'} the database's: people cannot sign in"
    logger.warning("Our clock is %s.", words)
    return {"clock": words}


def _examine_schema() -> Readiness:
    began = time.perf_counter()
    unapplied = known_migrations() - set(MigrationRecorder(connection).applied_migrations())
    if unapplied:
        return Readiness({"migrations": named(unapplied)})
    phases.note("migrations", time.perf_counter() - began, known=len(known_migrations()))
    _note_flags()
    return Readiness({})


@cache
def known_migrations() -> frozenset[tuple[str, str]]:
    """What this release expects, as application and name, from the files alone."""
    return frozenset(MigrationLoader(None, ignore_no_migrations=True).graph.nodes)


def named(unapplied: AbstractSet[tuple[str, str]]) -> str:
    first, *others = sorted(".".join(migration) for migration in unapplied)
    return f"{len(unapplied)} not applied: {first}{f' and {len(others)} more' if others else ''}"


def _note_flags() -> None:
    """Once: that flags were read is part of the start, not of every probe."""
    if "flags" in phases.missing:
        began = time.perf_counter()
        flags.store.wait_for_first_look()
        state = flags.store.state()
        if state.source == "database":
            phases.note("flags", time.perf_counter() - began, known=state.known, version=state.version)


prober = Prober(
    ask_database,
    deadline=DEADLINE,
    kept=KEPT,
    late=Readiness({"database": NO_ANSWER}),
    failed=Readiness({"probe": "failed; see the log"}),
)
