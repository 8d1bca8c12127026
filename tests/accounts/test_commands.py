"""Ops let people in: invitations, and the one-time link of the first superuser."""

import io
from datetime import timedelta
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from accounts.actions import hash_of
from accounts.local_provider.tokens import Faults
from accounts.models import Invitation, PlatformAdminLink, User
from tenants import scope
from tenants.models import AuditEvent
from tests.accounts.conftest import query_of
from tests.factories import make_invitation, make_member, make_organisation, make_superuser

pytestmark = pytest.mark.django_db
BEN, BEN_ADDRESS = "demonstration|cinema-analyst", "ben@lumen-cinemas.example"


def run(*arguments: str) -> str:
    output = io.StringIO()
    call_command(*arguments, stdout=output)
    return output.getvalue()


def test_an_invitation_is_made_with_its_reason_and_says_what_comes_next(settings):
    make_organisation("Lumen")

    told = run("invite", "new@example.com", "lumen", "analyst", "--reason", "joins")

    assert f"{settings.PUBLIC_URL}/" in told
    with scope.login():
        assert (Invitation.objects.get().role, AuditEvent.objects.get(action="invitation.made").reason) == (
            "analyst",
            "joins",
        )


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["new@example.com", "nowhere", "viewer"], 2),
        (["not an address", "lumen", "viewer"], 2),
        (["new@example.com", "lumen", "viewer", "--by", "nobody@example.com"], 2),
        (["open@example.com", "lumen", "viewer"], 1),
        (["member@example.com", "lumen", "viewer"], 1),
    ],
)
def test_what_cannot_be_invited_is_said_with_an_exit_code(arguments, code):
    organisation = make_organisation("Lumen")
    make_invitation(organisation, "open@example.com")
    make_member(organisation, email="member@example.com")

    with pytest.raises(CommandError) as refused:
        run("invite", *arguments, "--reason", "joins")

    assert refused.value.returncode == code


def make_link(**fields: Any) -> str:
    with scope.login():
        PlatformAdminLink.objects.create(
            **{
                "email": BEN_ADDRESS,
                "token_hash": hash_of("t"),
                "expires_at": timezone.now() + timedelta(hours=1),
                **fields,
            }
        )
    return "/claim/t/"


def test_the_link_is_printed_once_and_only_its_hash_is_kept(settings):
    told = run("create_platform_admin", "first@example.com", "--reason", "new installation")

    token = told.strip().rsplit("/", 2)[1]
    assert f"{settings.PUBLIC_URL}/claim/{token}/" in told
    link = PlatformAdminLink.objects.get()
    assert (link.token_hash, token in str(vars(link))) == (hash_of(token), False)
    with scope.login():
        assert AuditEvent.objects.get(action="platform_admin.link_made").reason == "new installation"
        assert not AuditEvent.objects.filter(data__icontains=link.token_hash).exists()


def test_with_a_superuser_there_is_no_link():
    make_superuser()

    with pytest.raises(CommandError, match="There is an active superuser"):
        run("create_platform_admin", "first@example.com", "--reason", "x")


def test_who_signs_in_with_the_address_becomes_superuser_once(sign_in, client):
    path = make_link()
    address = client.post(path, follow=False)
    begun = client.get(address.url).headers["Location"]

    client.get(sign_in.choose(begun, BEN))

    person = User.objects.get()
    assert (person.is_superuser, person.is_staff, sign_in.is_signed_in) == (True, True, True)
    assert client.get(path).status_code == 404


def test_a_link_lets_people_choose_the_account_at_the_provider(client):
    begun = client.get(client.post(make_link()).url).headers["Location"]

    assert query_of(begun)["prompt"] == "login"


def test_another_address_is_refused_and_leaves_the_link(sign_in, client):
    begun = client.get(client.post(make_link(email="other@example.com")).url).headers["Location"]

    response = client.get(sign_in.choose(begun, BEN))

    assert (response.status_code, User.objects.count(), PlatformAdminLink.objects.get().used_at) == (403, 0, None)


def test_an_address_that_only_looks_alike_is_another_address(sign_in, client):
    sign_in.provider.faults = Faults(claims=(("email", "\N{KELVIN SIGN}im@elsewhere.example"),))
    begun = client.get(client.post(make_link(email="kim@elsewhere.example")).url).headers["Location"]

    response = client.get(sign_in.choose(begun, BEN))

    assert (response.status_code, User.objects.count()) == (403, 0)


@pytest.mark.parametrize(
    "fields",
    [
        {"used_at": timezone.now()},
        {"created_at": timezone.now() - timedelta(days=3), "expires_at": timezone.now() - timedelta(days=2)},
        {"token_hash": "another"},
    ],
)
@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_that_is_over_or_never_was_leads_nowhere(client, fields, method):
    assert getattr(client, method)(make_link(**fields)).status_code == 404


def test_showing_a_link_spends_nothing(client):
    path = make_link()

    assert [client.get(path).status_code for _ in range(2)] == [200, 200]
