"""The local provider is strict where a real one is."""

import pytest

from accounts.demonstration import PEOPLE
from tests.accounts.local_provider.conftest import ASKED, CALLBACK, Browser

SANA, TOM = PEOPLE[0], PEOPLE[1]


def test_discovery_names_auth0s_paths(browser):
    document = browser.get("/.well-known/openid-configuration").json

    named = {name: address for name, address in document.items() if name.endswith(("_endpoint", "_uri"))}
    assert (document["issuer"], named) == (
        "https://issuer.example/",
        {
            "authorization_endpoint": "https://issuer.example/authorize",
            "token_endpoint": "https://issuer.example/oauth/token",
            "userinfo_endpoint": "https://issuer.example/userinfo",
            "jwks_uri": "https://issuer.example/.well-known/jwks.json",
            "end_session_endpoint": "https://issuer.example/oidc/logout",
        },
    )


def test_choosing_somebody_leads_back_with_a_code_and_the_state(browser):
    heard = browser.choose()

    assert heard.status == 302
    assert heard.headers["Location"].startswith(f"{CALLBACK}?code=")
    assert heard.sent_back["state"] == "s"


@pytest.mark.parametrize(
    "changes", [{"client_id": "them"}, {"redirect_uri": "https://evil.example/"}, {"redirect_uri": f"{CALLBACK}/"}]
)
def test_nobody_is_sent_to_an_address_that_is_not_proven(browser, changes):
    heard = browser.get("/authorize", **{**ASKED, **changes})

    assert (heard.status, heard.headers.get("Location")) == (400, None)


def test_a_parameter_given_twice_counts_as_not_given(browser):
    twice = f"client_id=us&redirect_uri={CALLBACK}&redirect_uri={CALLBACK}"

    assert browser.ask("GET", "/authorize", twice).status == 400


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge": "é" * 43}, "invalid_request"),
        ({"response_type": ""}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"scope": "email"}, "invalid_scope"),
        ({"prompt": "none"}, "login_required"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "dance"}, "invalid_request"),
        ({"max_age": "soon"}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"request_uri": "https://us.example/r"}, "request_uri_not_supported"),
        ({"audience": "https://unknown.example/"}, "access_denied"),
        ({"organization": "org_nobody"}, "invalid_request"),
    ],
)
def test_a_wrong_question_is_sent_back_with_the_error_of_the_specification(browser, changes, error):
    back = browser.get("/authorize", **{**ASKED, **changes}).sent_back

    assert (back["error"], back["state"], back["iss"]) == (error, "s", "https://issuer.example/")


def test_cancelling_sends_the_error_back(browser):
    page = browser.get("/authorize", **ASKED)

    back = browser.post("/authorize", pending=page.pending, cancel="yes").sent_back

    assert (back["error"], back["state"]) == ("access_denied", "s")


def test_a_page_is_used_once(browser):
    page = browser.get("/authorize", **ASKED)
    browser.post("/authorize", pending=page.pending, subject=SANA.subject)

    assert browser.post("/authorize", pending=page.pending, subject=SANA.subject).status == 400


@pytest.mark.parametrize("form", [{"subject": SANA.subject}, {"pending": "guessed", "subject": SANA.subject}])
def test_a_form_that_no_page_of_ours_sent_signs_nobody_in(browser, form):
    assert (browser.post("/authorize", **form).status, browser.cookie) == (400, "")


def test_nobody_can_be_somebody_who_is_not_on_the_page(browser):
    page = browser.get("/authorize", **ASKED)

    assert browser.post("/authorize", pending=page.pending, subject="demonstration|nobody").status == 400


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(browser):
    assert browser.choose().headers["Set-Cookie"].split("; ", 1)[1] == "Path=/; HttpOnly; SameSite=Lax"


def test_who_was_here_before_is_asked_first(browser):
    browser.choose(TOM.subject)

    assert f"Continue as {TOM.name}" in browser.get("/authorize", **ASKED).text


def test_another_browser_does_not_learn_who_was_here_before(browser, provider):
    browser.choose(TOM.subject)

    assert "Continue as" not in Browser(provider).get("/authorize", **ASKED).text


def test_a_client_may_have_people_sign_in_anew(browser):
    browser.choose(TOM.subject)

    assert "Continue as" not in browser.get("/authorize", **ASKED, prompt="login").text


def test_signing_out_leads_back_with_the_state(browser):
    heard = browser.get("/oidc/logout", client_id="us", post_logout_redirect_uri="https://us.example/bye", state="x")

    assert (heard.status, heard.headers["Location"]) == (302, "https://us.example/bye?state=x")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"client_id": "us", "post_logout_redirect_uri": "https://evil.example/"},
        {"client_id": "them", "post_logout_redirect_uri": "https://us.example/bye"},
    ],
)
def test_signing_out_leads_to_no_address_that_is_not_listed(browser, query):
    heard = browser.get("/oidc/logout", **query)

    assert (heard.status, "You are signed out" in heard.text) == (200, True)


@pytest.mark.parametrize("query", [{}, {"client_id": "us", "post_logout_redirect_uri": "https://us.example/bye"}])
def test_signing_out_ends_the_session_even_for_those_who_kept_the_cookie(browser, provider, query):
    browser.choose(TOM.subject)
    kept = Browser(provider, browser.cookie)

    browser.get("/oidc/logout", **query)

    assert (browser.cookie, "Continue as" in kept.get("/authorize", **ASKED).text) == ("local_provider_session=", False)


def test_a_page_that_is_not_there_is_not_found(browser):
    assert browser.get("/nothing").status == 404


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/oauth/token", "POST"), ("PUT", "/userinfo", "GET, POST"), ("PUT", "/authorize", "GET, POST")],
)
def test_a_wrong_method_is_told_the_right_ones(browser, method, path, allowed):
    heard = browser.ask(method, path)

    assert (heard.status, heard.headers["Allow"]) == (405, allowed)


def test_the_answer_says_which_provider_gives_it(browser):
    assert browser.choose().sent_back["iss"] == "https://issuer.example/"


def test_a_client_may_ask_by_post(browser):
    assert "Who do you want to be?" in browser.post("/authorize", **ASKED).text


@pytest.mark.parametrize("subject", ["demonstration|cinema-admin", "demonstration|two-organisations"])
def test_members_sign_in_to_their_organisation(browser, subject):
    assert "code" in browser.choose(subject, organization="org_lumen").sent_back


@pytest.mark.parametrize("subject", ["demonstration|hotel-admin", "demonstration|stranger"])
def test_nobody_signs_in_to_an_organisation_of_others(browser, subject):
    back = browser.choose(subject, organization="lumen-cinemas").sent_back

    assert (back["error"], "code" in back) == ("access_denied", False)


def test_the_page_says_which_organisation_was_asked_for(browser):
    assert "Lumen Cinemas</strong> get in" in browser.get("/authorize", **ASKED, organization="lumen-cinemas").text


def test_without_a_page_the_session_answers(browser):
    browser.choose(TOM.subject)

    assert "code" in browser.get("/authorize", **ASKED, prompt="none").sent_back


def test_without_a_page_nobody_enters_an_organisation_of_others(browser):
    browser.choose("demonstration|hotel-admin")

    back = browser.get("/authorize", **ASKED, prompt="none", organization="lumen-cinemas").sent_back

    assert back["error"] == "access_denied"


@pytest.mark.parametrize(("seconds", "answer"), [(100, "code"), (101, "error")])
def test_a_sign_in_that_is_too_long_ago_counts_as_none(browser, clock, seconds, answer):
    browser.choose(TOM.subject)

    clock.now += seconds

    assert answer in browser.get("/authorize", **ASKED, prompt="none", max_age="100").sent_back


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8001", ""])
def test_a_name_of_another_site_leads_nowhere(browser, host):
    assert browser.ask("GET", "/.well-known/openid-configuration", HTTP_HOST=host).status == 421


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.1:8001", "localhost:8001", "[::1]:8001"])
def test_names_of_this_machine_are_answered(browser, host):
    assert browser.ask("GET", "/.well-known/openid-configuration", HTTP_HOST=host).status == 200
