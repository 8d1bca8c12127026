"""The address that the provider sends people back to can be called by anybody, with anything."""

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from accounts.models import SignInAttempt
from tests.accounts.conftest import REFUSED
from tests.accounts.lies.conftest import as_json
from tests.accounts.lies.test_lies import VERA_AND_BEN
from tests.accounts.lies.world import Truth, World, everybody, refusals

pytestmark = pytest.mark.django_db
Query = dict[str, Any]

NOT_UNDER_WAY: dict[str, Callable[[Query], Query]] = {
    "nothing": lambda live: {},
    "no state": lambda live: {"code": "c"},
    "an empty state": lambda live: {"code": "c", "state": ""},
    "an unknown state": lambda live: {"code": "c", "state": "s" * 32},
    "a state in capitals": lambda live: {"code": "c", "state": live["state"].swapcase()},
    "a state cut short": lambda live: {"code": "c", "state": live["state"][:-1]},
    "a state with more": lambda live: {"code": "c", "state": live["state"] + "x"},
    "a state with a space": lambda live: {"code": "c", "state": live["state"] + " "},
    "a state with NUL": lambda live: {"code": "c", "state": live["state"] + "\x00"},
    "a wildcard as state": lambda live: {"code": "c", "state": "%"},
    "SQL as state": lambda live: {"code": "c", "state": "' OR '1'='1"},
    "a huge state": lambda live: {"code": "c", "state": "s" * 5000},
    "a state beyond ASCII": lambda live: {"code": "c", "state": "\u0435" * 32},
    "two states": lambda live: {"code": "c", "state": [live["state"], "other"]},
    "the state twice": lambda live: {"code": "c", "state": [live["state"], live["state"]]},
    "two codes": lambda live: {"code": ["c", "d"], "state": live["state"]},
    "two issuers": lambda live: {"code": "c", "state": live["state"], "iss": [settings.OIDC_ISSUER] * 2},
    "state in an array": lambda live: {"code": "c", "state[]": live["state"]},
    "the name in capitals": lambda live: {"code": "c", "STATE": live["state"]},
    "an error without state": lambda live: {"error": "access_denied"},
    "an error with an unknown state": lambda live: {"error": "access_denied", "state": "s" * 32},
    "an error with an empty state": lambda live: {"error": "login_required", "state": ""},
}
LIVE: dict[str, Callable[[Query], Query]] = {
    "an error": lambda live: {"error": "server_error"},
    "an error that people chose": lambda live: {"error": "access_denied"},
    "an error and a code": lambda live: {"error": "access_denied", "code": "c"},
    "an error with markup": lambda live: {"error": "<script>alert(1)</script>"},
    "an error with a description": lambda live: {"error": "x", "error_description": "<b>call 0900 123</b>"},
    "an error with an address": lambda live: {"error": "x", "error_uri": "https://evil.example/"},
    "an error with NUL": lambda live: {"error": "x\x00y"},
    "a huge error": lambda live: {"error": "e" * 5000},
    "an empty issuer": lambda live: {"code": "c", "iss": ""},
    "another issuer": lambda live: {"code": "c", "iss": "https://evil.example/"},
    "our issuer without its slash": lambda live: {"code": "c", "iss": settings.OIDC_ISSUER.rstrip("/")},
    "an error of another issuer": lambda live: {"error": "access_denied", "iss": "https://evil.example/"},
}


@pytest.mark.parametrize("name", NOT_UNDER_WAY)
def test_an_answer_that_nobody_waits_for_changes_nothing(world, name):
    query = NOT_UNDER_WAY[name](world.begin())

    answer = world.arrive(**query)

    assert (answer.status_code, world.is_as_before, everybody()) == (400, True, VERA_AND_BEN)
    assert world.provider.asked == []


@pytest.mark.parametrize("name", LIVE)
def test_an_answer_that_is_none_lets_nobody_in_and_asks_nobody(world, name):
    live = world.begin()

    answer = world.arrive(**{"state": live["state"], **LIVE[name](live)})

    assert (answer.status_code, len(refusals())) == (403, 1)
    assert (world.is_as_before, everybody(), world.provider.asked) == (True, VERA_AND_BEN, [])
    page = answer.content.decode()
    assert [word for word in ("<script>", "<b>", "evil.example", "0900") if word in page] == []


@pytest.mark.parametrize("secret", ["eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln", "code=abcdefgh", "Bearer abcdefghij"])
def test_what_somebody_puts_into_an_error_is_not_kept_when_it_looks_like_a_secret(world, secret):
    live = world.begin()

    world.arrive(state=live["state"], error=secret)

    [refusal] = refusals()
    assert "[hidden]" in refusal["detail"]
    assert secret.split("=")[-1].split()[-1] not in refusal["detail"]


@pytest.mark.parametrize(
    "code", ["", "\x00", "\u0435", "c" * 5000, "' OR 1=1", "../../token", "c\r\nX: x", "c&grant_type=x"]
)
def test_a_code_is_handed_on_as_it_is_or_refused(world, code):
    live = world.begin()
    world.provider.tokens = as_json({"error": "invalid_grant"}, "400 Bad Request")

    answer = world.arrive(state=live["state"], code=code)

    assert (answer.status_code in {400, 403}, world.is_as_before) == (True, True)
    assert set(world.provider.asked) <= {"/oauth/token"}


def honest(world: World, asked: Query) -> None:
    truth = Truth(asked["nonce"])
    world.provider.tokens, world.provider.keys = as_json(truth.body()), as_json(truth.keys())


def test_somebody_elses_answer_signs_nobody_in(world):
    """Login CSRF: an attacker has victims open the callback of the attacker's own sign-in."""
    attacker = World(world.provider, Client(headers={"X-Forwarded-Proto": "https"}), None)
    asked = attacker.begin()
    honest(world, asked)

    answer = world.arrive(code="the-attackers", state=asked["state"])

    assert (answer.status_code, world.is_as_before, world.provider.asked) == (400, True, [])


def test_a_stolen_code_is_worth_nothing_in_another_browser(world):
    """Code injection: the code comes with the thief's own state, so the token has another nonce."""
    victim, thief = world.begin(), World(world.provider, Client(headers={"X-Forwarded-Proto": "https"}), None)
    honest(world, victim)

    answer = thief.arrive(code="stolen", state=thief.begin()["state"])

    assert (answer.status_code, thief.who_is_in) == (403, None)


def test_an_answer_works_once(stranger):
    asked = stranger.begin()
    honest(stranger, asked)
    stranger.arrive(code="c", state=asked["state"])
    who = stranger.who_is_in

    answer = stranger.arrive(code="c", state=asked["state"])

    assert (answer.status_code, stranger.who_is_in, stranger.provider.asked.count("/oauth/token")) == (400, who, 1)


def test_a_refused_answer_does_not_work_afterwards(world):
    asked = world.begin()
    world.arrive(error="access_denied", state=asked["state"])
    honest(world, asked)

    assert (world.arrive(code="c", state=asked["state"]).status_code, world.is_as_before) == (400, True)


def test_a_session_that_was_planted_is_not_the_one_that_is_signed_in(stranger):
    """Fixation: whoever knows the name of the session before must not know it afterwards."""
    stranger.browser.cookies[settings.SESSION_COOKIE_NAME] = "plantedplantedplantedplantedplan"
    asked = stranger.begin()
    honest(stranger, asked)

    stranger.arrive(code="c", state=asked["state"])

    assert stranger.who_is_in
    assert stranger.browser.cookies[settings.SESSION_COOKIE_NAME].value != "plantedplantedplantedplantedplan"


@pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
def test_only_browsers_that_are_led_here_are_answered(world, method):
    asked = world.begin()
    honest(world, asked)

    answer = getattr(world.browser, method)(f"/oidc/callback/?code=c&state={asked['state']}")

    assert (answer.status_code in {403, 405}, world.is_as_before, world.provider.asked) == (True, True, [])


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Dest": "image"}, {"Sec-Fetch-Dest": "iframe"}, {"Sec-Fetch-Mode": "cors"}]
)
def test_pictures_and_frames_of_other_sites_sign_nobody_out(world, headers):
    answer = world.browser.get("/oidc/callback/?error=x", headers={"Sec-Fetch-Site": "cross-site", **headers})

    assert (answer.status_code < 500, world.is_as_before) == (True, True)


def test_the_refusal_leaves_neither_code_nor_state_in_the_address(world):
    answer = world.browser.get("/oidc/callback/?code=secret&state=unknown")

    assert (answer.status_code, answer.headers["Location"]) == (302, REFUSED)
    assert answer.headers["Referrer-Policy"] == "no-referrer"


def test_attempts_of_strangers_do_not_push_out_ours(world):
    live = world.begin()
    stranger = World(world.provider, Client(headers={"X-Forwarded-Proto": "https"}), None)
    for _ in range(12):
        stranger.begin()
    honest(world, live)

    answer = world.browser.get("/oidc/callback/", {"code": "c", "state": live["state"]})

    assert (answer.status_code, answer.headers["Location"]) == (302, "/")
    assert SignInAttempt.objects.count() >= 1


ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "////evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "/\t/evil.example/",
    "/\n/evil.example/",
    "\t//evil.example/",
    " //evil.example/",
    "http:evil.example",
    "https:///evil.example/",
    "https:evil.example",
    "javascript:alert(1)",
    "JavaScript:alert(1)",
    "data:text/html,x",
    "https://marketedge.example@evil.example/",
    "https://marketedge.example.evil.example/",
    "https://evil.example/?https://marketedge.example/",
    "https://evil.example\\@marketedge.example/",
    "//marketedge.example@evil.example/",
    "evil.example",
    "\x00//evil.example/",
    "/\u2044evil.example",
    "",
]


@pytest.mark.parametrize("next_url", ELSEWHERE)
def test_nobody_is_led_to_another_site(stranger, next_url):
    from tests.accounts.conftest import query_of

    asked = query_of(stranger.browser.get("/oidc/authenticate/", {"next": next_url}).headers["Location"])
    honest(stranger, asked)

    came = stranger.browser.get("/oidc/callback/", {"code": "c", "state": asked["state"]})

    led = came.headers["Location"]
    assert (came.status_code, led == "/" or led.startswith("/%E2%81%84")) == (302, True)
