"""A client that somebody else has written signs in at the local provider, and holds it to the letter."""

import time
from typing import Any

import pytest
import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2 import rfc9207
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from accounts.demonstration import PEOPLE
from accounts.local_provider.provider import Provider, ProviderSettings
from accounts.local_provider.server import serve_in_thread
from tests.accounts.conftest import query_of

CALLBACK = "https://us.example/callback"
VERIFIER = "v" * 48
NONCE = "n-0S6_WzA2Mj"
SANA = PEOPLE[0]


@pytest.fixture(scope="module")
def issuer():
    settings = ProviderSettings("", "us", "secret", (CALLBACK,), ("https://us.example/bye",), ("https://api.example/",))
    with serve_in_thread(Provider(settings)) as address:
        yield address


@pytest.fixture
def metadata(issuer) -> dict[str, Any]:
    return requests.get(f"{issuer}.well-known/openid-configuration", timeout=5).json()


@pytest.fixture
def session():
    with OAuth2Session(
        "us",
        "secret",
        scope="openid profile email",
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
        token_endpoint_auth_method="client_secret_basic",
    ) as made:
        yield made


def choose(address: str, subject: str = SANA.subject) -> str:
    """Answer the provider's page; returns the whole address of the callback."""
    page = requests.get(address, timeout=5)
    pending = page.text.split('name="pending" value="')[1].split('"')[0]
    form = {"pending": pending, "subject": subject}
    answer = requests.post(address.split("?")[0], data=form, allow_redirects=False, timeout=5)
    return answer.headers["Location"]


def callback_of(session: Any, metadata: dict[str, Any], **more: str) -> tuple[str, str]:
    """The callback's address and the state that the client remembers."""
    endpoint = metadata["authorization_endpoint"]
    address, state = session.create_authorization_url(endpoint, code_verifier=VERIFIER, nonce=NONCE, **more)
    return choose(address), state


def tokens_of(session: Any, metadata: dict[str, Any], **more: str) -> dict[str, Any]:
    callback, state = callback_of(session, metadata, **more)
    return session.fetch_token(
        metadata["token_endpoint"], authorization_response=callback, state=state, code_verifier=VERIFIER
    )


def verified(token: dict[str, Any], metadata: dict[str, Any], **changes: str) -> CodeIDToken:
    """The claims, after every check of the library that a confidential client of the code flow makes."""
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=5).json())
    decoded = jwt.decode(token["id_token"], keys, algorithms=["RS256"])
    expected = {"client_id": "us", "nonce": NONCE, "access_token": token["access_token"], "max_age": 600, **changes}
    options = {
        "iss": {"essential": True, "value": metadata["issuer"]},
        "aud": {"essential": True, "value": changes.get("client_id", "us")},
        "nonce": {"essential": True},
        "sid": {"essential": True},
        "at_hash": {"essential": True},
    }
    claims = CodeIDToken(decoded.claims, decoded.header, options=options, params=expected)
    claims.validate(now=int(time.time()))
    return claims


def test_the_document_that_describes_it_is_complete(metadata, issuer):
    described = OpenIDProviderMetadata({**metadata, **_as_https(metadata)})

    described.validate()
    rfc9207.AuthorizationServerMetadata(described).validate_authorization_response_iss_parameter_supported()

    assert (metadata["issuer"], metadata["authorization_response_iss_parameter_supported"]) == (issuer, True)


def _as_https(metadata: dict[str, Any]) -> dict[str, str]:
    """The library wants https, which a provider of this machine alone does not have."""
    return {
        name: value.replace("http://", "https://", 1)
        for name, value in metadata.items()
        if isinstance(value, str) and value.startswith("http://")
    }


def test_everything_that_it_describes_is_there(metadata):
    addresses = [value for name, value in metadata.items() if name.endswith(("_endpoint", "_uri"))]

    assert [address for address in addresses if requests.get(address, timeout=5).status_code == 404] == []


def test_a_strict_client_signs_in(session, metadata):
    claims = verified(tokens_of(session, metadata), metadata)

    assert (claims["sub"], claims["email"], claims["email_verified"]) == (SANA.subject, SANA.email, True)


def test_the_callback_names_its_issuer_and_gives_the_state_back(session, metadata):
    callback, state = callback_of(session, metadata)

    assert (query_of(callback)["iss"], query_of(callback)["state"]) == (metadata["issuer"], state)


def test_the_access_token_says_who_somebody_is(session, metadata):
    token = tokens_of(session, metadata)
    session.token = token

    told = session.get(metadata["userinfo_endpoint"], timeout=5).json()

    assert (told["sub"], told["email"]) == (SANA.subject, SANA.email)


def test_an_access_token_for_an_api_is_a_signed_token_of_its_own_kind(session, metadata):
    token = tokens_of(session, metadata, audience="https://api.example/")
    keys = KeySet.import_key_set(requests.get(metadata["jwks_uri"], timeout=5).json())

    decoded = jwt.decode(token["access_token"], keys, algorithms=["RS256"])

    assert (decoded.header["typ"], decoded.claims["aud"][0]) == ("at+jwt", "https://api.example/")
    assert verified(token, metadata)["sub"] == decoded.claims["sub"]


@pytest.mark.parametrize(("name", "value"), [("nonce", "another"), ("client_id", "them"), ("access_token", "another")])
def test_the_client_would_notice_what_is_wrong(session, metadata, name, value):
    token = tokens_of(session, metadata)

    with pytest.raises((JoseError, OAuthError, ValueError)):
        verified(token, metadata, **{name: value})


def test_a_code_without_its_verifier_is_worth_nothing(session, metadata):
    callback, state = callback_of(session, metadata)

    with pytest.raises(OAuthError, match="invalid_grant"):
        session.fetch_token(
            metadata["token_endpoint"], authorization_response=callback, state=state, code_verifier="w" * 48
        )


def test_a_code_is_spent_once(session, metadata):
    callback, state = callback_of(session, metadata)
    spend = {"authorization_response": callback, "state": state, "code_verifier": VERIFIER}
    session.fetch_token(metadata["token_endpoint"], **spend)

    with pytest.raises(OAuthError, match="invalid_grant"):
        session.fetch_token(metadata["token_endpoint"], **spend)


def test_a_client_with_a_wrong_secret_is_nobody(session, metadata):
    session.client_secret = "wrong"

    with pytest.raises(OAuthError, match="invalid_client"):
        tokens_of(session, metadata)


def test_the_changed_key_is_found_by_its_name(session, metadata, issuer):
    before = tokens_of(session, metadata)
    page = requests.get(issuer, timeout=5).text
    pending = page.split('name="pending" value="')[1].split('"')[0]
    requests.post(f"{issuer}keys", data={"pending": pending, "rotate": "yes"}, timeout=5)

    after = tokens_of(session, metadata)

    assert [verified(token, metadata)["sub"] for token in (before, after)] == [SANA.subject] * 2
