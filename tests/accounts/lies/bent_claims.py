"""Claims that an honest provider would not sign for this sign-in: each is what is changed, by name."""

import time
from collections.abc import Callable
from typing import Any

from django.conf import settings

from tests.accounts.lies.world import NULL, Truth

Change = Callable[[Truth], dict[str, Any]]
MISSING = None

ODD: dict[str, Any] = {
    "missing": MISSING,
    "null": NULL,
    "true": True,
    "false": False,
    "zero": 0,
    "minus one": -1,
    "a half": 0.5,
    "empty": "",
    "a word": "word",
    "a list": [],
    "a list of a word": ["word"],
    "an object": {},
    "huge": "9" * 5000,
}
MUST_FIT = ("iss", "aud", "exp", "iat", "nonce")


def says(**changes: Any) -> Change:
    return lambda truth: changes


def made(claim: str, make: Callable[[], Any]) -> Change:
    """For what is only known while the test runs, such as the address of the provider."""
    return lambda truth: {claim: make()}


def of_nonce(make: Callable[[Truth], Any]) -> Change:
    return lambda truth: {"nonce": make(truth)}


def now() -> int:
    return int(time.time())


def issuer() -> str:
    return settings.OIDC_ISSUER


def client() -> str:
    return settings.OIDC_RP_CLIENT_ID


ISSUERS: dict[str, Callable[[], Any]] = {
    "without its slash": lambda: issuer().rstrip("/"),
    "with two slashes": lambda: f"{issuer()}/",
    "with a path": lambda: f"{issuer()}tenant/",
    "in capitals": lambda: issuer().upper(),
    "by https": lambda: issuer().replace("http:", "https:"),
    "at another port": lambda: "http://127.0.0.1:1/",
    "by another name": lambda: issuer().replace("127.0.0.1", "localhost"),
    "with our name before it": lambda: f"{issuer()}@evil.example/",
    "with a query": lambda: f"{issuer()}?tenant=other",
    "with a space": lambda: f"{issuer()} ",
    "in a list": lambda: [issuer()],
    "among others": lambda: [issuer(), "https://evil.example/"],
    "in an object": lambda: {"value": issuer()},
    "somebody else": lambda: "https://evil.example/",
}
AUDIENCES: dict[str, Callable[[], Any]] = {
    "somebody else": lambda: "somebody-else",
    "somebody else in a list": lambda: ["somebody-else"],
    "us and somebody else": lambda: [client(), "somebody-else"],
    "somebody else and us": lambda: ["somebody-else", client()],
    "us in capitals": lambda: client().upper(),
    "us with a space": lambda: f"{client()} ",
    "longer than us": lambda: f"{client()}-2",
    "shorter than us": lambda: client()[:-1],
    "us in a list in a list": lambda: [[client()]],
    "us in an object": lambda: {client(): True},
    "us as a text with a comma": lambda: f"{client()},somebody-else",
    "us and a number": lambda: [client(), 5],
    "our address": lambda: settings.PUBLIC_URL,
}
TIMES: dict[str, Change] = {
    "expired an hour ago": lambda truth: {"exp": now() - 3600},
    "expired just beyond the leeway": lambda truth: {"exp": now() - 32},
    "made in the future": lambda truth: {"iat": now() + 3600},
    "made just beyond the leeway": lambda truth: {"iat": now() + 35},
    "made yesterday": lambda truth: {"iat": now() - 86_400},
    "made eleven minutes ago": lambda truth: {"iat": now() - 660},
    "made before there were computers": lambda truth: {"iat": -(10**9)},
    "not valid yet": lambda truth: {"nbf": now() + 3600},
    "not valid before a word": says(nbf="word"),
    "expires as a text": lambda truth: {"exp": str(now() + 600)},
    "made as a text": lambda truth: {"iat": str(now())},
    "expires at the end of time": says(exp=10**30),
    "expires in a list": lambda truth: {"exp": [now() + 600]},
    "times in milliseconds": lambda truth: {"iat": now() * 1000, "exp": (now() + 600) * 1000},
}
PARTIES: dict[str, Any] = {
    "somebody else": "somebody-else",
    "empty": "",
    "null": NULL,
    "true": True,
    "a list": ["x"],
    "zero": 0,
}
NONCES: dict[str, Callable[[Truth], Any]] = {
    "of somebody else": lambda truth: "n" * len(truth.nonce),
    "in capitals": lambda truth: truth.nonce.swapcase(),
    "cut short": lambda truth: truth.nonce[:-1],
    "with more": lambda truth: f"{truth.nonce}x",
    "with a space": lambda truth: f"{truth.nonce} ",
    "in a list": lambda truth: [truth.nonce],
    "half a surrogate pair": lambda truth: "\ud800",
    "with NUL": lambda truth: f"{truth.nonce}\x00",
}
HASHES: dict[str, Any] = {
    "of another token": "77QmUPtjPfzWtF2AnpK9RQ",
    "empty": "",
    "null": NULL,
    "zero": 0,
    "a list": [],
}
SUBJECTS: dict[str, Any] = {
    **{name: value for name, value in ODD.items() if name != "a word"},
    "with NUL": "auth0|ben\x00",
    "with a new line": "auth0|ben\n",
    "half a surrogate pair": "auth0|ben\ud800",
    "of 256 letters": "s" * 256,
    "in a list": ["auth0|ben"],
    "with a mark that turns the text": "auth0|\u202eneb",
}
SESSIONS: dict[str, Any] = {"null": NULL, "empty": "", "zero": 0, "a list": ["session-1"], "huge": "s" * 5000}
ORGANISATIONS: dict[str, Any] = {
    "unknown": "org_nobody",
    "in capitals": "ORG_LUMEN",
    "our name for it": "lumen",
    "with a space": "org_lumen ",
    "empty": "",
    "null": NULL,
    "true": True,
    "zero": 0,
    "a list": ["org_lumen"],
    "an object": {"id": "org_lumen"},
    "with a wildcard": "org_%",
    "with NUL": "org_lumen\x00",
    "huge": "o" * 5000,
}

CLAIMS: dict[str, Change] = {
    **{f"{claim} {name}": says(**{claim: odd}) for claim in MUST_FIT for name, odd in ODD.items()},
    **{f"iss {name}": made("iss", make) for name, make in ISSUERS.items()},
    **{f"aud {name}": made("aud", make) for name, make in AUDIENCES.items()},
    **{f"azp {name}": says(azp=party) for name, party in PARTIES.items()},
    **TIMES,
    **{f"nonce {name}": of_nonce(make) for name, make in NONCES.items()},
    **{f"at_hash {name}": says(at_hash=value) for name, value in HASHES.items()},
    **{f"sub {name}": says(sub=value) for name, value in SUBJECTS.items()},
    **{f"sid {name}": says(sid=value) for name, value in SESSIONS.items()},
}
