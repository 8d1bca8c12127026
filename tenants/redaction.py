"""Takes secrets out of text that leaves the process: log lines, reports of commands, error reports."""

import re
from datetime import date
from functools import lru_cache
from typing import Any
from urllib.parse import quote

from django.conf import settings

HIDDEN = "[hidden]"
ADDRESS = "[address]"
SHORTEST = 6  # shorter values are words that would be hidden everywhere


def _hide_value(match: re.Match[str]) -> str:
    """Name, separator and the quotation mark stay, so that JSON stays JSON."""
    return f"{match[1]}{match[2] or ''}{HIDDEN}"


# Names whose value is a secret wherever they stand: headers, queries, forms, settings, keys of dictionaries.
_WHOLE_WORDS = ("code", "state", "nonce", "pwd")
_PARTS = (
    *("password", "passwd", "secret", "token", "verifier", "credential"),
    *("session_id", "sessionid", "api_key", "apikey", "private_key"),
)
_NAMES = rf"(?:\b(?:{'|'.join(_WHOLE_WORDS)})|(?:{'|'.join(_PARTS)})[\w-]{{0,24}})"
_SECRET_NAME = re.compile(rf"(?i)\b(?:{'|'.join(_WHOLE_WORDS)})\b|{'|'.join(_PARTS)}|cookie|authorization")
# What only looks like a secret, and the parts of addresses and headers that carry one. A pattern is tried only where
# one of its signs is in the text (in small letters): nearly every line is without, and is written quickly.
_PATTERNS: tuple[tuple[tuple[str, ...], re.Pattern[str], Any], ...] = (
    (
        ("private key",),
        re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL),
        HIDDEN,
    ),
    (("eyj",), re.compile(r"\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]*)*"), HIDDEN),
    # A client token; its first characters alone, by which people recognise it, are none.
    (("mec_",), re.compile(r"\bmec_[\w-]{20,}"), HIDDEN),
    (
        ("cookie", "authorization"),
        re.compile(
            r"(?i)((?:cookie|authorization)[\"']?\s{0,4}[=:]\s{0,4})(?:([\"'])(?:\\.|(?!\2)[^\\])*|[^\r\n]+)", re.DOTALL
        ),
        _hide_value,
    ),
    (("bearer", "basic"), re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (("://",), re.compile(r"(?i)\b([a-z][a-z0-9+.-]{1,20}://[^\s:/@]*):[^\s\"'<>]*@"), rf"\1:{HIDDEN}@"),
    # A one-time link is as good as a key: its address is its secret.
    (("/claim/",), re.compile(r"(?i)(/claim/)[^\s/?\"'<>]+"), rf"\1{HIDDEN}"),
    (
        (*_WHOLE_WORDS, *_PARTS),
        re.compile(
            rf"(?i)({_NAMES}[\"']?\s{{0,4}}[=:]\s{{0,4}}b?)(?:([\"'])(?:\\.|(?!\2)[^\\])*|[^\s&;,\"'}}]+)", re.DOTALL
        ),
        _hide_value,
    ),
)
_SIGNS = [(sign, place) for place, (signs, _, _) in enumerate(_PATTERNS) for sign in signs]
_ADDRESS = re.compile(r"(?<![\w.%+'-])[\w.%+'-]+@[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}")
_known: tuple[str, ...] | None = None


def redact(text: str) -> str:
    """The text without the secrets of the settings, and without what looks like one."""
    for secret in _known_secrets():
        text = text.replace(secret, HIDDEN)
    small = text.lower()
    for place in sorted({place for sign, place in _SIGNS if sign in small}):
        _, pattern, replacement = _PATTERNS[place]
        text = pattern.sub(replacement, text)
    return text


def anonymise(text: str) -> str:
    """Redacted, and without e-mail addresses: for what is kept where nobody decides who reads it."""
    text = redact(text)
    return _ADDRESS.sub(ADDRESS, text) if "@" in text else text


def anonymise_value(name: str, value: Any) -> Any:
    """The same for what is not text: lists and dictionaries in depth, other objects by their words."""
    if value is None or isinstance(value, bool):
        return value
    if _is_secret(name):
        return HIDDEN
    if isinstance(value, (int, float)):
        return value
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {str(key): anonymise_value(str(key), inner) for key, inner in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [anonymise_value(name, inner) for inner in value]
    return anonymise(str(value))


@lru_cache(maxsize=1000)
def _is_secret(name: str) -> bool:
    return _SECRET_NAME.search(name) is not None


def _known_secrets() -> tuple[str, ...]:
    """The values of the settings that must never be seen; none before there are settings."""
    global _known
    if _known is None:
        if not settings.configured:
            return ()
        _known = _read_secrets()
    return _known


def _read_secrets() -> tuple[str, ...]:
    databases = [settings.DATABASES.get("default") or {}, getattr(settings, "OWNER_DATABASE", None) or {}]
    named = ("SECRET_KEY", "OIDC_RP_CLIENT_SECRET", "METRICS_TOKEN", "SENTRY_DSN")
    values = {
        *(str(getattr(settings, name, "") or "") for name in named),
        *(str(database.get("PASSWORD") or "") for database in databases),
        *getattr(settings, "SECRET_KEY_FALLBACKS", ()),
    }
    spelled = values | {quote(value, safe="") for value in values}
    return tuple(sorted((value for value in spelled if len(value) >= SHORTEST), key=len, reverse=True))
