"""The migrations lead from an empty database to the schema, back to nothing, and to the same schema again."""

import pytest

from tests.migrations.catalogue import described
from tests.migrations.databases import Database

pytestmark = pytest.mark.served
PARTS = {"table", "column", "constraint", "index", "policy", "trigger", "function", "grant", "grant on column"}


def test_the_comparison_sees_every_kind_of_thing(migrated):
    assert {line.split(":")[0] for line in described(migrated)} == PARTS


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE tenants_membership NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE tenants_organisation ALTER plan SET DEFAULT 'basic'",
        "ALTER TABLE tenants_organisation DROP CONSTRAINT organisation_plan_is_known",
        "DROP INDEX audit_by_time",
        "DROP POLICY organisation ON tenants_membership",
        "ALTER TABLE accounts_user DISABLE TRIGGER user_is_audited",
        "GRANT EXECUTE ON FUNCTION marketedge_audit_row() TO PUBLIC",
        "GRANT DELETE ON accounts_user TO marketedge_app",
        "GRANT UPDATE (name) ON accounts_user TO marketedge_app",
    ],
)
def test_the_comparison_sees_every_kind_of_difference(copy, statement):
    before = described(copy)

    with copy.session() as session:
        session.execute(statement)

    assert described(copy) != before


def test_an_empty_database_becomes_what_the_release_expects(empty):
    empty.must("migrate")

    told = empty.manage("check_schema")

    assert told.returncode == 0, told.stdout


def test_everything_can_be_taken_back_and_applied_again(copy):
    before = described(copy)

    take_everything_back(copy)
    left = described(copy)
    copy.must("migrate")

    assert left == []
    assert described(copy) == before


def take_everything_back(database: Database) -> None:
    """Content types first: nearly everything is built on them, and goes with them."""
    database.must("migrate", "contenttypes", "zero")
    for (application,) in database.rows("SELECT DISTINCT app FROM django_migrations"):
        database.must("migrate", application, "zero")


def test_the_safe_way_leads_to_the_same_schema(empty, migrated):
    empty.must("migrate_safely", "--apply", "--actor", "ops@example.com", "--reason", "first release")

    assert described(empty) == described(migrated)
