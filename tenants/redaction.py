"""Takes secrets out of text that leaves the process: log lines, reports of commands, error reports."""

import re
from functools import cache

from django.conf import settings

HIDDEN = "[hidden]"
# What only looks like a secret: tokens, and the parts of addresses and headers that carry one.
_PATTERNS = (
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]+(?:\.[\w-]+)?"), HIDDEN),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w.~+/=-]{8,}"), rf"\1 {HIDDEN}"),
    (
        re.compile(
            r"(?i)\b(code|state|nonce|code_verifier|client_secret|access_token|id_token|refresh_token|id_token_hint"
            r"|password|secret|token|sessionid|csrftoken|pkce_verifier)(\"?'?\s*[=:]\s*\"?'?)[^\s&;,\"'}]+"
        ),
        rf"\1\2{HIDDEN}",
    ),
    (re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://[^\s:/@]+):[^\s@/]+@"), rf"\1:{HIDDEN}@"),
)
SHORTEST = 6  # shorter values are words that would be hidden everywhere


@cache
def _known_secrets() -> tuple[str, ...]:
    owner = settings.OWNER_DATABASE or {}
    values = {
        settings.SECRET_KEY,
        settings.OIDC_RP_CLIENT_SECRET,
        str(settings.DATABASES["default"].get("PASSWORD") or ""),
        str(owner.get("PASSWORD") or ""),
    }
    return tuple(sorted((value for value in values if len(value) >= SHORTEST), key=len, reverse=True))


def redact(text: str) -> str:
    """The text without the secrets of the settings, and without what looks like one."""
    for secret in _known_secrets():
        text = text.replace(secret, HIDDEN)
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text
