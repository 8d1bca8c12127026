"""Compares the database with what this release expects of it: migrations, tables, rules, privileges, validity."""

from collections.abc import Iterable
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.exceptions import InconsistentMigrationHistory
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState

from tenants import drift, privileges
from tenants.operations import LookingCommand, Report
from tenants.postgresql import roles

OLDEST_SERVER = 15
MIGRATE = "Run the release step: `manage.py release`."
NEW_MIGRATION = "Somebody changed the schema past the migrations: put it back, or write the migration that does."


class Command(LookingCommand):
    help = "Compare the database with what this release expects: migrations, tables, rules, triggers, privileges."

    def look(self, **options: Any) -> Report:
        report = Report()
        with connection.cursor() as cursor:
            look_at_server(report, int(_setting(cursor, "server_version_num")), _setting(cursor, "server_encoding"))
            look_at_migrations(report, MigrationLoader(connection))
            catalogue = drift.Catalogue(cursor)
            look_at_tables(report, catalogue)
            look_at_validity(report, catalogue)
            look_at_privileges(report, cursor, set(catalogue.columns))
        return report


def look_at_server(report: Report, version: int, encoding: str) -> None:
    """`version` as PostgreSQL counts it: 150004 is 15.4."""
    major = version // 10_000
    if major < OLDEST_SERVER:
        report.problem("server", f"PostgreSQL {major} is too old", f"Upgrade it to {OLDEST_SERVER} or later.")
    else:
        report.ok("server", f"PostgreSQL {major}")
    if encoding != "UTF8":
        report.problem("encoding", f"it is {encoding}, not UTF8", "Dump, and restore into a database made with UTF8.")
    else:
        report.ok("encoding", encoding)


def look_at_migrations(report: Report, loader: MigrationLoader) -> None:
    applied = set(MigrationRecorder(connection).applied_migrations())
    unapplied = [name for name in sorted(loader.graph.nodes) if name not in applied]
    _tell(report, "migrations", (f"{_dotted(name)} is not applied" for name in unapplied), "all are applied", MIGRATE)
    # Another release has been here first; while it replaces this one, that is as it should be.
    for name in sorted(applied - set(loader.graph.nodes) - set(loader.disk_migrations)):
        report.note("migrations", f"{_dotted(name)} is applied, and this release does not know it")
    _look_at_history(report, loader)
    _look_for_forgotten_migrations(report, loader)


def _look_at_history(report: Report, loader: MigrationLoader) -> None:
    try:
        loader.check_consistent_history(connection)
    except InconsistentMigrationHistory as fault:
        report.problem("history", str(fault), "A migration was recorded before one that it builds on; see who did it.")
    else:
        report.ok("history", "each migration was applied after those that it builds on")


def _look_for_forgotten_migrations(report: Report, loader: MigrationLoader) -> None:
    changes = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps)).changes(loader.graph)
    forgotten = (f"models of {label} changed without a migration" for label in sorted(changes))
    _tell(report, "models", forgotten, "each change has its migration", "Run `manage.py makemigrations`.")


def look_at_tables(report: Report, catalogue: drift.Catalogue) -> None:
    _tell(report, "columns", drift.of_columns(catalogue), "tables and columns are as the models say", NEW_MIGRATION)
    for name, is_harmless in drift.unknown_columns(catalogue):
        if is_harmless:
            report.note("columns", f"{name} is there, and this release does not know it")
        else:
            advice = "Give it a default: rows that this release adds are refused until then."
            report.problem("columns", f"{name} may not be empty, and this release does not know it", advice)
    _tell(report, "rules", drift.of_rules(catalogue), "keys, constraints and indexes are there", NEW_MIGRATION)
    _tell(report, "triggers", drift.of_triggers(catalogue), "every audited table writes its changes", NEW_MIGRATION)


def look_at_validity(report: Report, catalogue: drift.Catalogue) -> None:
    invalid = (f"{name} on {table} is not valid, so it is not used" for table, name in catalogue.invalid_indexes)
    _tell(report, "indexes", invalid, "all are valid", "Its concurrent build failed: drop it and build it again.")
    unproven = (f"{name} on {table} was never validated" for table, name in catalogue.unvalidated_constraints)
    _tell(report, "constraints", unproven, "all are validated", "Correct the rows that break it, then validate it.")


def look_at_privileges(report: Report, cursor: Any, tables: set[str]) -> None:
    if not privileges.roles_exist(cursor):
        advice = "Run `manage.py database_roles --apply`."
        report.problem("privileges", f"not all roles are there: {privileges.EVERYBODY}", advice)
        return
    missing, surplus = privileges.differences(cursor, tables)
    makers = [role for role in (*roles.ALL, "public") if _may_create(cursor, role)]
    wrong = [
        *(f"{privilege} is missing" for privilege in sorted(missing)),
        *(f"{privilege} is too much" for privilege in sorted(surplus)),
        *(f"{role} may create tables" for role in makers),
    ]
    advice = f"{MIGRATE} It writes them anew. Creating tables: REVOKE CREATE ON SCHEMA public FROM that role."
    _tell(report, "privileges", wrong, "each role may do what is listed", advice)


def _may_create(cursor: Any, role: str) -> bool:
    cursor.execute("SELECT has_schema_privilege(%s, 'public', 'CREATE')", [role])
    return cursor.fetchone()[0]


def _tell(report: Report, subject: str, problems: Iterable[str], otherwise: str, advice: str) -> None:
    found = list(problems)
    for problem in found:
        report.problem(subject, problem, advice if problem == found[-1] else "")
    if not found:
        report.ok(subject, otherwise)


def _dotted(migration: tuple[str, str]) -> str:
    return ".".join(migration)


def _setting(cursor: Any, name: str) -> str:
    cursor.execute("SELECT current_setting(%s)", [name])
    return cursor.fetchone()[0]
