"""What PostgreSQL itself allows the web's login, connected as that login."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import psycopg
import pytest
from django.db import connection

from tenants.postgresql import base, privileges, roles
from tests.factories import make_invitation, make_organisation, make_user
from tests.tenants.connecting import web_session

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def connect() -> Iterator[Callable[..., psycopg.Connection]]:
    """Opens sessions of the web's login, with a role and an organisation."""
    with ExitStack() as opened:
        yield lambda role="", organisation=None: opened.enter_context(web_session(role, organisation))


@pytest.fixture
def neighbours():
    ours, theirs = make_organisation("Ours"), make_organisation("Theirs")
    make_invitation(ours, "ours@example.com")
    make_invitation(theirs, "theirs@example.com")
    return ours, theirs


def addresses(session: psycopg.Connection) -> list[str]:
    return [row[0] for row in session.execute("SELECT email FROM accounts_invitation ORDER BY email")]


def test_the_login_without_a_role_reads_nothing(connect, neighbours):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        addresses(connect())


def test_the_web_role_without_an_organisation_is_an_error(connect, neighbours):
    with pytest.raises(psycopg.errors.InvalidTextRepresentation):
        addresses(connect(roles.APP))


def test_the_web_role_reads_its_organisation_alone(connect, neighbours):
    assert addresses(connect(roles.APP, neighbours[0])) == ["ours@example.com"]


def test_the_platform_role_reads_all(connect, neighbours):
    assert addresses(connect(roles.PLATFORM)) == ["ours@example.com", "theirs@example.com"]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_invitation SET role = 'admin' WHERE email = 'theirs@example.com'",
        "DELETE FROM accounts_invitation WHERE email = 'theirs@example.com'",
    ],
)
def test_the_neighbours_rows_cannot_be_changed(connect, neighbours, statement):
    assert connect(roles.APP, neighbours[0]).execute(statement).rowcount == 0


def test_a_row_cannot_be_moved_to_the_neighbour(connect, neighbours):
    session = connect(roles.APP, neighbours[0])

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        session.execute("UPDATE accounts_invitation SET organisation_id = %s", [neighbours[1].pk])


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_user SET is_superuser = true",
        "UPDATE accounts_user SET is_staff = true",
        "UPDATE accounts_user SET is_active = true",
        "INSERT INTO accounts_identity (user_id, issuer, subject, created_at) VALUES (1, 'i', 's', now())",
        "UPDATE tenants_organisation SET plan = 'enterprise'",
        "UPDATE modules_analyticsmodule SET status = 'active'",
        "UPDATE tenants_auditevent SET reason = ''",
        "DELETE FROM tenants_auditevent",
        "TRUNCATE tenants_auditevent",
        "CREATE TABLE mine (id int)",
        "DROP TABLE accounts_invitation",
        "ALTER TABLE accounts_invitation DISABLE ROW LEVEL SECURITY",
        "SELECT marketedge_audit_row()",
    ],
)
def test_the_web_role_cannot(connect, neighbours, statement):
    make_user()

    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect(roles.APP, neighbours[0]).execute(statement)


@pytest.mark.parametrize("statement", ["UPDATE tenants_auditevent SET reason = ''", "DELETE FROM tenants_auditevent"])
def test_not_even_the_platform_role_rewrites_the_audit(connect, neighbours, statement):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect(roles.PLATFORM).execute(statement)


def test_an_audit_line_cannot_be_written_into_the_neighbours_log(connect, neighbours):
    session = connect(roles.APP, neighbours[0])

    with pytest.raises(psycopg.errors.InsufficientPrivilege, match="row-level security"):
        session.execute(
            "INSERT INTO tenants_auditevent (id, occurred_at, kind, action, organisation_id, actor_email, request_id,"
            " reason, target_table, target_id, data)"
            " VALUES (gen_random_uuid(), now(), 'event', 'x', %s, '', '', '', '', '', '{}')",
            [neighbours[1].pk],
        )


def test_the_web_login_is_fit_for_the_web(connect):
    assert privileges.faults_of_login(connect().cursor()) == []


def test_an_owner_is_not_fit_for_the_web():
    with connection.cursor() as cursor:
        assert "it owns tables" in privileges.faults_of_login(cursor)


def test_a_privileged_database_url_is_refused():
    wrapper = base.DatabaseWrapper({**connection.settings_dict, "LOGIN": "web"})

    with pytest.raises(base.PrivilegedLogin, match="voids row security: it owns tables"):
        wrapper.connect()
