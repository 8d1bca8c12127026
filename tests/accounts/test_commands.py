"""Ops let people in: invitations, and the one-time link of the first superuser."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.actions import hash_of
from accounts.local_provider.tokens import Faults
from accounts.models import Invitation, PlatformAdminLink, User
from tenants import scope
from tenants.models import AuditEvent
from tests.accounts.conftest import query_of
from tests.accounts.operating import APPLY, events, run, run_json
from tests.factories import make_invitation, make_member, make_organisation, make_superuser

pytestmark = pytest.mark.django_db
BEN, BEN_ADDRESS = "demonstration|cinema-analyst", "ben@lumen-cinemas.example"


def test_an_invitation_is_made_with_its_reason_and_says_what_comes_next(settings):
    make_organisation("Lumen")

    told, code = run("invite", "new@example.com", "lumen", "analyst", *APPLY)

    assert (f"{settings.PUBLIC_URL}/" in told, code) == (True, 0)
    with scope.login():
        assert Invitation.objects.get().role == "analyst"
    assert events() == [("invitation.made", "ops@example.com", "asked for it")]


def test_a_dry_run_invites_nobody():
    make_organisation("Lumen")

    told, code = run("invite", "new@example.com", "lumen", "analyst")

    assert ("would: invite new@example.com to Lumen as analyst" in told, code) == (True, 4)
    with scope.login():
        assert (Invitation.objects.count(), events()) == (0, [])


def test_the_person_who_invites_is_kept_when_they_have_an_account():
    make_organisation("Lumen")
    boss = make_superuser(email="ops@example.com")

    run("invite", "new@example.com", "lumen", "analyst", *APPLY)

    with scope.login():
        assert Invitation.objects.get().invited_by == boss


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["new@example.com", "lumin", "viewer"], "There is no organisation lumin. Did you mean lumen?"),
        (["not an address", "lumen", "viewer"], "is not an e-mail address"),
        (["new@m\u00fcller.example", "lumen", "viewer"], "an address beyond plain ASCII"),
    ],
)
def test_what_cannot_be_invited_is_refused_with_2(arguments, words):
    make_organisation("Lumen")

    told, code = run("invite", *arguments, *APPLY)

    assert (words in told, code) == (True, 2)


@pytest.mark.parametrize(
    ("email", "words"),
    [("open@example.com", "has an open invitation to Lumen"), ("member@example.com", "belongs to Lumen already")],
)
def test_who_is_in_already_needs_no_invitation(email, words):
    organisation = make_organisation("Lumen")
    make_invitation(organisation, "open@example.com")
    make_member(organisation, email="member@example.com")

    told, code = run("invite", email, "lumen", "viewer", *APPLY)

    assert (words in told, "0 changes made" in told, code, events()) == (True, True, 0, [])


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


def take_up(client: Any, link: str) -> Any:
    """Open the link and confirm; the answer leads to the sign-in."""
    return client.post(client.get(link).url)


def test_the_link_is_printed_once_and_only_its_hash_is_kept(settings):
    link = run_json("create_platform_admin", "first@example.com", *APPLY)["link"]

    token = link.rstrip("/").rsplit("/", 1)[1]
    kept = PlatformAdminLink.objects.get()
    assert link == f"{settings.PUBLIC_URL}/claim/{token}/"
    assert (kept.token_hash, token in str(vars(kept))) == (hash_of(token), False)
    assert events() == [("platform_admin.link_made", "ops@example.com", "asked for it")]
    with scope.login():
        assert not AuditEvent.objects.filter(data__icontains=kept.token_hash).exists()


def test_people_read_the_link_too(settings):
    told, code = run("create_platform_admin", "first@example.com", *APPLY)

    assert (f"signs in: {settings.PUBLIC_URL}/claim/" in told, code) == (True, 0)


def test_a_dry_run_shows_no_link_since_it_would_lead_nowhere():
    told, code = run("create_platform_admin", "first@example.com")

    assert ("/claim/" in told, code, PlatformAdminLink.objects.count()) == (False, 4, 0)


def test_with_a_superuser_there_is_no_link():
    make_superuser()

    told, code = run("create_platform_admin", "first@example.com", *APPLY)

    assert ("There is an active superuser" in told, code) == (True, 1)


def test_who_signs_in_with_the_address_becomes_superuser_once(sign_in, client):
    path = make_link()
    begun = client.get(take_up(client, path).url).headers["Location"]

    client.get(sign_in.choose(begun, BEN))

    person = User.objects.get()
    assert (person.is_superuser, person.is_staff, sign_in.is_signed_in) == (True, True, True)
    assert client.get(path).status_code == 404


def test_a_link_lets_people_choose_the_account_at_the_provider(client):
    begun = client.get(take_up(client, make_link()).url).headers["Location"]

    assert query_of(begun)["prompt"] == "login"


def test_another_address_is_refused_and_leaves_the_link(sign_in, client):
    begun = client.get(take_up(client, make_link(email="other@example.com")).url).headers["Location"]

    response = sign_in.arrive(sign_in.choose(begun, BEN))

    assert (response.status_code, User.objects.count(), PlatformAdminLink.objects.get().used_at) == (403, 0, None)


def test_an_address_that_only_looks_alike_is_another_address(sign_in, client):
    sign_in.provider.faults = Faults(claims=(("email", "\N{KELVIN SIGN}im@elsewhere.example"),))
    begun = client.get(take_up(client, make_link(email="kim@elsewhere.example")).url).headers["Location"]

    response = sign_in.arrive(sign_in.choose(begun, BEN))

    assert (response.status_code, User.objects.count()) == (403, 0)


@pytest.mark.parametrize(
    "fields",
    [
        {"used_at": timezone.now()},
        {"created_at": timezone.now() - timedelta(days=3), "expires_at": timezone.now() - timedelta(days=2)},
        {"token_hash": "another"},
    ],
)
def test_a_link_that_is_over_or_never_was_leads_nowhere(client, fields):
    assert client.get(make_link(**fields)).status_code == 404


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_link_that_was_used_meanwhile_leads_nowhere(client, method):
    page = client.get(make_link()).url
    with scope.login():
        PlatformAdminLink.objects.update(used_at=timezone.now())

    assert getattr(client, method)(page).status_code == 404


@pytest.mark.parametrize("method", ["get", "post"])
def test_without_a_link_there_is_nothing_to_confirm(client, method):
    assert getattr(client, method)("/claimed/").status_code == 404


def test_the_secret_of_a_link_leaves_the_address_before_a_page_is_shown(client):
    answer = client.get(make_link())

    assert (answer.status_code, answer.url, answer.content) == (302, "/claimed/", b"")


def test_showing_a_link_spends_nothing(client):
    path = make_link()

    assert [client.get(path, follow=True).status_code for _ in range(2)] == [200, 200]
