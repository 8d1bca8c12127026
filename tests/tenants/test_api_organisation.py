"""Which organisation an API call is about: checked on every call, and nobody's but the person's own."""

from typing import Any

import pytest
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path

from accounts.models import Invitation
from tenants import scope
from tenants.api import methods, organisation_not_required
from tenants.models import AuditEvent, Organisation
from tests.factories import make_invitation, make_member, make_organisation, make_superuser, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
HERE = "/api/where"


@methods("GET", "POST")
def where(request: Any) -> HttpResponse:
    addresses = Invitation.objects.order_by("email").values_list("email", flat=True)
    return JsonResponse({"slug": request.organisation.slug, "role": request.seat.role, "invited": list(addresses)})


@methods("GET")
@organisation_not_required
def anywhere(request: HttpRequest) -> HttpResponse:
    organisation = getattr(request, "organisation", None)
    return JsonResponse({"slug": organisation.slug if organisation else None})


urlpatterns = [
    path("api/where", where),
    path("api/anywhere", anywhere),
    path("api/in/<str:organisation>/where", where),
    path("", include("marketedge.urls")),
]


@pytest.fixture
def lumen() -> Organisation:
    organisation = make_organisation("Lumen", auth0_organisation_id="org_lumen")
    make_invitation(organisation, "ours@example.com")
    return organisation


@pytest.fixture
def theirs() -> Organisation:
    organisation = make_organisation("Theirs", auth0_organisation_id="org_theirs")
    make_invitation(organisation, "theirs@example.com")
    return organisation


@pytest.fixture
def ben(lumen: Organisation, theirs: Organisation) -> Any:
    return make_member(lumen, "analyst", subject="auth0|ben")


@pytest.fixture
def greta(lumen: Organisation) -> Any:
    """A member of two."""
    greta = make_member(lumen, subject="auth0|greta")
    make_member(make_organisation("Abbey"), user=greta)
    return greta


def told(response: Any) -> tuple[int, str]:
    return response.status_code, response.json().get("code") or response.json()["slug"]


def test_the_only_organisation_is_the_one(client, bearer, ben):
    response = client.get(HERE, headers=bearer("auth0|ben"))

    assert response.json() == {"slug": "lumen", "role": "analyst", "invited": ["ours@example.com"]}


@pytest.mark.parametrize("header", ["X-Organization-ID", "X-Tenant-ID"])
@pytest.mark.parametrize("name_of", [lambda o: o.slug, lambda o: str(o.public_id), lambda o: str(o.public_id).upper()])
def test_a_header_names_it_by_id_or_slug(client, bearer, greta, lumen, header, name_of):
    assert told(client.get(HERE, headers={**bearer("auth0|greta"), header: name_of(lumen)})) == (200, "lumen")


@pytest.mark.parametrize("name_of", [lambda o: o.slug, lambda o: str(o.public_id)])
def test_the_path_names_it_by_id_or_slug(client, bearer, greta, lumen, name_of):
    assert told(client.get(f"/api/in/{name_of(lumen)}/where", headers=bearer("auth0|greta"))) == (200, "lumen")


def test_two_names_for_one_organisation_agree(client, bearer, ben, lumen):
    both = {"X-Organization-ID": "lumen", "X-Tenant-ID": str(lumen.public_id)}

    assert told(client.get("/api/in/lumen/where", headers={**bearer("auth0|ben"), **both})) == (200, "lumen")


@pytest.mark.parametrize(
    ("address", "headers"),
    [
        ("/api/in/lumen/where", {"X-Organization-ID": "abbey"}),
        ("/api/in/lumen/where", {"X-Tenant-ID": "theirs"}),
        ("/api/in/lumen/where", {"X-Tenant-ID": "no-such"}),
        (HERE, {"X-Organization-ID": "lumen", "X-Tenant-ID": "abbey"}),
        (HERE, {"X-Organization-ID": "lumen", "X-Tenant-ID": "theirs"}),
    ],
)
def test_names_that_disagree_are_refused(client, bearer, greta, theirs, address, headers):
    response = client.get(address, headers={**bearer("auth0|greta"), **headers})

    assert told(response) == (400, "organisations_differ")


def test_a_foreign_organisation_in_a_header_answers_as_one_that_does_not_exist(client, bearer, ben, theirs):
    answers = [
        client.get(HERE, headers={**bearer("auth0|ben"), "X-Organization-ID": name})
        for name in ("theirs", str(theirs.public_id), "no-such", "00000000-0000-4000-8000-000000000000")
    ]

    assert {told(answer) for answer in answers} == {(403, "foreign_organisation")}
    assert len({answer.content for answer in answers}) == 1


def test_a_foreign_organisation_in_the_path_answers_as_one_that_does_not_exist(client, bearer, ben, theirs):
    answers = [
        client.get(f"/api/in/{name}/where", headers=bearer("auth0|ben"))
        for name in ("theirs", str(theirs.public_id), "no-such", "undefined", "%00", "a b", "x" * 300)
    ]

    assert {told(answer) for answer in answers} == {(404, "not_found")}
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("value", ["a b", "\x00", "lumen,abbey", "{}", "../x", "x" * 300, "é", "' OR 1=1"])
def test_what_is_no_name_is_422(client, bearer, ben, value):
    assert told(client.get(HERE, headers={**bearer("auth0|ben"), "X-Organization-ID": value})) == (422, "invalid")


def test_an_empty_header_names_nothing(client, bearer, ben):
    assert told(client.get(HERE, headers={**bearer("auth0|ben"), "X-Organization-ID": " "})) == (200, "lumen")


def test_a_membership_that_ended_closes_the_next_call(client, bearer, ben):
    header = {**bearer("auth0|ben"), "X-Organization-ID": "lumen"}
    client.get(HERE, headers=header)
    with scope.login():
        ben.memberships.all().delete()

    assert told(client.get(HERE, headers=header)) == (403, "foreign_organisation")


def test_of_several_the_first_active_one_is_read(client, bearer, greta):
    make_member(make_organisation("Aardvark", status="suspended"), user=greta)

    assert told(client.get(HERE, headers=bearer("auth0|greta"))) == (200, "abbey")


def test_of_several_none_is_written_to_by_guessing(client, bearer, greta):
    assert told(client.post(HERE, headers=bearer("auth0|greta"))) == (400, "organisation_unclear")
    assert told(client.post(HERE, headers={**bearer("auth0|greta"), "X-Organization-ID": "lumen"})) == (200, "lumen")


def test_a_session_goes_on_in_the_organisation_last_used(client, greta):
    client.force_login(greta)
    client.get("/o/lumen/")

    assert (told(client.get(HERE)), told(client.post(HERE))) == ((200, "lumen"), (200, "lumen"))


def test_naming_one_for_a_call_does_not_change_where_the_pages_begin(client, greta):
    client.force_login(greta)
    client.get("/o/lumen/")

    client.get(HERE, headers={"X-Organization-ID": "abbey"})

    assert client.get("/").url == "/o/lumen/"


def test_a_token_made_for_an_organisation_opens_that_one(client, bearer, greta):
    assert told(client.post(HERE, headers=bearer("auth0|greta", org_id="org_lumen"))) == (200, "lumen")


@pytest.mark.parametrize(
    ("org_id", "headers"),
    [
        ("org_lumen", {"X-Organization-ID": "abbey"}),
        ("org_theirs", {}),
        ("org_unknown", {}),
        ("org_unknown", {"X-Tenant-ID": "lumen"}),
    ],
)
def test_a_token_made_for_an_organisation_opens_no_other(client, bearer, greta, theirs, org_id, headers):
    response = client.get(HERE, headers={**bearer("auth0|greta", org_id=org_id), **headers})

    assert told(response) == (403, "foreign_organisation")


def test_a_person_of_no_organisation_has_nothing_to_act_in(client, bearer):
    make_user(subject="auth0|nobody")

    assert told(client.get(HERE, headers=bearer("auth0|nobody"))) == (403, "no_organisation")
    assert client.get("/api/anywhere", headers=bearer("auth0|nobody")).json() == {"slug": None}


def test_a_suspended_organisation_is_closed(client, bearer):
    make_member(make_organisation("Oakfield", status="suspended"), subject="auth0|hugo")

    assert told(client.get(HERE, headers=bearer("auth0|hugo"))) == (403, "organisation_suspended")
    assert told(client.get("/api/anywhere", headers=bearer("auth0|hugo"))) == (200, "oakfield")


def entries() -> list[AuditEvent]:
    with scope.login():
        return list(AuditEvent.objects.filter(action="organisation.entered_as_superuser").order_by("occurred_at"))


@pytest.mark.parametrize("name_of", [lambda o: o.slug, lambda o: str(o.public_id)])
def test_a_superuser_acts_as_a_viewer_and_is_written_down_once_for_a_token(client, bearer, lumen, name_of):
    superuser = make_superuser(subject="auth0|sana")
    header = {**bearer("auth0|sana"), "X-Organization-ID": name_of(lumen)}

    answers = [client.get(HERE, headers=header).json() for _ in range(2)]

    assert answers == [{"slug": "lumen", "role": "viewer", "invited": ["ours@example.com"]}] * 2
    [event] = entries()
    assert (event.actor, event.organisation) == (superuser, lumen)


def test_a_superusers_next_token_is_written_down_again(client, bearer, lumen):
    make_superuser(subject="auth0|sana")

    for number in (1, 2):
        client.get(HERE, headers={**bearer("auth0|sana", jti=f"{number}"), "X-Organization-ID": "lumen"})

    assert len(entries()) == 2


def test_a_superuser_by_session_is_written_down_once(client, lumen):
    client.force_login(make_superuser())

    for _ in range(2):
        client.get(HERE, headers={"X-Organization-ID": "lumen"})

    assert len(entries()) == 1


def test_staff_without_a_membership_act_nowhere(client, bearer, lumen):
    make_user(subject="auth0|tom", is_staff=True)

    response = client.get(HERE, headers={**bearer("auth0|tom"), "X-Organization-ID": "lumen"})

    assert told(response) == (403, "foreign_organisation")
