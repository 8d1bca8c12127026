"""The database is held against what this release expects; each check finds what it is there for."""

import io
import json
from typing import Any

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import connection, models
from django.db.migrations.recorder import MigrationRecorder
from django.db.migrations.state import ProjectState

from tenants import scope
from tenants.management.commands import check_schema
from tenants.operations import Report
from tenants.postgresql import roles

pytestmark = pytest.mark.django_db


def check() -> tuple[int, list[tuple[str, str, str]]]:
    """The exit code, and subject, state and words of each finding that is not well."""
    output = io.StringIO()
    code = 0
    try:
        call_command("check_schema", "--json", stdout=output)
    except SystemExit as end:
        code = int(end.code or 0)
    findings = json.loads(output.getvalue())["findings"]
    return code, [(f["subject"], f["state"], f["says"]) for f in findings if f["state"] != "ok"]


def spoil(*statements: str) -> None:
    """As the owner, past the migrations; the test's transaction takes it back."""
    with scope.login(), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def test_the_schema_of_the_migrations_is_what_the_release_expects():
    assert check() == (0, [])


def test_it_needs_the_webs_login_alone():
    with scope.nobody():
        assert check() == (0, [])


SPOILED = [
    ("columns", "DROP TABLE accounts_identity", "table accounts_identity is missing"),
    ("columns", "ALTER TABLE tenants_organisation DROP plan", "column tenants_organisation.plan is missing"),
    (
        "columns",
        "ALTER TABLE tenants_organisation ALTER plan TYPE varchar(10)",
        "column tenants_organisation.plan is character varying(10), expected character varying(20)",
    ),
    (
        "columns",
        "ALTER TABLE tenants_organisation ALTER plan DROP NOT NULL",
        "column tenants_organisation.plan may be empty, unlike the model",
    ),
    (
        "columns",
        "ALTER TABLE tenants_auditevent ALTER actor_id SET NOT NULL",
        "column tenants_auditevent.actor_id may not be empty, unlike the model",
    ),
    (
        "columns",
        "ALTER TABLE tenants_organisation ADD colour text NOT NULL",
        "tenants_organisation.colour may not be empty, and this release does not know it",
    ),
    (
        "rules",
        "ALTER TABLE modules_applicationgrant DROP CONSTRAINT application_grant_membership",
        "application_grant_membership is missing on modules_applicationgrant, or is another rule",
    ),
    (
        "rules",
        "DROP INDEX application_grant_membership_idx",
        "application_grant_membership is missing on modules_applicationgrant, or is another rule",
    ),
    (
        "rules",
        "ALTER TABLE modules_entitlement DROP CONSTRAINT entitlement_periods_do_not_overlap",
        "entitlement_periods_do_not_overlap is missing on modules_entitlement, or is another rule",
    ),
    (
        "rules",
        "ALTER TABLE tenants_organisation DROP CONSTRAINT organisation_plan_is_known",
        "organisation_plan_is_known is missing on tenants_organisation, or is another rule",
    ),
    (
        "rules",
        "DROP INDEX user_email_is_unique_in_any_case",
        "user_email_is_unique_in_any_case is missing on accounts_user, or is another rule",
    ),
    (
        "rules",
        "DROP INDEX user_email_is_unique_in_any_case;"
        " CREATE INDEX user_email_is_unique_in_any_case ON accounts_user (lower(email))",
        "user_email_is_unique_in_any_case is missing on accounts_user, or is another rule",
    ),
    ("rules", "DROP INDEX audit_by_time", "index audit_by_time is missing on tenants_auditevent"),
    (
        "rules",
        "ALTER TABLE tenants_organisation DROP CONSTRAINT tenants_organisation_slug_key",
        "tenants_organisation.slug is not unique",
    ),
    (
        "triggers",
        "DROP TRIGGER user_is_audited ON accounts_user",
        "user_is_audited is missing on accounts_user, switched off, or another trigger",
    ),
    (
        "triggers",
        "ALTER TABLE accounts_user DISABLE TRIGGER user_is_audited",
        "user_is_audited is missing on accounts_user, switched off, or another trigger",
    ),
    (
        "triggers",
        "DROP TRIGGER user_is_audited ON accounts_user; CREATE TRIGGER user_is_audited AFTER UPDATE ON accounts_user"
        " FOR EACH ROW EXECUTE FUNCTION marketedge_audit_row('last_login')",
        "user_is_audited is missing on accounts_user, switched off, or another trigger",
    ),
    (
        "triggers",
        "DROP TRIGGER user_is_audited ON accounts_user; CREATE TRIGGER user_is_audited"
        " AFTER INSERT OR UPDATE OR DELETE ON accounts_user"
        " FOR EACH ROW EXECUTE FUNCTION marketedge_audit_row('last_login', 'is_superuser')",
        "user_is_audited is missing on accounts_user, switched off, or another trigger",
    ),
    (
        "constraints",
        "ALTER TABLE tenants_organisation ADD CONSTRAINT new_rule CHECK (name <> '') NOT VALID",
        "new_rule on tenants_organisation was never validated",
    ),
    (
        "indexes",
        "CREATE TABLE parted (a int) PARTITION BY LIST (a); CREATE TABLE part PARTITION OF parted FOR VALUES IN (1);"
        " CREATE INDEX parted_a ON ONLY parted (a)",
        "parted_a on parted is not valid, so it is not used",
    ),
    (
        "privileges",
        f"GRANT DELETE ON tenants_auditevent TO {roles.APP}",
        "marketedge_app DELETE on tenants_auditevent is too much",
    ),
    (
        "privileges",
        f"GRANT UPDATE (is_superuser) ON accounts_user TO {roles.APP}",
        "marketedge_app UPDATE (is_superuser) on accounts_user is too much",
    ),
    ("privileges", "GRANT SELECT ON accounts_user TO PUBLIC", "PUBLIC SELECT on accounts_user is too much"),
    (
        "privileges",
        f"REVOKE SELECT ON accounts_user FROM {roles.APP}",
        "marketedge_app SELECT on accounts_user is missing",
    ),
]


@pytest.mark.parametrize(("subject", "statement", "words"), SPOILED, ids=[words for _, _, words in SPOILED])
def test_what_was_done_past_the_migrations_is_found(subject, statement, words):
    spoil("SET CONSTRAINTS ALL IMMEDIATE", *statement.split(";") if "EXECUTE" not in statement else [statement])

    code, found = check()

    assert (code, (subject, "problem", words) in found) == (1, True), found


def test_a_role_that_may_create_tables_is_found():
    report = Report()

    with connection.cursor() as cursor:
        cursor.execute("SELECT array_agg(relname::text) FROM pg_class WHERE relnamespace = 'public'::regnamespace")
        check_schema.look_at_privileges(report, WithRightToCreate(cursor), set(cursor.fetchone()[0]))

    assert [finding.says for finding in report.findings] == ["marketedge_app may create tables"]


class WithRightToCreate:
    """A cursor to which PostgreSQL says that the web's role may create; only an administrator can make it so."""

    def __init__(self, cursor: Any) -> None:
        self.cursor = cursor
        self.asks_of_app = False

    def execute(self, query: str, parameters: Any = None) -> None:
        self.asks_of_app = "has_schema_privilege" in query and parameters == [roles.APP]
        self.cursor.execute(query, parameters)

    def fetchone(self) -> Any:
        return (True,) if self.asks_of_app else self.cursor.fetchone()

    def fetchall(self) -> Any:
        return self.cursor.fetchall()


def test_a_migration_that_is_not_applied_is_named():
    with scope.login():
        MigrationRecorder(connection).record_unapplied("market_edge_core", "0001_initial")

    code, found = check()

    assert (code, ("migrations", "problem", "market_edge_core.0001_initial is not applied") in found) == (1, True)


def test_a_migration_of_a_newer_release_is_noted_and_no_problem():
    with scope.login():
        MigrationRecorder(connection).record_applied("tenants", "9999_newer")

    assert check() == (
        0,
        [("migrations", "note", "tenants.9999_newer is applied, and this release does not know it")],
    )


def test_a_history_with_a_gap_is_found():
    with scope.login():
        MigrationRecorder(connection).record_unapplied("accounts", "0001_initial")

    subjects = {subject for subject, state, _ in check()[1] if state == "problem"}

    assert subjects == {"migrations", "history"}


def test_a_column_of_a_newer_release_is_noted_and_no_problem():
    spoil("ALTER TABLE tenants_organisation ADD colour text")

    assert check() == (
        0,
        [("columns", "note", "tenants_organisation.colour is there, and this release does not know it")],
    )


def test_a_model_that_changed_without_a_migration_is_found(monkeypatch):
    changed = ProjectState.from_apps(apps)
    changed.models["tenants", "organisation"].fields["colour"] = models.TextField(default="")
    monkeypatch.setattr(ProjectState, "from_apps", classmethod(lambda cls, apps: changed))

    code, found = check()

    assert (code, found) == (1, [("models", "problem", "models of tenants changed without a migration")])


def test_missing_roles_are_found(monkeypatch):
    monkeypatch.setattr("tenants.privileges.roles_exist", lambda cursor: False)

    code, found = check()

    assert (code, found[0][2].startswith("not all roles are there")) == (1, True)


@pytest.mark.parametrize(
    ("version", "encoding", "words"),
    [
        (150000, "UTF8", []),
        (180004, "UTF8", []),
        (140012, "UTF8", ["PostgreSQL 14 is too old"]),
        (150000, "SQL_ASCII", ["it is SQL_ASCII, not UTF8"]),
    ],
)
def test_an_old_server_and_another_encoding_are_found(version, encoding, words):
    report = Report()

    check_schema.look_at_server(report, version, encoding)

    assert [finding.says for finding in report.findings if finding.state == "problem"] == words


def test_an_unreachable_database_is_not_called_healthy(monkeypatch):
    from django.db import OperationalError

    def refused(self: Any) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(check_schema.Command, "look", lambda self, **options: refused(self))

    assert check()[0] == 3
