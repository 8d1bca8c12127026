"""People and invitations in the admin site: audited, confirmed, and nobody raises themselves."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Invitation, User
from tenants import scope
from tenants.models import AuditEvent
from tests.factories import make_invitation, make_member, make_organisation, make_superuser, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def superuser(client):
    user = make_superuser(email="super@example.com")
    client.force_login(user)
    return user


@pytest.fixture
def staff(client):
    """Zebra staff who may edit people, and nothing more."""
    user = make_user("staff@example.com", is_staff=True)
    with scope.login():
        user.user_permissions.set(Permission.objects.filter(content_type__app_label="accounts"))
    client.force_login(user)
    return user


def person_form(user: User, **changes) -> dict:
    return {"name": user.name, "is_active": "on", "reason": "because", **changes}


def again(user: User) -> User:
    return User.objects.get(pk=user.pk)


def events(action: str) -> list[AuditEvent]:
    with scope.login():
        return list(AuditEvent.objects.filter(action=action))


def test_a_superuser_makes_somebody_staff_with_a_reason(client, superuser):
    user = make_user()

    client.post(f"/admin/accounts/user/{user.pk}/change/", person_form(user, is_staff="on"))

    [event] = events("person.changed")
    assert (again(user).is_staff, event.actor, event.reason) == (True, superuser, "because")


@pytest.mark.parametrize("privilege", ["is_superuser", "is_staff"])
def test_staff_cannot_hand_out_privileges(client, staff, privilege):
    user = make_user()

    client.post(f"/admin/accounts/user/{user.pk}/change/", person_form(user, name="New", **{privilege: "on"}))

    assert (again(user).name, getattr(again(user), privilege)) == ("New", False)


def test_staff_cannot_raise_themselves(client, staff):
    client.post(f"/admin/accounts/user/{staff.pk}/change/", person_form(staff, is_superuser="on", is_staff="on"))

    assert again(staff).is_superuser is False


def test_staff_cannot_edit_a_superuser(client, staff):
    above = make_superuser()

    response = client.post(f"/admin/accounts/user/{above.pk}/change/", {"name": "Changed"})

    assert (response.status_code, again(above).name) == (403, "")


def test_the_last_superuser_stays(client, superuser):
    response = client.post(f"/admin/accounts/user/{superuser.pk}/change/", person_form(superuser, is_superuser=""))

    assert "last active superuser" in response.content.decode()
    assert again(superuser).is_superuser is True


def test_the_last_superuser_stays_also_when_another_stepped_down_since_the_form_looked(client, superuser, monkeypatch):
    monkeypatch.setattr("accounts.actions.is_last_superuser", lambda person: False)

    response = client.post(
        f"/admin/accounts/user/{superuser.pk}/change/", person_form(superuser, is_superuser=""), follow=True
    )

    assert "Not saved. This is the last active superuser" in response.content.decode()
    assert again(superuser).is_superuser is True


def bulk(client, model: str, action: str, row, **fields):
    return client.post(f"/admin/{model}/", {"action": action, "_selected_action": [row.pk], **fields})


def test_deactivating_people_first_lists_what_they_lose(client, superuser):
    user = make_member(make_organisation(), email="leaver@example.com")

    page = bulk(client, "accounts/user", "deactivate", user)

    assert "organisations that the person can no longer enter: 1" in page.content.decode()
    assert again(user).is_active is True


@pytest.mark.parametrize("reason", ["", "  ", "\x00", "x" * 501])
def test_deactivating_people_needs_a_reason_of_bounded_length(client, superuser, reason):
    user = make_user()

    page = bulk(client, "accounts/user", "deactivate", user, confirmed="yes", reason=reason)

    assert ("Say why" in page.content.decode(), again(user).is_active) == (True, True)


def test_confirmed_with_a_reason_people_are_deactivated(client, superuser):
    user = make_user()

    bulk(client, "accounts/user", "deactivate", user, confirmed="yes", reason="left")

    assert (again(user).is_active, [event.reason for event in events("person.deactivated")]) == (False, ["left"])


def invitation_form(organisation, **changes) -> dict:
    expires = timezone.now() + timedelta(days=3)
    return {
        "organisation": organisation.pk,
        "email": "new@example.com",
        "role": "analyst",
        "expires_at_0": f"{expires:%Y-%m-%d}",
        "expires_at_1": f"{expires:%H:%M}",
        "reason": "joins",
        **changes,
    }


def test_an_invitation_is_made_in_the_admin_site(client, superuser):
    organisation = make_organisation()

    client.post("/admin/accounts/invitation/add/", invitation_form(organisation))

    with scope.login():
        invitation = Invitation.objects.get()
    assert (invitation.email, invitation.role, invitation.invited_by) == ("new@example.com", "analyst", superuser)
    assert [event.organisation for event in events("invitation.made")] == [organisation]


def test_a_second_open_invitation_for_an_address_is_a_clear_error(client, superuser):
    organisation = make_organisation()
    make_invitation(organisation, "new@example.com")

    response = client.post("/admin/accounts/invitation/add/", invitation_form(organisation, email="NEW@example.com"))

    assert "already has an open invitation" in response.content.decode()


def test_an_address_that_nobody_can_sign_in_with_is_not_invited(client, superuser):
    form = invitation_form(make_organisation(), email="new@m\u00fcller.example")

    response = client.post("/admin/accounts/invitation/add/", form)

    with scope.login():
        assert ("beyond plain ASCII" in response.content.decode(), Invitation.objects.count()) == (True, 0)


def test_invitations_are_withdrawn_after_confirmation(client, superuser):
    invitation = make_invitation(make_organisation(), "new@example.com")

    bulk(client, "accounts/invitation", "withdraw", invitation, confirmed="yes", reason="mistake")

    with scope.login():
        invitation.refresh_from_db()
    assert invitation.withdrawn_at is not None


@pytest.mark.parametrize(
    "model", ["accounts/user", "accounts/invitation", "tenants/membership", "tenants/organisation"]
)
def test_lists_ask_the_same_number_of_queries_whatever_their_length(client, superuser, model):
    counts = []
    for more in (1, 3):
        for _ in range(more):
            organisation = make_organisation()
            make_member(organisation)
            make_invitation(organisation, f"{organisation.slug}@example.com")
        client.get(f"/admin/{model}/")
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/admin/{model}/")
        counts.append(len(queries))

    assert counts[0] == counts[1]


@pytest.mark.parametrize("field", ["user", "organisation"])
def test_choices_are_given_to_staff_with_permission_alone(client, field):
    make_organisation("Lumen")
    asked = {"app_label": "tenants", "model_name": "membership", "field_name": field, "term": ""}
    answers = []
    for user in (make_user(), make_user(is_staff=True), make_superuser()):
        client.force_login(user)
        answers.append(client.get("/admin/autocomplete/", asked).status_code)

    assert answers == [302, 403, 200]


def test_permissions_are_handed_out_with_one_event_that_lists_them(client, superuser):
    user = make_user(is_staff=True)
    permission = Permission.objects.get(codename="view_organisation")

    form = person_form(user, is_staff="on", user_permissions=[permission.pk])
    client.post(f"/admin/accounts/user/{user.pk}/change/", form)

    [event] = events("person.permissions_set")
    assert (event.data["permissions"], event.reason) == (["view_organisation"], "because")
    assert events("person.changed") == []


def test_a_group_is_saved_with_one_event_that_lists_its_permissions(client, superuser):
    permission = Permission.objects.get(codename="view_organisation")

    client.post("/admin/auth/group/add/", {"name": "Support", "permissions": [permission.pk], "reason": "new team"})

    [event] = events("group.saved")
    assert (event.data, event.reason) == ({"group": "Support", "permissions": ["view_organisation"]}, "new team")
    assert list(Group.objects.get().permissions.all()) == [permission]


def test_staff_cannot_edit_groups_even_with_permissions_of_the_library(client):
    user = make_user(is_staff=True)
    with scope.login():
        user.user_permissions.set(Permission.objects.filter(content_type__app_label="auth"))
    client.force_login(user)

    assert [client.get(f"/admin/auth/group/{path}").status_code for path in ("", "add/")] == [403, 403]


@pytest.mark.parametrize("path", ["accounts/invitation/add/", "tenants/membership/add/"])
def test_staff_cannot_give_themselves_a_place_in_an_organisation(client, path):
    user = make_user("staff@example.com", is_staff=True)
    organisation = make_organisation()
    with scope.login():
        user.user_permissions.set(Permission.objects.filter(codename__in=["add_invitation", "add_membership"]))
    client.force_login(user)

    form = invitation_form(organisation, email="STAFF@example.com", role="admin", user=user.pk)
    response = client.post(f"/admin/{path}", form)

    assert "Only a superuser gives staff" in response.content.decode()
    assert seats_of(user) == []


def seats_of(user: User) -> list:
    with scope.login():
        return [*user.memberships.all(), *Invitation.objects.filter(email__iexact=user.email)]
