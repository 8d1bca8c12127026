"""Which organisation somebody signed in to at the provider, and what that opens here."""

import html
import re
from typing import Any

import pytest

from accounts.local_provider.tokens import Faults
from accounts.models import Identity, Invitation, User
from tenants import scope
from tenants.models import AuditEvent, Membership, Organisation
from tests.accounts.conftest import query_of
from tests.factories import make_invitation, make_member, make_organisation, make_user

pytestmark = pytest.mark.django_db
BEN, BEN_ADDRESS = "demonstration|cinema-analyst", "ben@lumen-cinemas.example"


@pytest.fixture
def lumen() -> Organisation:
    return make_organisation("Lumen", auth0_organisation_id="org_lumen")


@pytest.fixture
def arrives_in(sign_in: Any) -> Any:
    """Signs Ben in with the organisation that the provider says; returns the refusal's code, or the address."""

    def arrive(organisation_id: Any, *, claims: dict[str, Any] | None = None, **query: str) -> str:
        changed = {"org_id": organisation_id, **(claims or {})}
        sign_in.provider.faults = Faults(claims=tuple(changed.items()))
        response = sign_in(BEN, **query)
        return response.url if response.status_code == 302 else refusals()[-1]

    return arrive


def refusals() -> list[str]:
    with scope.login():
        events = AuditEvent.objects.filter(action="sign_in.refused").order_by("occurred_at")
        return [event.data["code"] for event in events]


def seats() -> list[tuple[str, str]]:
    with scope.login():
        return [(seat.organisation.name, seat.role) for seat in Membership.objects.select_related("organisation")]


def test_an_organisations_people_enter_with_the_lowest_role(arrives_in, lumen):
    assert arrives_in("org_lumen", organisation="lumen") == "/"
    assert seats() == [("Lumen", "viewer")]
    with scope.login():
        joined = AuditEvent.objects.get(action="organisation.joined")
        assert (joined.organisation, joined.actor_email) == (lumen, BEN_ADDRESS)


def test_nobody_needs_to_name_the_organisation_beforehand(arrives_in, lumen):
    assert (arrives_in("org_lumen"), seats()) == ("/", [("Lumen", "viewer")])


def test_the_organisation_that_another_site_leads_to_is_behind_the_button(client, lumen):
    led_to = client.get("/oidc/authenticate/?organisation=lumen", headers={"Sec-Fetch-Site": "cross-site"}).url

    [button] = re.findall(r'href="(/oidc/authenticate/[^"]*)"', client.get(led_to).content.decode())

    assert query_of(client.get(html.unescape(button)).url)["organization"] == "org_lumen"


def test_somebody_known_gets_a_seat_once(arrives_in, lumen, known):
    known(BEN)

    assert [arrives_in("org_lumen"), arrives_in("org_lumen")] == ["/", "/"]
    with scope.login():
        assert (seats(), AuditEvent.objects.filter(action="organisation.joined").count()) == ([("Lumen", "viewer")], 1)


def test_a_role_given_here_stays(arrives_in, lumen, known):
    make_member(lumen, "analyst", user=known(BEN))

    arrives_in("org_lumen")

    assert seats() == [("Lumen", "analyst")]


@pytest.mark.parametrize(
    "claims",
    [
        {"role": "admin", "roles": ["admin"], "is_staff": True, "is_superuser": True, "permissions": ["all"]},
        {"https://marketedge.example/roles": ["admin"], "org_role": "admin", "groups": ["superusers"]},
    ],
)
def test_no_claim_makes_anybody_more_than_a_viewer(arrives_in, lumen, claims):
    arrives_in("org_lumen", claims=claims)

    person = User.objects.get()
    assert (seats(), person.is_staff, person.is_superuser) == ([("Lumen", "viewer")], False, False)


@pytest.mark.parametrize(
    ("organisation_id", "asked", "refusal"),
    [
        ("org_elsewhere", {}, "organisation_unknown"),
        ("ORG_LUMEN", {}, "organisation_unknown"),
        (None, {"organisation": "lumen"}, "organisation_missing"),
        (None, {"next": "/o/lumen/"}, "organisation_missing"),
        ("org_harbour", {"organisation": "lumen"}, "organisation_other"),
        ("org_elsewhere", {"organisation": "lumen"}, "organisation_unknown"),
        ("", {}, "bad_token"),
        (5, {}, "bad_token"),
        (["org_lumen"], {}, "bad_token"),
    ],
)
def test_an_organisation_that_does_not_fit_lets_nobody_in(arrives_in, lumen, known, organisation_id, asked, refusal):
    make_organisation("Harbour", auth0_organisation_id="org_harbour")
    make_member(lumen, "analyst", user=known(BEN))

    assert arrives_in(organisation_id, **asked) == refusal
    assert seats() == [("Lumen", "analyst")]


def test_each_refusal_has_its_own_page(sign_in, lumen):
    sign_in.provider.faults = Faults(claims=(("org_id", "org_elsewhere"),))

    page = sign_in(BEN)

    assert (page.status_code, "Your organisation is not known here" in page.content.decode()) == (403, True)


def test_an_organisation_does_not_vouch_for_an_address_that_is_not_verified(arrives_in, lumen):
    assert arrives_in("org_lumen", claims={"email_verified": False}) == "unverified"
    assert (User.objects.count(), seats()) == (0, [])


def test_an_organisation_does_not_hand_out_somebody_elses_address(arrives_in, lumen):
    make_user(BEN_ADDRESS)

    assert (arrives_in("org_lumen"), seats()) == ("address_taken", [])


def test_a_suspended_organisation_gets_nobody_new(arrives_in):
    make_organisation("Lumen", auth0_organisation_id="org_lumen", status="suspended")

    assert arrives_in("org_lumen") == "organisation_suspended"
    assert (User.objects.count(), Identity.objects.count(), seats()) == (0, 0, [])


def test_an_invitation_of_a_suspended_organisation_waits(arrives_in):
    make_invitation(make_organisation("Lumen", status="suspended"), BEN_ADDRESS)

    assert arrives_in(None) == "organisation_suspended"
    with scope.login():
        assert Invitation.unscoped.get().accepted_at is None


def test_somebody_known_enters_without_the_suspended_organisation(arrives_in, known):
    known(BEN, email=BEN_ADDRESS)
    lumen = make_organisation("Lumen", auth0_organisation_id="org_lumen", status="suspended")
    make_invitation(lumen, BEN_ADDRESS)
    make_invitation(make_organisation("Harbour"), BEN_ADDRESS)

    assert (arrives_in("org_lumen"), seats()) == ("/", [("Harbour", "viewer")])


def test_a_role_that_changes_holds_on_the_next_request(sign_in, lumen, known):
    make_member(lumen, "admin", user=known(BEN))
    sign_in(BEN)

    def role() -> str:
        return str(sign_in.client.get("/o/lumen/").wsgi_request.seat.role)

    before = role()
    with scope.login():
        Membership.objects.update(role="viewer")

    assert (before, role()) == ("admin", "viewer")


def test_a_seat_that_is_taken_away_is_gone_on_the_next_request(sign_in, lumen, known):
    make_member(lumen, "admin", user=known(BEN), applications=[])
    sign_in(BEN)
    before = sign_in.client.get("/o/lumen/").status_code
    with scope.login():
        Membership.objects.all().delete()

    assert (before, sign_in.client.get("/o/lumen/").status_code) == (200, 404)


@pytest.mark.parametrize("right", ["is_staff", "is_superuser"])
def test_a_right_that_is_taken_away_is_gone_on_the_next_request(sign_in, known, right):
    person = known(BEN, is_staff=True, is_superuser=right == "is_superuser")
    sign_in(BEN)
    address = "/admin/" if right == "is_staff" else "/admin/flags/"
    before = sign_in.client.get(address).status_code
    with scope.login():
        User.objects.filter(pk=person.pk).update(**{right: False})

    assert (before, sign_in.client.get(address).status_code in {302, 403, 404}) == (200, True)
