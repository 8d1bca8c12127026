"""What Mozilla's Observatory asks of a site, on answers of every kind: pages, files, health, faults, the API."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from tests.factories import make_member, make_organisation, make_superuser, offer_market_edge_core
from tests.marketedge.serving import ask, environment, gunicorn, wait_for

pytestmark = pytest.mark.django_db
SAFE_REFERRERS = {"no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin"}
BROAD = {"*", "http:", "https:", "ftp:", "data:", "blob:", "'unsafe-inline'", "'unsafe-eval'"}
Asks = Callable[[Client], Any]


def signed_in(path: str) -> Asks:
    def ask_as_member(client: Client) -> Any:
        offer_market_edge_core()
        client.force_login(make_member(make_organisation("Lumen"), "admin"))
        return client.get(path, follow=path == "/admin/")

    return ask_as_member


def as_superuser(path: str) -> Asks:
    def ask_as_superuser(client: Client) -> Any:
        client.force_login(make_superuser())
        return client.get(path)

    return ask_as_superuser


def failing(client: Client) -> Any:
    client.raise_request_exception = False
    # A view that fails: its database is gone for it alone.
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("accounts.views.provider_answers", lambda: 1 / 0)
        return client.get("/sign-in/")


def refused_for_want_of_threads(client: Client) -> Any:
    return client.get("/sign-in/", **{"marketedge.refused": True})  # type: ignore[arg-type]


PREFLIGHT = {"Origin": "https://app.example", "Access-Control-Request-Method": "GET"}
ANSWERS: dict[str, tuple[int | None, Asks]] = {
    "the start": (302, lambda client: client.get("/")),
    "the sign-in page": (200, lambda client: client.get("/sign-in/")),
    "the way to the provider": (302, lambda client: client.get("/oidc/authenticate/")),
    "a stale callback": (302, lambda client: client.get("/oidc/callback/?code=c&state=s")),
    "a refusal": (400, lambda client: client.get("/oidc/callback/?code=c&state=s", follow=True)),
    "the signed-out page": (200, lambda client: client.get("/signed-out/")),
    "a link that does not work": (404, lambda client: client.get("/claim/nothing/")),
    "a dashboard": (302, signed_in("/")),
    "an organisation": (200, signed_in("/o/lumen/")),
    "a module": (200, signed_in("/o/lumen/market-edge-core/")),
    "the admin site": (200, as_superuser("/admin/")),
    "a list of the admin site": (200, as_superuser("/admin/accounts/user/")),
    "somebody who is no staff in the admin site": (403, signed_in("/admin/")),
    "a page that is not there": (404, lambda client: client.get("/nothing/")),
    "a form that is too old": (403, lambda client: _strict(client).post("/sign-out/")),
    "a wrong method": (405, lambda client: client.get("/sign-out/")),
    "a wrong host": (400, lambda client: client.get("/", headers={"Host": "evil.example"})),
    "a fault": (500, failing),
    "too many at once": (503, refused_for_want_of_threads),
    "a file": (200, lambda client: client.get("/static/marketedge/marketedge.css")),
    "a file that is not there": (404, lambda client: client.get("/static/marketedge/nothing.css")),
    "live": (200, lambda client: client.get("/healthz/live")),
    "ready": (None, lambda client: client.get("/healthz/ready")),  # whatever the database of the tests says
    "health": (200, lambda client: client.get("/health")),
    "health asked wrongly": (405, lambda client: client.post("/health")),
    "the API": (200, lambda client: client.get("/api/v1/auth/auth0-url?redirect_uri=https://app.example/callback")),
    "a refusal of the API": (400, lambda client: client.get("/api/v1/auth/auth0-url")),
    "nothing in the API": (404, lambda client: client.get("/api/v1/nothing")),
    "a preflight": (200, lambda client: client.options("/api/v1/nothing", headers=PREFLIGHT)),
    "the address for weaknesses": (200, lambda client: client.get("/.well-known/security.txt")),
}


def _strict(client: Client) -> Client:
    client.handler.enforce_csrf_checks = True
    return client


@pytest.fixture(params=ANSWERS)
def answer(request: Any, client: Client) -> Iterator[HttpResponse]:
    """Each kind of answer in turn, with the status that makes it that kind."""
    status, asks = ANSWERS[request.param]
    given = asks(client)
    assert given.status_code == (status or given.status_code)
    yield given
    given.close()


def policy_of(answer: HttpResponse) -> dict[str, list[str]]:
    entries = [part.split() for part in answer.headers["Content-Security-Policy"].split(";")]
    return {name: sources for name, *sources in entries}


def test_the_content_policy_names_what_is_needed_and_nothing_broad(answer, settings):
    policy = policy_of(answer)

    closed = [policy[name] for name in ("default-src", "object-src", "base-uri", "frame-ancestors")]
    assert closed == [["'none'"]] * 4
    assert BROAD & {source for sources in policy.values() for source in sources} == set()
    assert policy["form-action"] == ["'self'", settings.OIDC_ISSUER.rstrip("/")]
    assert "upgrade-insecure-requests" in policy
    assert "Content-Security-Policy-Report-Only" not in answer.headers


def test_https_is_kept_for_a_year_with_subdomains(answer):
    assert answer.headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains; preload"


def test_types_are_not_guessed_and_pages_not_framed(answer):
    assert (answer.headers["X-Content-Type-Options"], answer.headers["X-Frame-Options"]) == ("nosniff", "DENY")


def test_other_sites_learn_no_address(answer):
    policies = [policy.strip() for policy in answer.headers["Referrer-Policy"].split(",")]

    assert set(policies) <= SAFE_REFERRERS
    assert b'name="referrer"' not in (b"" if answer.streaming else answer.content)


def test_other_sites_can_neither_hold_nor_load_what_is_here(answer):
    opener, resource = (answer.headers[f"Cross-Origin-{kind}-Policy"] for kind in ("Opener", "Resource"))

    assert (opener, resource) == ("same-origin", "same-origin")


def test_pages_are_refused_what_they_do_not_need(answer):
    withheld = answer.headers["Permissions-Policy"].split(", ")

    assert {"camera=()", "geolocation=()", "microphone=()", "payment=()", "usb=()"} <= set(withheld)
    assert [entry for entry in withheld if not re.fullmatch(r"[a-z-]+=\(\)", entry)] == []


def test_nothing_is_for_search_engines_and_nothing_says_what_serves_it(answer):
    assert answer.headers["X-Robots-Tag"] == "noindex, nofollow"
    assert [name for name in ("Server", "X-Powered-By", "Via") if name in answer.headers] == []


def test_cookies_are_safe(answer):
    weak = [
        name
        for name, cookie in answer.cookies.items()
        if not (cookie["secure"] and cookie["httponly"] and cookie["samesite"] in {"Lax", "Strict", "None"})
        or cookie["domain"]
    ]
    # One that is taken away says so, and is nobody's secret any more.
    weak = [name for name in weak if answer.cookies[name]["max-age"] != 0]

    assert weak == []


def test_cookies_of_people_are_tied_to_this_very_host(settings):
    names = [settings.SESSION_COOKIE_NAME, settings.CSRF_COOKIE_NAME]

    assert [name for name in names if not name.startswith("__Host-")] == []


def test_only_cookies_for_the_app_at_another_origin_cross_sites(client):
    cookies: dict[str, Any] = {}

    for path in ("/sign-in/", "/oidc/authenticate/", "/oidc/callback/?state=s"):
        cookies.update(client.get(path).cookies)

    assert [name for name, cookie in cookies.items() if cookie["samesite"] == "None"] == []


@pytest.mark.parametrize("path", ["/", "/sign-in/", "/api/v1/nothing", "/static/marketedge/marketedge.css"])
def test_other_origins_are_told_nothing(client, path):
    answer = client.options(path, headers={**PREFLIGHT, "Origin": "https://evil.example"})

    assert [name for name in answer.headers if name.startswith("Access-Control-")] == []


def test_scripts_and_styles_come_from_here(answer):
    if not answer.headers["Content-Type"].startswith("text/html"):
        return
    loaded = re.findall(r"<(?:script|link|img)\b[^>]*?(?:src|href)=\"([^\"]+)\"", answer.content.decode())

    assert [address for address in loaded if not re.match(r"/[^/]", address)] == []


def test_http_leads_to_https_of_the_same_host_first(settings):
    settings.SECURE_SSL_REDIRECT = True

    answer = Client().get("/organisations/?page=2", headers={"Host": "marketedge.example"})

    assert (answer.status_code, answer.headers["Location"]) == (301, "https://marketedge.example/organisations/?page=2")
    assert "Strict-Transport-Security" not in answer.headers


def test_health_is_answered_without_https(settings):
    settings.SECURE_SSL_REDIRECT = True

    assert Client().get("/healthz/live").status_code == 200


def test_the_demonstration_asks_for_no_https(settings):
    from marketedge.hygiene import transport_security

    settings.SECURE_HSTS_SECONDS = 0

    assert transport_security() == ""


SECRET_ADDRESSES = [
    "/sign-in/",
    "/oidc/authenticate/",
    "/oidc/callback/?code=c&state=s",
    "/oidc/callback/?error=x&state=s",
    "/oidc/nothing/?code=c",
    "/claim/token/",
    "/sign-in/refused/",
    "/signed-out/",
]


@pytest.mark.parametrize("path", SECRET_ADDRESSES)
def test_addresses_of_the_sign_in_are_neither_kept_nor_told(client, path):
    answer = client.get(path)

    assert (answer.headers["Referrer-Policy"], answer.headers["Cache-Control"]) == ("no-referrer", "private, no-store")


def test_a_fault_at_such_an_address_keeps_it_secret_too(client):
    answer = failing(client)

    assert (answer.status_code, answer.headers["Referrer-Policy"]) == (500, "no-referrer")
    assert answer.headers["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize("path", SECRET_ADDRESSES)
def test_no_page_at_such_an_address_has_a_form_that_is_posted(client, path):
    # Without a referrer browsers send `Origin: null`, and the form would be refused.
    client.force_login(make_member(make_organisation("Lumen")))

    assert b'method="post"' not in client.get(path).content.lower()


@pytest.mark.served
def test_the_server_says_nothing_of_itself():
    with gunicorn(environment()) as address:
        wait_for(f"{address}/healthz/live", seconds=20)

        answers = [ask(f"{address}{path}")[2] for path in ("/healthz/live", "/sign-in/", "/static/marketedge/menus.js")]

    assert [name for headers in answers for name in ("Server", "X-Powered-By") if name in headers] == []
    assert [headers["X-Content-Type-Options"] for headers in answers] == ["nosniff"] * 3
