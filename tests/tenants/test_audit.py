"""One event for each action, with the changed rows below it, and no way round."""

import pytest
from django.db import connection

from tenants import actions, audit, scope
from tenants.models import AuditEvent, Membership, Organisation, Role
from tests.factories import make_member, make_organisation, make_user

pytestmark = pytest.mark.django_db


def events(**filters) -> list[AuditEvent]:
    with scope.login():
        return list(AuditEvent.objects.filter(**filters).order_by("occurred_at", "id"))


def test_an_action_is_one_event_with_its_row_changes():
    superuser, organisation = make_user("super@example.com"), make_organisation("Ours", plan="basic")
    organisation.plan = "enterprise"

    with scope.platform():
        actions.change_organisation(organisation, by=superuser, reason="upgrade")

    [event] = events(action="organisation.changed")
    [row] = events(event_id=event.pk)
    assert (event.actor_email, event.reason, event.organisation) == ("super@example.com", "upgrade", organisation)
    assert (row.target_table, row.data) == ("tenants_organisation", {"plan": ["basic", "enterprise"]})


def test_raw_sql_is_written_down_too():
    organisation = make_organisation()

    with scope.platform(), connection.cursor() as cursor:
        cursor.execute("UPDATE tenants_organisation SET plan = 'enterprise' WHERE id = %s", [organisation.pk])

    assert [row.data for row in events(action="update", organisation=organisation)] == [
        {"plan": ["basic", "enterprise"]}
    ]


def test_bulk_updates_are_written_down_row_by_row():
    organisation = make_organisation()
    for _ in range(3):
        make_member(organisation, applications=[])

    with scope.organisation(organisation.pk):
        Membership.objects.update(role=Role.ADMIN)

    assert len(events(action="update", target_table="tenants_membership")) == 3


def test_a_change_that_is_rolled_back_leaves_no_event():
    organisation = make_organisation()

    with pytest.raises(ZeroDivisionError), scope.platform(), audit.action("x.changed", organisation=organisation):
        raise ZeroDivisionError

    assert events(action="x.changed") == []


def test_signing_in_does_not_count_as_a_change_of_the_person():
    user = make_user()
    before = len(events(target_table="accounts_user"))

    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET last_login = now() WHERE id = %s", [user.pk])

    assert len(events(target_table="accounts_user")) == before


def test_an_organisation_reads_its_own_events_alone():
    ours, theirs = make_organisation("Ours"), make_organisation("Theirs")

    with scope.organisation(ours.pk):
        seen = set(AuditEvent.objects.values_list("organisation__name", flat=True))

    assert theirs.name == "Theirs"
    assert seen == {"Ours"}


def test_a_nested_action_gives_the_event_back_to_the_outer_one():
    with scope.platform(), audit.action("outer") as outer:
        actions.create_organisation(Organisation(name="Inner", slug="inner"), by=None)
        Organisation.objects.filter(slug="inner").update(plan="enterprise")

    [row] = events(event_id=outer.pk)
    assert row.data == {"plan": ["basic", "enterprise"]}
