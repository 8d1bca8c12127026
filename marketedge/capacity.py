"""Does the database allow as many connections as the web's threads may hold?"""

from typing import Any

from django.conf import settings

from marketedge.environment import Environment, worker_processes
from tenants.operations import Report
from tenants.postgresql import deadline, faults
from tenants.postgresql.plain import plain_connection

# Each worker process has two more: for its readiness, and for watching the flags.
BESIDE = 2

ALLOWED = """
SELECT least(
    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int
        - coalesce(current_setting('reserved_connections', true), '0')::int,
    (SELECT nullif(datconnlimit, -1) FROM pg_database WHERE datname = current_database()),
    (SELECT nullif(rolconnlimit, -1) FROM pg_roles WHERE rolname = session_user))
"""


def examine(env: Environment, *, within: float) -> Report:
    report = Report()
    workers = worker_processes(env)
    needed = workers * (settings.WEB_THREADS + BESIDE)
    says = f"{workers} workers of {settings.WEB_THREADS} threads may hold {needed}"
    try:
        with deadline.within(within), plain_connection() as connection:
            allowed = _first(connection.execute(ALLOWED))
    except faults.DRIVERS as fault:
        report.unknown("connections", f"{says}; the database cannot be asked: {faults.describe(fault)}")
        return report
    if needed > allowed:
        advice = "Fewer WEB_THREADS or WEB_CONCURRENCY, or more connections there. Each replica needs as many again."
        report.problem("connections", f"{says}, and the database allows {allowed}", advice)
    else:
        report.ok("connections", f"{says}; the database allows {allowed}, for all replicas together")
    return report


def _first(cursor: Any) -> int:
    return cursor.fetchone()[0]
