"""System checks that keep the sign-in from being weakened by a setting."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

REQUIRED = {
    "OIDC_RP_SIGN_ALGO": "RS256",
    "OIDC_USE_PKCE": True,
    "OIDC_PKCE_CODE_CHALLENGE_METHOD": "S256",
    "OIDC_USE_NONCE": True,
    "OIDC_STORE_ID_TOKEN": False,
    "OIDC_STORE_ACCESS_TOKEN": False,
}
HOST_COOKIES = ("SESSION_COOKIE_NAME", "CSRF_COOKIE_NAME")
RENEWAL = "mozilla_django_oidc.middleware.SessionRefresh"


@register("security")
def sign_in_is_strict(**_: Any) -> list[CheckMessage]:
    weak = [name for name, value in REQUIRED.items() if getattr(settings, name, None) != value]
    problems: list[CheckMessage] = [
        Error(f"{name} weakens the sign-in.", f"Set it to {REQUIRED[name]!r}.", id="accounts.E001") for name in weak
    ]
    if RENEWAL in settings.MIDDLEWARE:
        problems.append(
            Error("Sessions must not be renewed behind people's backs.", f"Take out {RENEWAL}.", id="accounts.E002")
        )
    problems += [
        Error(f"{name} lets another host set the cookie.", "Begin it with __Host-.", id="accounts.E003")
        for name in HOST_COOKIES
        if settings.SECURE_COOKIES and not getattr(settings, name).startswith("__Host-")
    ]
    return problems
