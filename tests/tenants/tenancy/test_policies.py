"""Row security is found wanting whenever it is not exactly as the code declares it."""

import pytest

from tenants.tenancy import policies

ROW = "accounts_invitation"
BROKEN = {
    f"ALTER TABLE {ROW} NO FORCE ROW LEVEL SECURITY": "row security is not forced upon the owner",
    f"ALTER TABLE {ROW} DISABLE ROW LEVEL SECURITY": "row security is off",
    f"DROP POLICY organisation ON {ROW}": "the policy organisation is missing",
    f"ALTER POLICY organisation ON {ROW} USING (true)": "the policy organisation shows other rows: USING true",
    f"ALTER POLICY organisation ON {ROW} WITH CHECK (true)": (
        "the policy organisation accepts other rows: WITH CHECK true"
    ),
    f"ALTER POLICY organisation ON {ROW} TO PUBLIC": "the policy organisation is for public",
    f"ALTER POLICY platform ON {ROW} TO marketedge_platform, marketedge_app": (
        "the policy platform is for marketedge_app, marketedge_platform"
    ),
    f"CREATE POLICY bypass ON {ROW} USING (true)": "the policy bypass is nobody's",
    f"DROP POLICY platform ON {ROW}; CREATE POLICY platform ON {ROW} FOR SELECT TO marketedge_platform USING (true)": (
        "the policy platform is for SELECT, expected ALL"
    ),
    f"DROP POLICY platform ON {ROW}; CREATE POLICY platform ON {ROW} AS RESTRICTIVE TO marketedge_platform": (
        "the policy platform is restrictive"
    ),
}


def test_the_migrations_write_what_is_declared(cursor):
    report = policies.examine(cursor)

    assert [(finding.state, finding.subject) for finding in report.findings] == [("ok", "row security")]


@pytest.mark.parametrize("statement", BROKEN)
def test_a_difference_is_said_with_its_table(cursor, problems, statement):
    cursor.execute(statement)

    assert problems(policies.examine(cursor)) == [f"row security: {ROW}: {BROKEN[statement]}"]


def test_every_tenant_table_is_looked_at(cursor, problems):
    tables = sorted(policies._declared())
    for table in tables:
        cursor.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")

    assert problems(policies.examine(cursor)) == [
        f"row security: {table}: row security is not forced upon the owner" for table in tables
    ]


def test_a_table_that_is_gone_is_said(cursor, problems):
    cursor.execute(f"ALTER TABLE {ROW} RENAME TO elsewhere")

    assert problems(policies.examine(cursor)) == [f"row security: {ROW} does not exist"]
