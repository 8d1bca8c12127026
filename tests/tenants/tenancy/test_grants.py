"""Privileges are found wanting whenever they are not those of the list."""

import pytest

from tenants.tenancy import grants
from tests.tenants.tenancy.conftest import WEB

BROKEN = {
    "GRANT UPDATE ON tenants_organisation TO marketedge_app": (
        "marketedge_app may UPDATE tenants_organisation, which it need not"
    ),
    "GRANT UPDATE (is_superuser) ON accounts_user TO marketedge_app": (
        "marketedge_app may UPDATE (is_superuser) accounts_user, which it need not"
    ),
    "GRANT DELETE ON tenants_auditevent TO marketedge_platform": (
        "marketedge_platform may DELETE tenants_auditevent, which it need not"
    ),
    "GRANT SELECT ON accounts_user TO marketedge_person": (
        "marketedge_person may SELECT accounts_user, which it need not"
    ),
    f"GRANT SELECT ON accounts_user TO {WEB}": f"{WEB} may SELECT accounts_user, which it need not",
    "GRANT SELECT ON accounts_user TO PUBLIC": "PUBLIC may SELECT accounts_user, which it need not",
    "REVOKE INSERT ON tenants_auditevent FROM marketedge_app": (
        "marketedge_app may not INSERT tenants_auditevent, which it needs"
    ),
    "CREATE VIEW everything AS SELECT * FROM accounts_invitation; GRANT SELECT ON everything TO marketedge_app": (
        "marketedge_app may SELECT everything, which it need not"
    ),
    "CREATE FUNCTION mighty() RETURNS int LANGUAGE sql SECURITY DEFINER AS 'SELECT 1';"
    "REVOKE ALL ON FUNCTION mighty() FROM PUBLIC; GRANT EXECUTE ON FUNCTION mighty() TO marketedge_app": (
        "marketedge_app may call mighty, which works with the rights of its owner"
    ),
    "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO marketedge_app": (
        "marketedge_app is granted what is made from now on"
    ),
}


def test_the_migrations_grant_what_is_listed(cursor):
    report = grants.examine(cursor, web=WEB)

    assert [(finding.state, finding.subject) for finding in report.findings] == [("ok", "privileges")]


@pytest.mark.parametrize("statement", BROKEN)
def test_a_difference_is_said(cursor, problems, statement):
    cursor.execute(statement)

    assert problems(grants.examine(cursor, web=WEB)) == [f"privileges: {BROKEN[statement]}"]
