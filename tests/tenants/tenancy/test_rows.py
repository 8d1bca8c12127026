"""Rows that lead astray are found, and so are keys that would not hold them."""

import pytest
from django.db import connection

from modules.models import ApplicationGrant
from tenants import scope
from tenants.models import Membership
from tenants.tenancy import rows
from tests.factories import make_member, make_organisation, make_user


def test_the_migrations_make_every_key(cursor):
    report = rows.examine_keys(cursor)

    assert [(finding.state, finding.subject) for finding in report.findings] == [("ok", "keys")]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        (
            "ALTER TABLE modules_applicationgrant DROP CONSTRAINT application_grant_membership",
            "keys: modules_applicationgrant (organisation_id, membership_id) is not held to tenants_membership",
        ),
        (
            "ALTER TABLE modules_applicationgrant DROP CONSTRAINT application_grant_membership; ALTER TABLE"
            " modules_applicationgrant ADD FOREIGN KEY (membership_id) REFERENCES tenants_membership (id)",
            "keys: modules_applicationgrant (organisation_id, membership_id) is not held to tenants_membership",
        ),
        (
            "ALTER TABLE modules_applicationgrant DROP CONSTRAINT application_grant_membership; ALTER TABLE"
            " modules_applicationgrant ADD FOREIGN KEY (organisation_id, membership_id)"
            " REFERENCES tenants_membership (organisation_id, id) NOT VALID",
            "keys: modules_applicationgrant (organisation_id, membership_id) is not held to tenants_membership",
        ),
        (
            "CREATE TABLE copy_of_prices (organisation_id bigint)",
            "tables: copy_of_prices holds organisations' rows, and no model knows it",
        ),
    ],
)
def test_a_key_that_does_not_hold_is_said(cursor, problems, statement, words):
    cursor.execute(statement)

    assert problems(rows.examine_keys(cursor)) == [words]


@pytest.fixture
def seats(cursor):
    """Two organisations with a person in each, and the keys of their grants and memberships gone."""
    ours, theirs = make_organisation(), make_organisation()
    for organisation in (ours, theirs):
        make_member(organisation, applications=["market_edge"])
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute("ALTER TABLE modules_applicationgrant DROP CONSTRAINT application_grant_membership")
    return ours, theirs


def test_rows_that_fit_are_well(cursor, seats):
    report = rows.examine_rows(cursor)

    assert [(finding.state, finding.subject) for finding in report.findings] == [("ok", "rows")]


def test_a_row_that_leads_to_the_neighbour_is_counted(cursor, seats, problems):
    membership = Membership.unscoped.get(organisation=seats[1])
    ApplicationGrant.unscoped.create(organisation=seats[0], membership=membership, application="value_edge")

    assert problems(rows.examine_rows(cursor)) == [
        "rows: 1 row of modules_applicationgrant lead to another organisation's tenants_membership by membership_id"
    ]


def test_a_row_that_leads_nowhere_is_counted(cursor, seats, problems):
    cursor.execute("DELETE FROM tenants_membership")

    assert problems(rows.examine_rows(cursor)) == [
        "rows: 2 rows of modules_applicationgrant lead to a row of tenants_membership that is gone by membership_id"
    ]


def test_a_membership_of_somebody_who_is_gone_is_counted(cursor, problems):
    person = make_user()
    make_member(make_organisation(), user=person, applications=[])
    name = key_name(cursor)
    cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
    cursor.execute(f"ALTER TABLE tenants_membership DROP CONSTRAINT {name}")
    cursor.execute("DELETE FROM accounts_user WHERE id = %s", [person.pk])

    assert problems(rows.examine_rows(cursor)) == [
        "rows: 1 row of tenants_membership lead to a row of accounts_user that is gone by user_id"
    ]


def key_name(cursor) -> str:
    cursor.execute(
        "SELECT conname FROM pg_constraint WHERE conrelid = 'tenants_membership'::regclass AND contype = 'f'"
        " AND confrelid = 'accounts_user'::regclass"
    )
    return connection.ops.quote_name(cursor.fetchone()[0])


def test_tables_with_rows_of_several_organisations_are_known(cursor, seats):
    assert rows.shared_tables(cursor) == ["tenants_membership", "tenants_auditevent", "modules_applicationgrant"]


def test_the_platform_sees_what_the_owner_sees(seats):
    with scope.platform(), connection.cursor() as cursor:
        assert len(rows.shared_tables(cursor)) == 3
