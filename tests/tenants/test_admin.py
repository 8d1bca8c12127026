"""Organisations, memberships and the audit in the admin site."""

import pytest

from tenants import scope
from tenants.models import AuditEvent, Membership, Organisation
from tests.factories import make_client_token, make_member, make_organisation, make_superuser, make_user

pytestmark = pytest.mark.django_db
FORM = {"name": "Lumen", "slug": "lumen", "industry": "cinema", "sector": "59140", "plan": "basic", "status": "active"}


@pytest.fixture
def superuser(client):
    user = make_superuser(email="super@example.com")
    client.force_login(user)
    return user


def events(**filters) -> list[AuditEvent]:
    with scope.login():
        return list(AuditEvent.objects.filter(**filters).order_by("occurred_at"))


def test_an_organisation_is_created_with_one_event(client, superuser):
    client.post("/admin/tenants/organisation/add/", {**FORM, "reason": "new client"})

    [event] = events(kind="event")
    assert (event.action, event.reason, event.organisation) == (
        "organisation.created",
        "new client",
        Organisation.objects.get(slug="lumen"),
    )


def test_saving_without_a_change_writes_no_event(client, superuser):
    organisation = make_organisation(**FORM)

    client.post(f"/admin/tenants/organisation/{organisation.pk}/change/", {**FORM, "auth0_organisation_id": ""})

    assert events(kind="event") == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"slug": "taken"}, "already exists"),
        ({"sector": "cinema"}, "SIC 2007"),
        ({"name": "x" * 201}, "at most 200 characters"),
        ({"plan": "platinum"}, "Select a valid choice"),
    ],
)
def test_bad_input_is_a_clear_error(client, superuser, changes, words):
    make_organisation("Taken", slug="taken")

    response = client.post("/admin/tenants/organisation/add/", {**FORM, **changes})

    assert (response.status_code, words in response.content.decode()) == (200, True)


def test_suspending_first_lists_who_is_affected(client, superuser):
    organisation = make_organisation("Lumen")
    make_member(organisation)

    page = client.post("/admin/tenants/organisation/", {"action": "suspend", "_selected_action": [organisation.pk]})

    assert "members who can no longer work in it: 1" in page.content.decode()
    assert Organisation.objects.get(pk=organisation.pk).is_suspended is False


def test_confirmed_with_a_reason_organisations_are_suspended(client, superuser):
    organisation = make_organisation("Lumen")
    form = {"action": "suspend", "_selected_action": [organisation.pk], "confirmed": "yes", "reason": "unpaid"}

    client.post("/admin/tenants/organisation/", form)

    assert [event.reason for event in events(action="organisation.suspended")] == ["unpaid"]
    assert Organisation.objects.get(pk=organisation.pk).is_suspended is True


def test_an_organisation_cannot_be_deleted(client, superuser):
    organisation = make_organisation()

    assert client.post(f"/admin/tenants/organisation/{organisation.pk}/delete/", {"post": "yes"}).status_code == 403


def test_the_page_of_an_organisation_shows_what_belongs_to_it(client, superuser):
    organisation = make_organisation("Lumen")
    make_member(organisation, email="ben@example.com")
    other = make_organisation("Other")
    make_member(other, email="other@example.com")
    for each in (organisation, other):
        make_client_token(each)

    lists = client.get(f"/admin/tenants/organisation/{organisation.pk}/change/").context["related_lists"]

    assert [(shown.title, shown.total) for shown in lists] == [
        ("Members", 1),
        ("Invitations", 0),
        ("Client tokens", 1),
        ("Entitlements", 0),
    ]


def test_a_membership_is_made_changed_and_removed_each_with_its_event(client, superuser):
    organisation, user = make_organisation(), make_user()
    add = {"organisation": organisation.pk, "user": user.pk, "role": "viewer", "reason": ""}

    client.post("/admin/tenants/membership/add/", add)
    with scope.login():
        membership = Membership.objects.get()
    client.post(f"/admin/tenants/membership/{membership.pk}/change/", {"role": "admin", "reason": "promoted"})
    client.post(f"/admin/tenants/membership/{membership.pk}/delete/", {"post": "yes"})

    assert [event.action for event in events(kind="event")] == [
        "membership.added",
        "membership.role_changed",
        "membership.removed",
    ]


def test_the_same_membership_twice_is_a_clear_error(client, superuser):
    organisation = make_organisation()
    user = make_member(organisation)

    form = {"organisation": organisation.pk, "user": user.pk, "role": "viewer"}
    response = client.post("/admin/tenants/membership/add/", form)

    assert (response.status_code, "already exists" in response.content.decode()) == (200, True)


@pytest.mark.parametrize("path", ["add/", "{pk}/delete/"])
def test_the_audit_cannot_be_written_in_the_admin_site(client, superuser, path):
    make_organisation()
    event = events()[0]

    assert client.post(f"/admin/tenants/auditevent/{path.format(pk=event.pk)}", {"post": "yes"}).status_code == 403


def test_an_event_shows_the_rows_that_it_changed(client, superuser):
    client.post("/admin/tenants/organisation/add/", FORM)
    [event] = events(kind="event")

    page = client.get(f"/admin/tenants/auditevent/{event.pk}/change/").content.decode()

    assert "insert tenants_organisation" in page


@pytest.mark.parametrize(("text", "status"), [("lumen", 200), ("x" * 5000, 200), ("%00", 400)])
def test_any_search_is_answered(client, superuser, text, status):
    assert client.get(f"/admin/tenants/auditevent/?q={text}").status_code == status
