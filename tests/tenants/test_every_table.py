"""Every tenant-owned table, as PostgreSQL shows it to the neighbour; a new table is held to it by itself."""

import psycopg
import pytest
from django.db import connection
from psycopg import sql

from tenants import audit, ownership, scope
from tenants.postgresql import roles
from tests.factories import make_entitlement, make_invitation, make_member, make_module, make_organisation
from tests.modules.market_edge_core.factories import make_competitor, make_market, make_prices, make_upload
from tests.tenants.connecting import web_session

pytestmark = pytest.mark.django_db(transaction=True)
TABLES = [model._meta.db_table for model in ownership.tenant_models()]


@pytest.fixture
def ours():
    """An organisation with something to leak in every table."""
    organisation = make_organisation("Ours")
    make_member(organisation)
    make_entitlement(organisation, make_module("extra"))
    make_invitation(organisation, "ours@example.com")
    make_prices(make_competitor(make_market(organisation)), 1, 2)
    make_upload(organisation)
    with scope.organisation(organisation.pk):
        audit.record("thing.done", organisation=organisation)
    return organisation


@pytest.fixture
def theirs():
    return make_organisation("Theirs")


def count(session: psycopg.Connection, table: str, organisation) -> int:
    query = sql.SQL("SELECT count(*) FROM {} WHERE organisation_id = %s").format(sql.Identifier(table))
    row = session.execute(query, [organisation.pk]).fetchone()
    return row[0] if row else 0


@pytest.mark.parametrize("table", TABLES)
def test_the_neighbour_sees_not_one_row(ours, theirs, table):
    with web_session(roles.APP, ours) as own, web_session(roles.APP, theirs) as neighbour:
        assert count(own, table, ours) > 0
        assert count(neighbour, table, ours) == 0


@pytest.mark.parametrize("table", [table for table in TABLES if table != "tenants_auditevent"])
def test_the_neighbour_changes_and_deletes_not_one_row(ours, theirs, table):
    changing = sql.SQL("UPDATE {} SET organisation_id = organisation_id WHERE organisation_id = %s")
    deleting = sql.SQL("DELETE FROM {} WHERE organisation_id = %s")
    with web_session(roles.APP, theirs) as neighbour:
        touched = [
            neighbour.execute(statement.format(sql.Identifier(table)), [ours.pk]).rowcount
            for statement in (changing, deleting)
        ]

    assert touched == [0, 0]


def seen_by(session: psycopg.Connection, table: str) -> list:
    return session.execute(sql.SQL("SELECT 1 FROM {}").format(sql.Identifier(table))).fetchall()


@pytest.mark.parametrize("table", TABLES)
def test_without_an_organisation_there_is_an_error(ours, table):
    with web_session(roles.APP, None) as nobody, pytest.raises(psycopg.errors.InvalidTextRepresentation):
        seen_by(nobody, table)


@pytest.mark.parametrize("table", [table for table in TABLES if table != "tenants_membership"])
def test_a_persons_own_role_reads_memberships_alone(ours, table):
    with web_session(roles.PERSON, None) as person, pytest.raises(psycopg.errors.InsufficientPrivilege):
        seen_by(person, table)


def test_the_connection_of_these_tests_is_the_webs():
    with web_session(roles.APP, None) as session:
        row = session.execute("SELECT session_user, current_database()").fetchone()

    assert row == ("marketedge_web", connection.settings_dict["NAME"])
