"""The calls to the identity provider: bounded in time, never following redirects, keys kept for a while."""

import math
import threading
import time
from typing import Any

from django.conf import settings

from accounts.refusals import BAD_TOKEN, PROVIDER_DOWN, PROVIDER_REFUSED, Refused

KEYS_KEPT = 600
COOL_DOWN = 30
FAILURE_KEPT = 5


def exchange(code: str, verifier: str) -> str:
    """The id_token for an authorization code; Refused when the provider is down or says no."""
    form = {
        "grant_type": "authorization_code",
        "client_id": settings.OIDC_RP_CLIENT_ID,
        "client_secret": settings.OIDC_RP_CLIENT_SECRET,
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": settings.OIDC_CALLBACK_URL,
    }
    token = _call("POST", settings.OIDC_OP_TOKEN_ENDPOINT, data=form).get("id_token")
    if not isinstance(token, str) or not token.isascii():
        raise Refused(BAD_TOKEN, "no id_token in the answer")
    return token


def _call(method: str, url: str, **options: Any) -> dict[str, Any]:
    # Imported here: it is the heaviest import of the sign-in, and start-up does without it.
    import requests

    try:
        with requests.Session() as session:
            # Proxies and .netrc of the environment have no say in where secrets go.
            session.trust_env = False
            response = session.request(method, url, timeout=settings.OIDC_TIMEOUT, allow_redirects=False, **options)
    except requests.RequestException as fault:
        raise Refused(PROVIDER_DOWN, type(fault).__name__) from fault
    if response.status_code >= 500:
        raise Refused(PROVIDER_DOWN, f"status {response.status_code}")
    if response.status_code != 200:
        raise Refused(PROVIDER_REFUSED, f"status {response.status_code}")
    try:
        body = response.json()
    except ValueError as fault:
        raise Refused(PROVIDER_DOWN, "the answer is not JSON") from fault
    if not isinstance(body, dict):
        raise Refused(PROVIDER_DOWN, "the answer is not an object")
    return body


class KeyStore:
    """The provider's public keys, by name. An unknown name asks again, but not more often than the cool-down."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.source = ""
        self.keys: dict[str, dict[str, Any]] = {}
        self.read_at = 0.0
        self.failed_at = -math.inf

    def key(self, kid: str) -> dict[str, Any]:
        with self.lock:
            age = time.monotonic() - self.read_at
            is_other = self.source != settings.OIDC_OP_JWKS_ENDPOINT
            if is_other or age > KEYS_KEPT or (kid not in self.keys and age > COOL_DOWN):
                self._read()
            if kid not in self.keys:
                raise Refused(BAD_TOKEN, "unknown key")
            return self.keys[kid]

    def _read(self) -> None:
        url = settings.OIDC_OP_JWKS_ENDPOINT
        if time.monotonic() - self.failed_at < FAILURE_KEPT:
            # Those who waited for the lock would each wait for the provider in turn.
            raise Refused(PROVIDER_DOWN, "the keys could not be read a moment ago")
        try:
            found = _call("GET", url).get("keys")
        except Refused:
            self.failed_at = time.monotonic()
            raise
        keys = found if isinstance(found, list) else []
        self.keys = {key["kid"]: key for key in keys if isinstance(key, dict) and isinstance(key.get("kid"), str)}
        self.source, self.read_at = url, time.monotonic()


key_store = KeyStore()
