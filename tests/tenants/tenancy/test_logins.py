"""Roles and the web's login are found wanting whenever they are more than they were made."""

from collections.abc import Iterator

import psycopg
import pytest
from django.db import connection

from tenants.tenancy import logins
from tests import environment
from tests.tenants.tenancy.conftest import WEB

BROKEN = {
    "ALTER ROLE marketedge_app INHERIT": [
        "roles: marketedge_app inherits what it is a member of (make it NOINHERIT)",
    ],
    "ALTER ROLE marketedge_app LOGIN": ["roles: marketedge_app may log in"],
    "ALTER ROLE marketedge_platform CREATEDB": ["roles: marketedge_platform may make databases"],
    "GRANT marketedge_platform TO marketedge_app": ["roles: marketedge_app is a member of marketedge_platform"],
    f"GRANT CREATE ON SCHEMA public TO {WEB}": [f"database login: {WEB} may create tables in the schema public"],
    f"ALTER ROLE {WEB} CREATEDB": [f"database login: {WEB} may make databases"],
    "CREATE ROLE stranger LOGIN; GRANT marketedge_platform TO stranger": [
        "roles: stranger is a member of marketedge_platform"
    ],
    f"CREATE ROLE helper; GRANT helper TO {WEB}": [f"database login: {WEB} is a member of helper"],
    f"GRANT TEMPORARY ON DATABASE {{database}} TO {WEB}": [
        f"database login: {WEB} may create temporary tables, which hide the real ones"
    ],
    f"GRANT CREATE ON DATABASE {{database}} TO {WEB}": [f"database login: {WEB} may create schemas"],
    "GRANT TEMPORARY ON DATABASE {database} TO PUBLIC": [
        f"database login: {WEB} may create temporary tables, which hide the real ones"
    ],
}


def test_roles_and_login_are_as_they_were_made(cursor):
    report = logins.examine(cursor, web=WEB)

    assert [(finding.state, finding.subject) for finding in report.findings] == [
        ("ok", "roles"),
        ("ok", "database login"),
    ]


@pytest.mark.parametrize("statement", BROKEN)
def test_what_is_too_mighty_is_said(cursor, problems, statement):
    cursor.execute(statement.format(database=connection.settings_dict["NAME"]))

    assert problems(logins.examine(cursor, web=WEB)) == BROKEN[statement]


def test_an_owner_is_no_login_for_the_web(cursor, problems):
    owner = connection.settings_dict["USER"]

    found = problems(logins.examine(cursor, web=owner))

    assert f"database login: {owner} owns tables or functions" in found
    assert f"database login: {owner} owns the database" in found


def test_a_login_that_is_not_there_is_said(cursor, problems):
    assert "database login: nobody does not exist" in problems(logins.examine(cursor, web="nobody"))


@pytest.fixture
def superuser() -> Iterator[psycopg.Connection]:
    """What the owner may not do, it may; what it did is taken back."""
    if not environment._servers:
        pytest.skip("needs a superuser: the embedded PostgreSQL's")
    with environment._servers[0]._superuser() as session:
        yield session
        for role in ("marketedge_app", WEB):
            session.execute(f"ALTER ROLE {role} NOSUPERUSER NOBYPASSRLS NOREPLICATION NOCREATEROLE")


@pytest.mark.parametrize("role", ["marketedge_app", WEB])
@pytest.mark.parametrize(
    ("attribute", "words"),
    [
        ("BYPASSRLS", "has BYPASSRLS"),
        ("SUPERUSER", "is a superuser"),
        ("REPLICATION", "may replicate"),
        ("CREATEROLE", "may make roles"),
    ],
)
def test_a_role_past_row_security_is_said(cursor, problems, superuser, role, attribute, words):
    superuser.execute(f"ALTER ROLE {role} {attribute}")
    superuser.commit()

    assert f"{role} {words}" in " ".join(problems(logins.examine(cursor, web=WEB)))


def test_a_login_that_inherits_is_said(cursor, problems, superuser):
    superuser.execute(f"ALTER ROLE {WEB} INHERIT; GRANT marketedge_platform TO {WEB} WITH INHERIT TRUE")
    superuser.commit()

    found = problems(logins.examine(cursor, web=WEB))

    superuser.execute(f"ALTER ROLE {WEB} NOINHERIT; GRANT marketedge_platform TO {WEB} WITH INHERIT FALSE")
    superuser.commit()
    assert found == [
        f"database login: {WEB} inherits what it is a member of (make it NOINHERIT)",
        f"database login: {WEB} has the rights of marketedge_platform without taking the role",
    ]
