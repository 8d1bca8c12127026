"""How is the database? Whether it answers, how fast, as whom, and whether it is as this release expects it."""

import socket
import struct
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from django.apps import apps
from django.conf import settings
from psycopg import errors

from marketedge import readiness
from tenants.operations import Report
from tenants.postgresql import deadline, faults, privileges, roles
from tenants.postgresql.names import addresses_of
from tenants.postgresql.plain import plain_connection

SUBJECT = "database"
SLOW_AFTER = 0.5  # seconds for one answer
CROWDED = 0.85  # of all connections
OLDEST = 150_000  # PostgreSQL 15
ASKS_FOR_TLS = struct.pack("!ii", 8, 80877103)  # the first thing any client says, which needs no login

FACTS = """
SELECT pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean,
       extract(epoch FROM clock_timestamp())::float,
       current_setting('server_version_num')::int,
       (SELECT coalesce(array_agg(rolname::text), '{}') FROM pg_roles WHERE rolname = ANY(%s)),
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend'),
       current_setting('max_connections')::int
"""
NOT_TAKEN = "SELECT name FROM unnest(%s::text[]) AS name WHERE NOT pg_has_role(session_user, name, 'MEMBER')"
NOT_THERE = "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(quote_ident(name)) IS NULL"
ADVICE = {
    faults.READ_ONLY: "Pages can be read, nothing can be saved: lead DATABASE_URL to the primary, or make it writable.",
    "the login or its password is refused": "Compare DATABASE_URL with the login's password in the database.",
    "too many connections": "End sessions that nobody needs, or lower WEB_THREADS and WEB_CONCURRENCY.",
    "its disk is full": "Make room on the database's disk.",
    "it is starting or stopping": "Wait; the product gets better by itself.",
}
ELSE = "Look at DATABASE_URL, the network and the database itself; the product gets better by itself."


def ask(within: float) -> Report:
    """Everything about it, after at most `within` seconds."""
    report, first = Report(), _FirstAnswer(within)
    try:
        with deadline.within(within * 0.95):
            _connect_and_examine(report)
    except faults.DRIVERS as fault:
        _tell_fault(report, faults.describe(fault), first)
    return report


def _tell_fault(report: Report, words: str, first: "_FirstAnswer") -> None:
    if any(finding.subject == SUBJECT for finding in report.findings):
        report.unknown("database's state", f"not all could be asked: {words}")
    elif words == faults.NO_ANSWER and first.seconds:
        advice = "Look at what it is busy with, and at the network."
        report.problem(SUBJECT, f"is slow: {first.seconds:.1f} s for its first answer, too long to ask it more", advice)
    else:
        report.problem(SUBJECT, words, ADVICE.get(words, ELSE))


class _FirstAnswer:
    """Asks beside the driver how long one answer takes, to tell a slow database from a mute one; None when mute."""

    def __init__(self, within: float) -> None:
        self.seconds: float | None = None
        self.within = within
        threading.Thread(target=self._ask, name="first answer", daemon=True).start()

    def _ask(self) -> None:
        target = settings.DATABASES["default"]
        host, port = str(target["HOST"]), int(target["PORT"] or 5432)
        with suppress(OSError, errors.Error):
            address = (addresses_of(host, within=self.within) or [host])[0]
            with socket.create_connection((address, port), timeout=self.within) as line:
                began = time.monotonic()
                line.sendall(ASKS_FOR_TLS)
                if line.recv(1):
                    self.seconds = time.monotonic() - began


def _connect_and_examine(report: Report) -> None:
    began = time.monotonic()
    with plain_connection() as connection, connection.cursor() as cursor:
        connected = time.monotonic() - began
        asked_at = time.time()
        cursor.execute(FACTS, [list(roles.ALL)])
        row: Any = cursor.fetchone()
        is_read_only, told, version, known_roles, busy, allowed = row
        took = time.time() - asked_at
        _tell_speed(report, version, connected, took)
        if is_read_only:
            report.problem(SUBJECT, faults.READ_ONLY, ADVICE[faults.READ_ONLY])
        if busy > allowed * CROWDED:
            report.problem("connections", f"{busy} of {allowed} are taken", ADVICE["too many connections"])
        _tell_clock(report, told - (asked_at + took / 2))
        _examine_login(report, cursor)
        _examine_schema(report, cursor, set(known_roles))


def _tell_speed(report: Report, version: int, connected: float, took: float) -> None:
    if version < OLDEST:
        report.problem(SUBJECT, f"is PostgreSQL {version // 10_000}", "MarketEdge needs PostgreSQL 15 or later.")
    if took > SLOW_AFTER:
        report.problem(SUBJECT, f"is slow: {took:.1f} s for one question", "Look at what it is busy with.")
    elif connected > settings.CONNECT_TIMEOUT:
        says = f"is slow: {connected:.1f} s to connect, and the web waits {settings.CONNECT_TIMEOUT} s"
        report.problem(SUBJECT, says, "Look at what it is busy with.")
    else:
        report.ok(SUBJECT, f"PostgreSQL {version // 10_000} answers in {took * 1000:.0f} ms")


def _tell_clock(report: Report, skew: float) -> None:
    if abs(skew) > readiness.SKEW_ALLOWED:
        says = f"ours is {abs(skew):.0f} seconds {'behind' if skew > 0 else 'ahead of'} the database's"
        report.problem("clock", says, "People cannot sign in: set the clocks by NTP.")
    else:
        report.ok("clock", "agrees with the database's")


def _examine_login(report: Report, cursor: Any) -> None:
    wrong = privileges.faults_of_login(cursor)
    if wrong:
        says = f"DATABASE_URL names a login that voids row security: {', '.join(wrong)}"
        report.problem("database login", says, "`check_tenancy` says more.")
    else:
        report.ok("database login", "is held by row security")


def _examine_schema(report: Report, cursor: Any, known_roles: set[str]) -> None:
    """As the web sees it, in its role."""
    missing = sorted(set(roles.ALL) - known_roles)
    if missing:
        report.problem("roles", f"{', '.join(missing)} missing", "Run `manage.py database_roles --apply`.")
        return
    if refused := _asked_for(cursor, NOT_TAKEN, roles.ALL):
        says = f"the login may not work as {', '.join(refused)}"
        report.problem("roles", says, "Run `manage.py database_roles --apply`.")
        return
    try:
        cursor.execute("SELECT set_config('role', %s, false)", [roles.APP])
        cursor.execute("SELECT app, name FROM django_migrations")
        unapplied = readiness.known_migrations() - set(cursor.fetchall())
    except errors.UndefinedTable:
        report.problem("migrations", "none has been applied", "Run `manage.py migrate`.")
    except errors.InsufficientPrivilege:
        says = f"the login may not work as {roles.APP}, or that role may not read"
        report.problem("roles", says, "Run `manage.py database_roles --apply` and `manage.py migrate`.")
    else:
        _tell_migrations(report, unapplied)
        if not unapplied:
            _examine_tables(report, cursor)


def _examine_tables(report: Report, cursor: Any) -> None:
    """Somebody may have taken away what the list of migrations still says is there."""
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True) if model._meta.managed}
    if missing := _asked_for(cursor, NOT_THERE, tables):
        report.problem("tables", f"{', '.join(missing)} missing", "`check_schema` says more; restore the backup.")


def _asked_for(cursor: Any, question: str, names: Iterable[str]) -> list[str]:
    cursor.execute(question, [sorted(names)])
    return sorted(name for (name,) in cursor.fetchall())


def _tell_migrations(report: Report, unapplied: set[tuple[str, str]] | frozenset[tuple[str, str]]) -> None:
    if unapplied:
        report.problem("migrations", readiness.named(unapplied), "Run `manage.py migrate` in the release step.")
    else:
        report.ok("migrations", "all of this release are applied")
