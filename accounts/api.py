"""The API's door: where the single-page app sends people to sign in. It asks neither the database nor the provider."""

import secrets
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from mozilla_django_oidc.utils import generate_code_challenge

SCOPES = ["openid", "profile", "email", "read:organization", "read:roles"]
COOKIE = "pkce_verifier"
COOKIE_LIFETIME = 600
HINT_LENGTH = 100


@login_not_required
@csrf_exempt
def auth0_url(request: HttpRequest) -> HttpResponse:
    """GET with `redirect_uri` (exactly one of the allowed): {auth_url, redirect_uri, scopes}, with state and PKCE.

    The verifier stays in a signed HttpOnly cookie, for the exchange of the code.
    """
    if request.method != "GET":
        refusal = JsonResponse({"detail": "Only GET is answered here."}, status=405)
        refusal.headers["Allow"] = "GET"
        return refusal
    redirect_uri = request.GET.get("redirect_uri", "")
    if redirect_uri not in settings.API_REDIRECT_URIS:
        return JsonResponse(
            {"detail": "This redirect_uri is not allowed: it must be exactly one on the list."}, status=400
        )
    verifier = secrets.token_urlsafe(48)
    response = JsonResponse(
        {
            "auth_url": _authorize_url(redirect_uri, verifier, request.GET.get("organization_hint", "")),
            "redirect_uri": redirect_uri,
            "scopes": SCOPES,
        }
    )
    response.headers["Cache-Control"] = "no-store"
    _keep(response, verifier)
    return response


def _authorize_url(redirect_uri: str, verifier: str, organization_hint: str) -> str:
    parameters = {
        "response_type": "code",
        "client_id": settings.OIDC_RP_CLIENT_ID,
        "redirect_uri": redirect_uri,
        "scope": " ".join(SCOPES),
        "state": secrets.token_urlsafe(24),
        "nonce": secrets.token_urlsafe(24),
        "code_challenge": generate_code_challenge(verifier, "S256"),
        "code_challenge_method": "S256",
    }
    if organization_hint:
        parameters["organization"] = organization_hint[:HINT_LENGTH]
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
