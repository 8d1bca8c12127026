"""System checks that refuse to deploy weak settings: `manage.py check --deploy`. Django's own checks come on top."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from marketedge.security_contact import contact_uri

Problems = Iterator[tuple[str, str]]

# What stands in examples, tests and tutorials: known to everybody, so no secret.
GIVEN_AWAY = (
    "example",
    "only-for-tests",
    "changeme",
    "change-me",
    "insecure",
    "not-a-secret",
    "secret-key",
    "0123456789",
)
SHORTEST_SECRET = 32
FEWEST_CHARACTERS = 12
YEAR = 31_536_000
LONGEST_SESSION = 8 * 60 * 60
LONGEST_PROVIDER_CALL = 10
UNSAFE_SOURCES = ("'unsafe-inline'", "'unsafe-eval'", "'unsafe-hashes'", "data:", "blob:", "*", "http:", "https:")
CLOSED_DIRECTIVES = ("default-src", "object-src", "base-uri", "frame-ancestors")
MIDDLEWARE = (
    "marketedge.cors.ExactCorsMiddleware",
    "marketedge.hygiene.BrowserRulesMiddleware",
    "csp.middleware.CSPMiddleware",
    "accounts.secrecy.SecretAddressesMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "accounts.middleware.SignInRequiredMiddleware",
)


def _secrets() -> Problems:
    for name in ("SECRET_KEY", "OIDC_RP_CLIENT_SECRET"):
        if why := weakness_of(getattr(settings, name)):
            yield f"{name} {why}.", "Make a new one: python -c 'import secrets; print(secrets.token_urlsafe(64))'."
    owner = (settings.OWNER_DATABASE or {}).get("PASSWORD")
    web = settings.DATABASES["default"].get("PASSWORD")
    values = [settings.SECRET_KEY, settings.OIDC_RP_CLIENT_SECRET, settings.METRICS_TOKEN, web, owner]
    used = [value for value in values if value]
    if len(set(used)) < len(used):
        yield (
            "Two secrets are the same: SECRET_KEY, OIDC_RP_CLIENT_SECRET, METRICS_TOKEN, passwords of databases.",
            "Give each its own, so that one that leaks opens one door.",
        )


def weakness_of(secret: str) -> str:
    """Why somebody could guess it, or ""."""
    if len(secret) < SHORTEST_SECRET:
        return f"is shorter than {SHORTEST_SECRET} characters"
    if len(set(secret)) < FEWEST_CHARACTERS:
        return "repeats a few characters"
    return "is one that examples show" if any(word in secret.lower() for word in GIVEN_AWAY) else ""


def _cookies() -> Problems:
    for kind in ("SESSION", "CSRF"):
        wanted = {
            "SECURE": (True,),
            "HTTPONLY": (True,),
            "SAMESITE": ("Lax", "Strict"),
            "DOMAIN": (None,),
            "PATH": ("/",),
        }
        for word, allowed in wanted.items():
            name = f"{kind}_COOKIE_{word}"
            if getattr(settings, name) not in allowed:
                yield f"{name} weakens the cookie.", f"Set it to {' or '.join(map(repr, allowed))}."
        if not getattr(settings, f"{kind}_COOKIE_NAME").startswith("__Host-"):
            yield f"{kind}_COOKIE_NAME lets a neighbouring host set the cookie.", "Begin it with __Host-."
    if settings.SESSION_COOKIE_AGE > LONGEST_SESSION:
        yield "SESSION_COOKIE_AGE keeps people signed in for more than eight hours.", "Set it to 28800 or less."


def _transport() -> Problems:
    if (
        settings.SECURE_HSTS_SECONDS < YEAR
        or not settings.SECURE_HSTS_INCLUDE_SUBDOMAINS
        or not settings.SECURE_HSTS_PRELOAD
    ):
        yield "Browsers may still come by http.", "Set SECURE_HSTS_* to a year or more, with subdomains and preload."
    if (
        settings.SECURE_PROXY_SSL_HEADER not in (None, ("HTTP_X_FORWARDED_PROTO", "https"))
        or settings.USE_X_FORWARDED_HOST
    ):
        yield (
            "A caller could say by a header that the connection is safe, or which host this is.",
            "Believe X-Forwarded-Proto alone, from a proxy that drops what callers send under that name.",
        )


def _content_policy() -> Problems:
    directives = settings.CONTENT_SECURITY_POLICY["DIRECTIVES"]
    for name, sources in directives.items():
        for source in [source for source in _listed(sources) if source in UNSAFE_SOURCES]:
            yield f"The content policy's {name} allows {source}.", "Name the addresses that are needed."
    for name in CLOSED_DIRECTIVES:
        if _listed(directives.get(name)) != ["'none'"]:
            yield f"The content policy's {name} is open.", "Set it to 'none'."


def _listed(sources: Any) -> list[str]:
    return [str(source) for source in sources] if isinstance(sources, (list, tuple, set)) else []


def _other_origins() -> Problems:
    if getattr(settings, "CORS_ALLOW_ALL_ORIGINS", False) or getattr(settings, "CORS_ALLOWED_ORIGIN_REGEXES", []):
        yield "More origins than those that are named may read the API.", "Name each in CORS_ALLOWED_ORIGINS."
    addresses = {
        "CORS_ALLOWED_ORIGINS": settings.CORS_ALLOWED_ORIGINS,
        "API_REDIRECT_URIS": settings.API_REDIRECT_URIS,
        "OIDC_CALLBACK_URL": [settings.OIDC_CALLBACK_URL],
        "OIDC_ISSUER": [settings.OIDC_ISSUER],
    }
    for name, values in addresses.items():
        if any(urlsplit(value).scheme != "https" for value in values):
            yield f"{name} has an address without https.", "Codes and tokens travel there: use https://."


def _provider() -> Problems:
    if settings.OIDC_TIMEOUT > LONGEST_PROVIDER_CALL:
        yield (
            f"OIDC_TIMEOUT lets one sign-in hold a thread for more than {LONGEST_PROVIDER_CALL} seconds.",
            "Set it to 6.",
        )


def _protections() -> Problems:
    for name in MIDDLEWARE:
        if name not in settings.MIDDLEWARE:
            yield f"{name} is not installed.", "Put it back into MIDDLEWARE."
    if settings.X_FRAME_OPTIONS != "DENY":
        yield "Other pages may show ours in a frame.", "Set X_FRAME_OPTIONS to DENY."


def _security_contact() -> Problems:
    if not contact_uri(settings.SECURITY_CONTACT):
        yield (
            "Nobody can be told of a weakness: /.well-known/security.txt has no address.",
            "Set SECURITY_CONTACT to an e-mail address or an https:// address.",
        )


CHECKED: dict[str, Callable[[], Problems]] = {
    "marketedge.E001": _secrets,
    "marketedge.E002": _cookies,
    "marketedge.E003": _transport,
    "marketedge.E004": _content_policy,
    "marketedge.E005": _other_origins,
    "marketedge.E006": _provider,
    "marketedge.E007": _protections,
    "marketedge.E008": _security_contact,
}


@register("security", deploy=True)
def nothing_is_weak(**_: Any) -> list[CheckMessage]:
    return [Error(problem, hint, id=code) for code, find in CHECKED.items() for problem, hint in find()]
