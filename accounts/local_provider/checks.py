"""Which questions the provider refuses, and with which error of the OAuth and OpenID Connect specifications."""

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping

CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
SECONDS = re.compile(r"[0-9]{1,9}")
PROMPTS = ("none", "login", "consent", "select_account")
UNSUPPORTED = {
    "request": "request_not_supported",
    "request_uri": "request_uri_not_supported",
    "registration": "registration_not_supported",
}


def problem_of(asked: Mapping[str, str]) -> tuple[str, str] | None:
    """The error and its description for an authorization request, or None (RFC 6749 4.1.2.1, OIDC Core 3.1.2.6)."""
    for name, error in UNSUPPORTED.items():
        if name in asked:
            return error, f"{name} is not supported"
    if "response_type" not in asked:
        return "invalid_request", "response_type is missing"
    if asked["response_type"] != "code":
        return "unsupported_response_type", "response_type must be code"
    if asked.get("response_mode", "query") != "query":
        return "invalid_request", "response_mode must be query"
    if "openid" not in asked.get("scope", "").split():
        return "invalid_scope", "scope must hold openid"
    if asked.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(asked.get("code_challenge", "")):
        return "invalid_request", "PKCE with S256 is required"
    return _problem_of_session(asked)


def _problem_of_session(asked: Mapping[str, str]) -> tuple[str, str] | None:
    prompts = asked.get("prompt", "").split()
    if set(prompts) - set(PROMPTS):
        return "invalid_request", f"prompt must be of {', '.join(PROMPTS)}"
    if "none" in prompts and len(prompts) > 1:
        return "invalid_request", "prompt=none stands alone"
    if not SECONDS.fullmatch(asked.get("max_age", "0")):
        return "invalid_request", "max_age must be a number of seconds"
    return None


def misfit_of(form: Mapping[str, str], asked: Mapping[str, str]) -> str:
    """Why the one who brings a code is not the one who asked for it, or "" (RFC 6749 4.1.3, RFC 7636 4.6)."""
    if form.get("redirect_uri") != asked["redirect_uri"]:
        return "The redirect_uri is not the one that was asked for."
    if not is_same(challenge_of(form.get("code_verifier", "")), asked["code_challenge"]):
        return "The code_verifier does not fit."
    return ""


def challenge_of(verifier: str) -> str:
    """RFC 7636 4.2: BASE64URL(SHA256(verifier)) without padding."""
    return urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def is_same(given: str, expected: str) -> bool:
    # As bytes: compare_digest raises for text beyond ASCII.
    return hmac.compare_digest(given.encode(), expected.encode())
