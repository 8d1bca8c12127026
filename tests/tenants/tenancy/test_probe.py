"""What the web would see is tried, and a leak is said whatever caused it."""

import pytest

from tenants import scope
from tenants.tenancy import probe
from tests.factories import make_member, make_organisation

TABLES = ["tenants_membership"]


@pytest.fixture
def neighbours(cursor):
    for _ in range(2):
        make_member(make_organisation(), applications=[])
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def tried(shared=TABLES):
    with scope.nobody():
        return probe.examine(shared)


def test_with_row_security_nothing_shows(neighbours):
    assert [(finding.state, finding.says) for finding in tried().findings] == [
        ("ok", "without an organisation, 9 tables refuse to answer"),
        ("ok", "inside an organisation no row of another shows; 1 of 9 tables hold such rows"),
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE tenants_membership DISABLE ROW LEVEL SECURITY",
        "ALTER POLICY organisation ON tenants_membership USING (true)",
    ],
)
def test_without_row_security_it_shows(cursor, neighbours, problems, statement):
    cursor.execute(statement)

    assert problems(tried()) == [
        "probe: without an organisation, tenants_membership shows rows",
        "probe: inside an organisation, tenants_membership shows 2 rows of others",
    ]


def test_nothing_to_leak_is_said(db):
    assert [finding.state for finding in tried(shared=[]).findings] == ["ok", "note"]
