"""Is the identity provider what the settings say? From its own document and keys; nobody signs in for it."""

import json
import time
from base64 import urlsafe_b64decode
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings

from accounts.fetching import Answer, Unreachable, Untrusted, fetch
from tenants.operations import Report

SUBJECT = "identity provider"
SKEW_ALLOWED = 5.0  # seconds
SLOW_AFTER = 1.0  # seconds for one answer
CERTIFICATE_DAYS = 14
SMALLEST_KEY = 2048  # bits

# What the document must say, and which of our settings goes by it.
ENDPOINTS = {
    "authorization_endpoint": "OIDC_OP_AUTHORIZATION_ENDPOINT",
    "token_endpoint": "OIDC_OP_TOKEN_ENDPOINT",
    "jwks_uri": "OIDC_OP_JWKS_ENDPOINT",
    "end_session_endpoint": "OIDC_OP_LOGOUT_ENDPOINT",
}
OFFERS = {
    "id_token_signing_alg_values_supported": "RS256",
    "code_challenge_methods_supported": "S256",
    "response_types_supported": "code",
}


BROKEN = "Signed-in people keep working; nobody can sign in. Look at the provider's status page."
ANOTHER = "Compare OIDC_ISSUER with the provider's settings, letter by letter."


class Wrong(Exception):
    """The provider answered, and the answer cannot be used; the second argument is what to do."""


def examine(*, within: float) -> Report:
    """Everything, after at most `within` seconds."""
    deadline, report = time.monotonic() + within, Report()
    try:
        answer, document = _read(f"{settings.OIDC_ISSUER.rstrip('/')}/.well-known/openid-configuration", deadline)
        report.ok(SUBJECT, f"answers in {answer.seconds:.2f} s")
        _examine_answer(report, answer)
        _examine_document(report, document)
        _, keys = _read(settings.OIDC_OP_JWKS_ENDPOINT, deadline)
        _examine_keys(report, keys)
    except Wrong as fault:
        report.problem(SUBJECT, *fault.args)
    except Untrusted as fault:
        report.problem(SUBJECT, str(fault), "Nobody can sign in. Its owner has to renew the certificate.")
    except Unreachable as fault:
        report.unknown(SUBJECT, str(fault), BROKEN)
    return report


def _read(url: str, deadline: float) -> tuple[Answer, dict[str, Any]]:
    answer = fetch(url, within=max(deadline - time.monotonic(), 0.001))
    what = url.rpartition("/")[2]
    if 300 <= answer.status < 400:
        raise Wrong(f"{what} is redirected, which the sign-in does not follow", ANOTHER)
    if answer.status != 200:
        raise Wrong(f"{what} answers with status {answer.status}", BROKEN if answer.status >= 500 else ANOTHER)
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError):
        raise Wrong(f"{what} is not JSON", ANOTHER) from None
    if not isinstance(document, dict):
        raise Wrong(f"{what} is not an object", ANOTHER)
    return answer, document


def _examine_answer(report: Report, answer: Answer) -> None:
    if answer.seconds > SLOW_AFTER:
        report.problem(SUBJECT, f"is slow: {answer.seconds:.1f} s for one answer", "People wait so long at sign-in.")
    _examine_clock(report, answer)
    ends_at = answer.certificate_ends_at
    if ends_at is None:
        return
    left = ends_at - datetime.now(UTC)
    says = f"ends on {ends_at:%d %b %Y}, in {left.days} days"
    if left < timedelta(days=CERTIFICATE_DAYS):
        report.problem("certificate", says, "Its owner has to renew it; afterwards nobody could sign in.")
    else:
        report.ok("certificate", says)


def _examine_clock(report: Report, answer: Answer) -> None:
    skew = answer.skew
    if skew is None:
        report.note("provider's clock", "it does not tell the time")
    elif abs(skew) > SKEW_ALLOWED:
        words = f"ours is {abs(skew):.0f} seconds {'behind' if skew > 0 else 'ahead of'} the provider's"
        report.problem("provider's clock", words, "Tokens look expired or not yet valid. Set the clock by NTP.")
    else:
        report.ok("provider's clock", "agrees with ours")


def _examine_document(report: Report, document: dict[str, Any]) -> None:
    wrong = _differences(document)
    for says in wrong:
        report.problem("document", says, ANOTHER)
    for offer, needed in OFFERS.items():
        offered = document.get(offer)
        if not isinstance(offered, list) or needed not in offered:
            report.problem("document", f"{offer} does not hold {needed}", "The sign-in needs it.")
    if all(finding.subject != "document" for finding in report.findings):
        report.ok("document", "issuer and addresses are ours; RS256, S256 and the code flow are offered")


def _differences(document: dict[str, Any]) -> list[str]:
    wrong = []
    if document.get("issuer") != settings.OIDC_ISSUER:
        wrong.append(f"its issuer is {document.get('issuer')!r}, ours is {settings.OIDC_ISSUER!r}")
    for name, setting in ENDPOINTS.items():
        ours, theirs = getattr(settings, setting), document.get(name)
        if theirs != ours:
            wrong.append(f"{name} is {theirs!r}, we use {ours!r}" if theirs else f"{name} is missing")
    return wrong


def _examine_keys(report: Report, document: dict[str, Any]) -> None:
    listed = document.get("keys")
    keys = [key for key in listed if isinstance(key, dict)] if isinstance(listed, list) else []
    names = Counter(str(key.get("kid")) for key in keys)
    for name, count in names.items():
        if count > 1:
            report.problem("keys", f"{count} keys are called {name}", "The provider has to tell its keys apart.")
    ours = [key for key in keys if _is_for_signatures(key)]
    faults = list(filter(None, map(_fault_of, ours)))
    for says in faults:
        report.problem("keys", says, "A token that it signed would be accepted, or could not be verified.")
    if len(ours) == len(faults):
        report.problem("keys", f"none of {len(keys)} can be used", "No token can be verified.")
    elif all(finding.subject != "keys" for finding in report.findings):
        others = len(keys) - len(ours)
        report.ok("keys", f"{len(ours)} for RS256{f', {others} of another kind' if others else ''}")


def _is_for_signatures(key: dict[str, Any]) -> bool:
    return key.get("kty") == "RSA" and key.get("alg", "RS256") == "RS256" and key.get("use", "sig") == "sig"


def _fault_of(key: dict[str, Any]) -> str:
    """Why a key must not be used, or nothing."""
    if not isinstance(key.get("kid"), str) or not key["kid"]:
        return "a key has no name (kid)"
    bits = _bits(key.get("n"))
    return f"the key {key['kid']} has {bits} bits, fewer than {SMALLEST_KEY}" if bits < SMALLEST_KEY else ""


def _bits(modulus: Any) -> int:
    try:
        return int.from_bytes(urlsafe_b64decode(f"{modulus}=="), "big").bit_length()
    except ValueError:
        return 0
