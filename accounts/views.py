"""Signing in and out, and the page that says why somebody was refused."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from mozilla_django_oidc.views import (
    OIDCAuthenticationCallbackView,
    OIDCAuthenticationRequestView,
    get_next_url,
)

from accounts import attempts
from accounts.actions import hash_of
from accounts.availability import provider_answers
from accounts.models import PlatformAdminLink
from accounts.refusals import CANCELLED, PROVIDER_REFUSED, STALE, Refusal, Refused
from accounts.sessions import note_sign_in
from tenants import audit, request_id

BACKEND = "accounts.oidc.SignInBackend"
LINK = "platform_admin_link"


@login_not_required
@never_cache
@require_GET
def sign_in(request: HttpRequest) -> HttpResponse:
    next_url = wanted(request)
    if request.user.is_authenticated:
        return redirect(next_url or "/")
    context = {"next_url": next_url, "contact": settings.CONTACT, "is_provider_down": not provider_answers()}
    return render(request, "accounts/sign_in.html", context)


def wanted(request: HttpRequest) -> str:
    """Where the person wanted to go: a path of this site, or nothing."""
    next_url = get_next_url(request, "next") or ""
    return next_url if next_url.startswith("/") else ""


@method_decorator([login_not_required, never_cache], name="dispatch")
class StartSignInView(OIDCAuthenticationRequestView):
    """Sends the browser to the provider, with state, nonce and PKCE kept in the session."""

    def get(self, request: HttpRequest) -> HttpResponse:
        response = super().get(request)
        # The library keeps one `next` for all tabs; ours stays with its attempt.
        request.session.pop("oidc_login_next", None)
        attempts.note(request, next_url=wanted(request), link_hash=request.session.pop(LINK, None) or "")
        return response

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:
        # From the settings: the host header is the visitor's to choose.
        parameters = {"redirect_uri": settings.OIDC_CALLBACK_URL}
        # Asks again at the provider, which would send people straight back with the account that was refused, or that
        # a platform admin's link was not made for.
        asks_again = request.GET.get("prompt") == "login" or LINK in request.session
        return {**parameters, "prompt": "login"} if asks_again else parameters


@method_decorator([login_not_required, never_cache], name="dispatch")
class CallbackView(OIDCAuthenticationCallbackView):
    """Where the provider sends the browser back. Nobody is signed out here, whatever the address says."""

    def get(self, request: HttpRequest) -> HttpResponse:
        attempt = attempts.spend(request)
        if attempt is None:
            return refused(request, STALE)
        if error := request.GET.get("error"):
            return refused(request, CANCELLED if error == "access_denied" else PROVIDER_REFUSED, error[:60])
        try:
            person = auth.authenticate(
                request,
                code=request.GET.get("code", ""),
                code_verifier=attempt.code_verifier,
                nonce=attempt.nonce,
                link_hash=attempt.link_hash,
            )
        except Refused as refusal:
            return refused(request, refusal.refusal, refusal.detail, **refusal.who)
        if person is None:
            return refused(request, STALE)
        return self._enter(request, person, attempt.next_url)

    def _enter(self, request: HttpRequest, person: Any, next_url: str) -> HttpResponse:
        auth.login(request, person, backend=BACKEND)
        # Django keeps the session's name when the same person signs in again.
        request.session.cycle_key()
        note_sign_in(request)
        audit.record("person.signed_in", by=person)
        return redirect(next_url or "/")


def refused(request: HttpRequest, refusal: Refusal, detail: str = "", **who: Any) -> HttpResponse:
    """Write the refusal down, without token or code, and say what to do."""
    audit.record("sign_in.refused", by=request.user, code=refusal.code, detail=detail.replace("\x00", ""), **who)
    context = {
        "title": refusal.title,
        "explanation": refusal.explanation,
        "contact": settings.CONTACT,
        "incident": request_id.current.get(),
        "is_about_the_account": refusal.is_about_the_account,
    }
    return render(request, "accounts/refused.html", context, status=refusal.status)


@login_not_required
@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session here, then at the provider."""
    if request.user.is_authenticated:
        audit.record("person.signed_out", by=request.user)
    auth.logout(request)
    query = urlencode(
        {
            "client_id": settings.OIDC_RP_CLIENT_ID,
            "post_logout_redirect_uri": settings.PUBLIC_URL + settings.LOGOUT_REDIRECT_URL,
        }
    )
    return HttpResponseRedirect(f"{settings.OIDC_OP_LOGOUT_ENDPOINT}?{query}")


@login_not_required
@never_cache
@require_GET
def signed_out(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/signed_out.html")


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def claim(request: HttpRequest, token: str) -> HttpResponse:
    """A platform admin's one-time link: what it is, and the way to sign in with it."""
    link = PlatformAdminLink.objects.filter(token_hash=hash_of(token)).first()
    if link is None or not link.is_open(at=timezone.now()):
        words = "This link was used already, has expired, or never existed. Ask for a new one: a link works once."
        return render(request, "accounts/claim_refused.html", {"explanation": words}, status=404)
    if request.method == "GET":
        return render(request, "accounts/claim.html", {"link": link})
    request.session[LINK] = link.token_hash
    return redirect("oidc_authentication_init")
