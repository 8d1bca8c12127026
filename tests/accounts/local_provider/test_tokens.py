"""Codes become tokens once, soon, and only for the one who asked."""

import base64
from urllib.parse import urlencode

import jwt
import pytest
from jwt.types import Options

from accounts.demonstration import PEOPLE
from accounts.local_provider.tokens import Faults, hash_of
from tests.accounts.local_provider.conftest import SPENT

SANA = PEOPLE[0]
KIM = next(person for person in PEOPLE if not person.is_email_verified)


def claims_in(heard, browser):
    """Of the id_token, verified with the published key."""
    key = jwt.PyJWK(browser.get("/.well-known/jwks.json").json["keys"][0])
    timeless: Options = {"verify_exp": False, "verify_iat": False}
    return jwt.decode(heard.json["id_token"], key, algorithms=["RS256"], audience="us", options=timeless)


def header_of(heard):
    return jwt.get_unverified_header(heard.json["id_token"])


def test_a_code_becomes_a_token_with_the_claims_of_the_person(browser, clock):
    heard = browser.post("/oauth/token", **SPENT, code=browser.code())

    claims = claims_in(heard, browser)
    assert len(claims.pop("sid")) == 16
    assert claims.pop("at_hash") == hash_of(heard.json["access_token"])
    assert claims == {
        "iss": "https://issuer.example/",
        "sub": SANA.subject,
        "aud": "us",
        "azp": "us",
        "iat": int(clock.now),
        "exp": int(clock.now) + 600,
        "auth_time": int(clock.now),
        "nonce": "n",
        "email": SANA.email,
        "email_verified": True,
        "name": SANA.name,
        "given_name": SANA.given_name,
        "family_name": SANA.family_name,
    }


def test_an_address_that_is_not_verified_is_said_so(browser):
    heard = browser.post("/oauth/token", **SPENT, code=browser.code(KIM.subject))

    assert claims_in(heard, browser)["email_verified"] is False


def test_a_question_without_nonce_gets_a_token_without(browser):
    heard = browser.post("/oauth/token", **SPENT, code=browser.code(nonce=""))

    assert "nonce" not in claims_in(heard, browser)


def test_the_answer_has_the_fields_of_the_specification_and_is_not_stored(browser):
    heard = browser.post("/oauth/token", **SPENT, code=browser.code())

    rest = {name: value for name, value in heard.json.items() if name not in {"access_token", "id_token"}}
    assert rest == {"token_type": "Bearer", "expires_in": 600, "scope": "openid profile email"}
    assert heard.headers["Cache-Control"] == "no-store"


def test_continuing_keeps_the_session_and_its_time(browser, clock):
    first = claims_in(browser.post("/oauth/token", **SPENT, code=browser.code()), browser)
    clock.now += 100

    second = claims_in(browser.post("/oauth/token", **SPENT, code=browser.code()), browser)

    assert (second["sid"], second["auth_time"]) == (first["sid"], first["auth_time"])


@pytest.mark.parametrize("changes", [{"subject": KIM.subject}, {"prompt": "login"}])
def test_another_person_or_a_new_sign_in_begins_a_new_session(browser, clock, changes):
    first = claims_in(browser.post("/oauth/token", **SPENT, code=browser.code()), browser)
    clock.now += 100

    second = claims_in(browser.post("/oauth/token", **SPENT, code=browser.code(**changes)), browser)

    assert (second["sid"] != first["sid"], second["auth_time"]) == (True, first["auth_time"] + 100)


def test_the_hash_of_an_access_token_is_that_of_the_specification():
    # OpenID Connect Core, A.3.
    assert hash_of("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y") == "77QmUPtjPfzWtF2AnpK9RQ"


@pytest.mark.parametrize(
    ("scope", "claims"),
    [
        ("openid", set()),
        ("openid email", {"email", "email_verified"}),
        ("openid profile read:roles", {"name", "given_name", "family_name"}),
    ],
)
def test_a_token_tells_as_much_as_the_scope_asks_for(browser, scope, claims):
    heard = browser.post("/oauth/token", **SPENT, code=browser.code(scope=scope))

    profile = {"name", "given_name", "family_name", "email", "email_verified"}
    assert profile & set(claims_in(heard, browser)) == claims
    told = browser.ask("GET", "/userinfo", HTTP_AUTHORIZATION=f"Bearer {heard.json['access_token']}").json
    assert set(told) == {"sub", *claims}


def test_a_token_for_an_organisation_names_it(browser):
    ben = "demonstration|cinema-analyst"
    heard = browser.post("/oauth/token", **SPENT, code=browser.code(ben, organization="org_lumen"))

    claims = claims_in(heard, browser)
    assert (claims["org_id"], claims["org_name"]) == ("org_lumen", "lumen-cinemas")


def test_an_access_token_for_an_api_says_for_whom_and_what(browser, clock):
    scope = "openid email read:roles"
    heard = browser.post("/oauth/token", **SPENT, code=browser.code(audience="https://api.example/", scope=scope))
    token = heard.json["access_token"]

    key = jwt.PyJWK(browser.get("/.well-known/jwks.json").json["keys"][0])
    timeless: Options = {"verify_exp": False, "verify_iat": False}
    claims = jwt.decode(token, key, algorithms=["RS256"], audience="https://api.example/", options=timeless)
    assert len(claims.pop("jti")) >= 16
    assert claims == {
        "iss": "https://issuer.example/",
        "sub": SANA.subject,
        "aud": ["https://api.example/", "https://issuer.example/userinfo"],
        "azp": "us",
        "client_id": "us",
        "iat": int(clock.now),
        "exp": int(clock.now) + 600,
        "auth_time": int(clock.now),
        "scope": scope,
    }
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
    assert browser.ask("GET", "/userinfo", HTTP_AUTHORIZATION=f"Bearer {token}").json["email"] == SANA.email


def test_a_code_that_comes_twice_takes_back_what_it_became(browser):
    code = browser.code()
    access = browser.post("/oauth/token", **SPENT, code=code).json["access_token"]

    browser.post("/oauth/token", **SPENT, code=code)

    assert browser.ask("GET", "/userinfo", HTTP_AUTHORIZATION=f"Bearer {access}").status == 401


def test_a_question_without_grant_type_is_told_so(browser):
    form = {name: value for name, value in SPENT.items() if name != "grant_type"}

    assert browser.post("/oauth/token", **form, code="c").json["error"] == "invalid_request"


def test_a_code_is_spent_once(browser):
    code = browser.code()
    browser.post("/oauth/token", **SPENT, code=code)

    again = browser.post("/oauth/token", **SPENT, code=code)

    assert (again.status, again.json["error"]) == (400, "invalid_grant")


@pytest.mark.parametrize(("seconds", "status"), [(60, 200), (61, 400)])
def test_a_code_is_good_for_a_minute(browser, clock, seconds, status):
    code = browser.code()

    clock.now += seconds

    assert browser.post("/oauth/token", **SPENT, code=code).status == status


@pytest.mark.parametrize(
    ("changes", "status", "error"),
    [
        ({"code": "guessed"}, 400, "invalid_grant"),
        ({"code_verifier": "other"}, 400, "invalid_grant"),
        ({"code_verifier": ""}, 400, "invalid_grant"),
        ({"code_verifier": "é"}, 400, "invalid_grant"),
        ({"redirect_uri": "https://us.example/other"}, 400, "invalid_grant"),
        ({"redirect_uri": ""}, 400, "invalid_grant"),
        ({"client_secret": "wrong"}, 401, "invalid_client"),
        ({"client_secret": "é"}, 401, "invalid_client"),
        ({"client_id": "them"}, 401, "invalid_client"),
        ({"grant_type": "password"}, 400, "unsupported_grant_type"),
    ],
)
def test_what_does_not_fit_gets_no_token(browser, changes, status, error):
    heard = browser.post("/oauth/token", **{**SPENT, "code": browser.code(), **changes})

    assert (heard.status, heard.json["error"]) == (status, error)


def test_a_code_that_was_brought_with_a_wrong_verifier_is_lost(browser):
    code = browser.code()
    browser.post("/oauth/token", **{**SPENT, "code_verifier": "other"}, code=code)

    assert browser.post("/oauth/token", **SPENT, code=code).status == 400


@pytest.mark.parametrize(
    ("credentials", "status"), [(b"us:secret", 200), (b"us:wrong", 401), (b"us:s%65cret", 200), (b"\xff", 401)]
)
def test_a_client_may_say_who_it_is_in_the_header(browser, credentials, status):
    form = {name: value for name, value in SPENT.items() if not name.startswith("client_")}
    body = "&".join(f"{name}={value}" for name, value in {**form, "code": browser.code()}.items()).encode()
    header = f"Basic {base64.b64encode(credentials).decode()}"

    assert browser.ask("POST", "/oauth/token", body=body, HTTP_AUTHORIZATION=header).status == status


def test_an_unknown_client_is_told_how_to_say_who_it_is(browser):
    assert browser.post("/oauth/token").headers["WWW-Authenticate"].startswith("Basic ")


@pytest.mark.parametrize("length", ["", "-1", "many", "9" * 5000])
def test_a_body_of_no_honest_length_is_not_read(browser, length):
    body = urlencode({**SPENT, "code": browser.code()}).encode()

    assert browser.ask("POST", "/oauth/token", body=body, CONTENT_LENGTH=length).status == 401


@pytest.mark.parametrize(("size", "status"), [(20_000, 200), (20_001, 401)])
def test_a_body_beyond_the_limit_is_not_read(browser, size, status):
    body = urlencode({**SPENT, "code": browser.code(), "padding": ""}).encode()

    assert browser.ask("POST", "/oauth/token", body=body.ljust(size, b"x")).status == status


def test_the_access_token_tells_who_the_person_is(browser):
    access = browser.post("/oauth/token", **SPENT, code=browser.code()).json["access_token"]

    assert browser.ask("GET", "/userinfo", HTTP_AUTHORIZATION=f"Bearer {access}").json == {
        "sub": SANA.subject,
        "email": SANA.email,
        "email_verified": True,
        "name": SANA.name,
        "given_name": SANA.given_name,
        "family_name": SANA.family_name,
    }


def test_an_access_token_ends_when_it_says(browser, clock):
    access = browser.post("/oauth/token", **SPENT, code=browser.code()).json["access_token"]

    clock.now += 601

    assert browser.ask("GET", "/userinfo", HTTP_AUTHORIZATION=f"Bearer {access}").status == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer guessed", "Basic {access}", "{access}"])
def test_nobody_is_told_who_somebody_is_without_an_access_token(browser, header):
    access = browser.post("/oauth/token", **SPENT, code=browser.code()).json["access_token"]

    heard = browser.ask("GET", "/userinfo", HTTP_AUTHORIZATION=header.format(access=access))

    assert (heard.status, heard.json["error"]) == (401, "invalid_token")


@pytest.mark.parametrize(
    ("claim", "value"),
    [("iss", "https://evil.example/"), ("azp", "them"), ("exp", 1), ("nonce", "other"), ("email_verified", "true")],
)
def test_a_fault_replaces_a_claim(browser, provider, claim, value):
    provider.faults = Faults(claims=((claim, value),))

    heard = browser.post("/oauth/token", **SPENT, code=browser.code())

    assert claims_in(heard, browser)[claim] == value


def test_a_fault_takes_a_claim_away(browser, provider):
    provider.faults = Faults(claims=(("nonce", None),))

    heard = browser.post("/oauth/token", **SPENT, code=browser.code())

    assert "nonce" not in claims_in(heard, browser)


def test_a_fault_changes_the_algorithm_and_the_name_of_the_key(browser, provider):
    provider.faults = Faults(algorithm="HS256", kid="unknown")

    heard = browser.post("/oauth/token", **SPENT, code=browser.code())

    assert (header_of(heard)["alg"], header_of(heard)["kid"]) == ("HS256", "unknown")


def test_a_fault_puts_the_token_endpoint_out_of_order(browser, provider):
    provider.faults = Faults(token_status=503)

    assert browser.post("/oauth/token", **SPENT, code=browser.code()).status == 503
