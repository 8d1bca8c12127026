"""Who may call each address? Every route of the product is on one of these lists, and answers others as it must."""

import pytest
from django.test import Client

from marketedge import routes
from tests.factories import make_member, make_organisation, make_superuser, make_user, offer_market_edge_core

pytestmark = pytest.mark.django_db

WRITES = ["/sign-out/", "/claimed/"]
ROUTES = [route.path for route in routes.all_routes()]


def test_every_route_is_on_one_list_and_marked_as_it_says():
    report = routes.examine(routes.all_routes())

    assert [(finding.state, finding.subject) for finding in report.findings] == [("ok", "routes"), ("ok", "gates")]


def address(route: str) -> str:
    """The route with stand-ins for its parameters."""
    stand_ins = {
        "<slug:organisation_slug>": "lumen",
        "<slug:module_key>": "market_edge_core",
        "<uuid:public_id>": "00000000-0000-4000-8000-000000000000",
        "<path:object_id>": "1",
        "<int:content_type_id>/<path:object_id>": "1/1",
        "<str:token>": "x",
        "<str:key>": "x",
        "<str:organisation>": "lumen",
    }
    for parameter, value in stand_ins.items():
        route = route.replace(parameter, value)
    return f"/{route}"


CLOSED = [
    route
    for route in ROUTES
    if route not in routes.ANYBODY | routes.API and "<" not in address(route) and "(" not in route
]


@pytest.mark.parametrize("route", CLOSED)
def test_nobody_signed_in_is_led_to_the_sign_in(client, route):
    response = client.get(address(route), follow=True)

    assert response.redirect_chain[-1][0].startswith("/sign-in/?next=")


@pytest.mark.parametrize("route", sorted(routes.API))
def test_the_api_tells_nobody_anything_but_to_sign_in(client, route):
    make_organisation("Lumen")

    response = client.get(address(route))

    told = response.json()
    words = told.get("detail") or told["errorDetails"]
    assert (response.status_code, words) == (401, "Sign in, or send an access token: Authorization: Bearer ...")


ADMIN_PAGES = [route for route in CLOSED if route.startswith("admin/")]


@pytest.mark.parametrize("route", ADMIN_PAGES)
def test_people_who_are_not_staff_are_kept_out_of_the_admin_site(client, route):
    client.force_login(make_user())

    response = client.get(address(route), follow=True)

    assert response.status_code == 403


@pytest.mark.parametrize("route", [route for route in ADMIN_PAGES if "<" not in route and "logout" not in route])
def test_superusers_open_every_page_of_the_admin_site(client, route):
    client.force_login(make_superuser())

    assert client.get(address(route)).status_code in {200, 302, 403, 404, 405}


def test_the_admin_site_has_no_password_pages():
    assert [route for route in ROUTES if "password" in route and "admin" in route and "change" not in route] == []


@pytest.mark.parametrize("route", [route for route in CLOSED if route.startswith("o/")])
def test_the_neighbours_people_get_the_404_of_something_that_does_not_exist(client, route):
    offer_market_edge_core()
    make_organisation("Lumen")
    client.force_login(make_member(make_organisation("Elsewhere"), "admin"))

    response = client.get(address(route))

    unknown = client.get(address(route).replace("lumen", "no-such-organisation"))
    assert (response.status_code, response.content) == (404, unknown.content)


@pytest.mark.parametrize("path", WRITES)
def test_a_form_without_its_token_is_refused(path):
    strict = Client(enforce_csrf_checks=True, headers={"X-Forwarded-Proto": "https"})
    strict.force_login(make_user())

    assert strict.post(path).status_code == 403


@pytest.mark.parametrize(
    "path",
    [
        "/o/%00/",
        "/o/lumen/access/%00/",
        "/organisations/?q=%00",
        "/organisations/?page=%00",
        "/admin/accounts/user/%00/",
    ],
)
def test_nul_characters_are_a_clear_answer(client, path):
    client.force_login(make_superuser())

    assert client.get(path).status_code < 500


def test_a_session_cookie_with_a_nul_character_is_nobodys(client, settings):
    client.cookies[settings.SESSION_COOKIE_NAME] = "\000" * 12

    assert client.get("/").status_code == 302
