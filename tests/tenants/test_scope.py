"""The three states of scope, on real PostgreSQL roles."""

import pytest
from django.db import DatabaseError, connection, transaction

from accounts.models import Invitation
from tenants import scope
from tenants.models import Membership
from tests.factories import make_invitation, make_member, make_organisation

pytestmark = pytest.mark.django_db


def emails() -> list[str]:
    return sorted(Invitation.objects.values_list("email", flat=True))


def raw_count(table: str = "accounts_invitation") -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        return cursor.fetchone()[0]


@pytest.fixture
def two_organisations():
    ours, theirs = make_organisation("Ours"), make_organisation("Theirs")
    make_invitation(ours, "ours@example.com")
    make_invitation(theirs, "theirs@example.com")
    return ours, theirs


def test_without_a_scope_the_manager_raises(two_organisations):
    with pytest.raises(scope.ScopeRequired):
        Invitation.objects.count()


@pytest.mark.parametrize("read", [Invitation.unscoped.count, raw_count], ids=["unscoped manager", "raw SQL"])
def test_without_a_scope_the_database_raises(two_organisations, read):
    with pytest.raises(DatabaseError, match="invalid input syntax for type bigint"), transaction.atomic():
        read()


@pytest.mark.parametrize("read", [Invitation.unscoped.count, raw_count], ids=["unscoped manager", "raw SQL"])
def test_no_way_of_reading_leaves_the_organisation(two_organisations, read):
    ours, _ = two_organisations

    with scope.organisation(ours.pk):
        assert read() == 1


def test_the_platform_sees_all(two_organisations):
    with scope.platform():
        assert emails() == ["ours@example.com", "theirs@example.com"]


def test_two_organisations_interleave_on_one_connection(two_organisations):
    ours, theirs = two_organisations
    seen = []

    for organisation in (ours, theirs, ours):
        with scope.organisation(organisation.pk):
            seen.append(emails())

    assert seen == [["ours@example.com"], ["theirs@example.com"], ["ours@example.com"]]


def test_an_inner_scope_gives_way_to_the_outer_one(two_organisations):
    ours, theirs = two_organisations

    with scope.organisation(ours.pk):
        with scope.organisation(theirs.pk):
            emails()

        assert emails() == ["ours@example.com"]


def test_a_savepoint_rollback_does_not_serve_the_previous_organisation(two_organisations):
    ours, theirs = two_organisations
    with scope.organisation(ours.pk):
        undone = transaction.savepoint()

    with scope.organisation(theirs.pk):
        emails()
        transaction.savepoint_rollback(undone)

        assert (emails(), raw_count()) == (["theirs@example.com"], 1)


def test_a_failed_statement_in_a_savepoint_does_not_serve_the_previous_organisation(two_organisations):
    ours, theirs = two_organisations
    with scope.organisation(ours.pk):
        emails()

    with scope.organisation(theirs.pk):
        with pytest.raises(DatabaseError), transaction.atomic():
            raw_count("no_such_table")

        assert (emails(), raw_count()) == (["theirs@example.com"], 1)


def test_a_person_reads_their_own_memberships_before_choosing_an_organisation(two_organisations):
    ours, theirs = two_organisations
    user = make_member(ours)
    make_member(theirs)

    with scope.person(user.pk):
        assert [membership.organisation for membership in Membership.objects.with_organisations()] == [ours]


def test_a_person_reads_nothing_else(two_organisations):
    user = make_member(two_organisations[0])

    with pytest.raises(DatabaseError, match="permission denied"), scope.person(user.pk), transaction.atomic():
        Invitation.objects.count()


def test_the_manager_filters_by_itself_ahead_of_row_security():
    with scope.organisation(7):
        assert str(Invitation.objects.all().query).endswith('WHERE "accounts_invitation"."organisation_id" = 7')
