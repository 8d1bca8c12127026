"""Where the single-page app sends people to sign in. It asks neither the database nor the provider."""

import re
import secrets
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from mozilla_django_oidc.utils import generate_code_challenge

from tenants.api import Problem, methods

COOKIE = "pkce_verifier"
COOKIE_LIFETIME = 600
SCOPE = re.compile(r"[!#-\[\]-~]{1,100}")  # RFC 6749 3.3
HINT = re.compile(r"[A-Za-z0-9_.-]{1,100}")
PARAMETERS = ("redirect_uri", "additional_scopes", "organization_hint")


@login_not_required
@csrf_exempt
@methods("GET")
def auth0_url(request: HttpRequest) -> HttpResponse:
    """{auth_url, redirect_uri, scopes, organization_hint}, with state and PKCE in `auth_url`.

    `redirect_uri` is exactly one of those allowed; `additional_scopes` are separated by spaces or commas. The verifier
    stays in a signed HttpOnly cookie, for the exchange of the code.
    """
    redirect_uri, additional, hint = (_parameter(request, name) for name in PARAMETERS)
    if redirect_uri not in settings.API_REDIRECT_URIS:
        words = "This redirect_uri is not allowed: it must be exactly one on the list."
        raise Problem(400, "redirect_uri_not_allowed", words)
    if hint and not HINT.fullmatch(hint):
        raise Problem(422, "invalid", "organization_hint must be an organisation's id or name at the provider.")
    scopes, verifier = scopes_with(additional), secrets.token_urlsafe(48)
    response = JsonResponse(
        {
            "auth_url": _authorize_url(redirect_uri, scopes, verifier, hint),
            "redirect_uri": redirect_uri,
            "scopes": scopes,
            "organization_hint": hint or None,
        },
        headers={"Cache-Control": "no-store"},
    )
    _keep(response, verifier)
    return response


def _parameter(request: HttpRequest, name: str) -> str:
    values = request.GET.getlist(name)
    if len(values) > 1:
        raise Problem(400, "malformed", f"{name} stands in the address more than once.")
    return values[0] if values else ""


def scopes_with(additional: str) -> list[str]:
    """Those that we always ask for, then the wanted ones, each once; Problem when one is malformed or not allowed."""
    wanted = re.split(r"[ ,]+", additional.strip(" ,")) if additional.strip(" ,") else []
    if not all(SCOPE.fullmatch(scope) for scope in wanted):
        raise Problem(422, "invalid", "additional_scopes must be scopes with spaces or commas between them.")
    if not set(wanted) <= {*settings.API_SCOPES, *settings.API_ADDITIONAL_SCOPES}:
        raise Problem(400, "scope_not_allowed", "additional_scopes holds one that is not on the list.")
    return list(dict.fromkeys([*settings.API_SCOPES, *wanted]))


def _authorize_url(redirect_uri: str, scopes: list[str], verifier: str, hint: str) -> str:
    parameters = {
        "response_type": "code",
        "client_id": settings.OIDC_RP_CLIENT_ID,
        "redirect_uri": redirect_uri,
        "scope": " ".join(scopes),
        "state": secrets.token_urlsafe(24),
        "nonce": secrets.token_urlsafe(24),
        "code_challenge": generate_code_challenge(verifier, "S256"),
        "code_challenge_method": "S256",
        # So that the access token is one for this API.
        **({"audience": settings.API_AUDIENCE} if settings.API_AUDIENCE else {}),
        **({"organization": hint} if hint else {}),
    }
    return f"{settings.OIDC_OP_AUTHORIZATION_ENDPOINT}?{urlencode(parameters)}"


def _keep(response: HttpResponse, verifier: str) -> None:
    # The app lives at another origin: outside the demonstration its requests carry only SameSite=None cookies.
    response.set_signed_cookie(
        COOKIE,
        verifier,
        max_age=COOKIE_LIFETIME,
        secure=settings.SECURE_COOKIES,
        httponly=True,
        samesite="None" if settings.SECURE_COOKIES else "Lax",
    )
