"""Applies migrations while people work; several callers take turns, and those who find nothing to do succeed."""

import time
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.db import connection

from tenants import audit, migrating, privileges
from tenants.operations import ChangingCommand, Report, operator, seconds
from tenants.postgresql.owner import owner_login

# Of the time limit: what is left is for saying how it ended, and for the audit.
SHARE = 0.85
ADVICE_ROLES = "Run `manage.py database_roles --apply` first."


class Command(ChangingCommand):
    help = (
        "Apply migrations as the owner: one caller at a time, a short lock timeout, and another attempt when a table "
        "is not free. Each migration is one transaction; what ends early ends between two, and can be run again. "
        "Exit codes: 1 a lock was never free or a migration failed, 3 somebody else is still migrating."
    )
    default_timeout = 300.0

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--lock-timeout",
            type=seconds,
            default=settings.MIGRATION_LOCK_TIMEOUT / 1000,
            help="seconds that an attempt waits for a table, and readers behind it (MIGRATION_LOCK_TIMEOUT)",
        )

    def _attempt(self, apply: bool, changes: list[str], *, actor: str, reason: str, **options: Any) -> Report:
        """Not in one transaction, as other commands are: each migration is one of its own."""
        ends_at = time.monotonic() + options["timeout"] * SHARE
        with owner_login():
            report = _roles()
            if report.findings:
                return report
            if not apply:
                changes += migrating.pending_work()
                return report
            work = migrating.Migrating(ends_at, options["lock_timeout"], self._tell_progress)
            return self._migrate(work, changes, actor, reason)

    def _migrate(self, work: migrating.Migrating, changes: list[str], actor: str, reason: str) -> Report:
        report = Report()
        try:
            work.run()
        except migrating.NotOurTurn as failure:
            report.unknown("migrations", str(failure), failure.advice)
        except migrating.CannotMigrate as failure:
            report.problem("migrations", str(failure), failure.advice)
        finally:
            self._record(work, actor, reason)
        changes += [f"applied migration {name}" for name in work.applied]
        if work.has_rewritten_privileges:
            changes.append("rewrote privileges")
        if report.findings:
            report.note("applied", ", ".join(work.applied) or "nothing")
        return report

    def _record(self, work: migrating.Migrating, actor: str, reason: str) -> None:
        if not work.applied:
            return
        connection.close_if_unusable_or_obsolete()
        if _audit_is_there():
            audit.record(
                "release.migrated",
                by=operator(actor),
                reason=reason,
                migrations=work.applied,
                version=settings.RELEASE_VERSION,
                commit=settings.RELEASE_COMMIT,
            )
        else:
            self._tell_progress("The audit's own tables are not there yet: what was applied is not in the audit.")

    def _tell_progress(self, line: str) -> None:
        self.stderr.write(line)


def _roles() -> Report:
    report = Report()
    with connection.cursor() as cursor:
        if not privileges.roles_exist(cursor):
            report.problem("roles", "the database roles are missing", ADVICE_ROLES)
    return report


def _audit_is_there() -> bool:
    """Whether the tables of events and of people are as this release knows them."""
    left = migrating.pending_migrations()
    return not any(name.startswith(("tenants.", "accounts.")) for name in left)
