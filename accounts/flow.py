"""To the provider and back: mozilla-django-oidc's two views, with what they leave out."""

import logging
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from mozilla_django_oidc.utils import generate_code_challenge
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from accounts import attempts, destinations, kept_forms, refused_page
from accounts.bounded_http import Budget
from accounts.limits import limit_sign_in
from accounts.models import SignInAttempt
from accounts.refusals import BAD_TOKEN, CANCELLED, PROVIDER_REFUSED, STALE, Refused
from accounts.sessions import note_sign_in
from accounts.turns import Turns, waiting
from tenants import audit
from tenants.middleware import slug_in
from tenants.models import Organisation
from tenants.redaction import redact

logger = logging.getLogger(__name__)
BACKEND = "accounts.oidc.SignInBackend"
LINK = "platform_admin_link"
RETURNED = ("state", "code", "error", "iss")
turns = Turns(settings.OIDC_CALLS_AT_ONCE)


@method_decorator([login_not_required, never_cache, limit_sign_in], name="dispatch")
class StartSignInView(OIDCAuthenticationRequestView):
    """Sends the browser to the provider, with state, nonce and PKCE that only this browser can answer for."""

    def get(self, request: HttpRequest) -> HttpResponse:
        next_url = destinations.wanted(request)
        if request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}:
            # Another site may lead to the page with the button; pressing it is the person's.
            wanted = {"next": next_url, "organisation": request.GET.get("organisation", "")[:80]}
            query = urlencode({name: value for name, value in wanted.items() if value})
            return redirect(f"{reverse('sign_in')}{'?' if query else ''}{query}")
        organisation = asked_organisation(request, next_url)
        link_hash = request.session.pop(LINK, None) or ""
        begun = attempts.begin(next_url=next_url, organisation=organisation, link_hash=link_hash)
        # Asks again at the provider, which would send people straight back with the account that was refused, or that
        # a platform admin's link was not made for.
        asks_again = bool(link_hash) or request.GET.get("prompt") == "login"
        question = self._question(begun, organisation, asks_again)
        response = HttpResponseRedirect(f"{self.OIDC_OP_AUTH_ENDPOINT}?{urlencode(question)}")
        attempts.give_cookie(request, response, begun)
        return response

    def _question(self, begun: attempts.Begun, organisation: Organisation | None, asks_again: bool) -> dict[str, str]:
        question = {
            "response_type": "code",
            "scope": settings.OIDC_RP_SCOPES,
            "client_id": self.OIDC_RP_CLIENT_ID,
            # From the settings: the host header is the visitor's to choose.
            "redirect_uri": settings.OIDC_CALLBACK_URL,
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": generate_code_challenge(begun.code_verifier, "S256"),
            "code_challenge_method": "S256",
        }
        if organisation:
            question["organization"] = organisation.auth0_organisation_id
        if asks_again:
            question["prompt"] = "login"
        return question


def asked_organisation(request: HttpRequest, next_url: str) -> Organisation | None:
    """The organisation to sign in to at the provider, where it has one: named, or that of the page to return to."""
    slug = request.GET.get("organisation") or slug_in(next_url.partition("?")[0]) or ""
    found = Organisation.objects.filter(slug=slug.replace("\x00", "")).exclude(auth0_organisation_id="")
    return found.first() if slug else None


@method_decorator([login_not_required, never_cache, limit_sign_in], name="dispatch")
class CallbackView(OIDCAuthenticationCallbackView):
    """Where the provider sends the browser back. Nobody is signed out here, whatever the address says."""

    def get(self, request: HttpRequest) -> HttpResponse:
        if any(len(request.GET.getlist(name)) > 1 for name in RETURNED):
            return stale(request)
        with turns.taken() as is_our_turn:
            if not is_our_turn:
                return waiting(request)
            response = self._finish(request)
        attempts.take_cookie(request, response)
        return response

    def _finish(self, request: HttpRequest) -> HttpResponse:
        attempt = attempts.find(request)
        if attempt is None or not attempts.spend(attempt):
            return stale(request)
        try:
            person = self._person(request, attempt)
        except Refused as refusal:
            # Asking for the same organisation again would end here again.
            next_url = "" if attempt.organisation else attempt.next_url
            return refused(request, refusal, next_url)
        return enter(request, person, attempt.next_url)

    def _person(self, request: HttpRequest, attempt: SignInAttempt) -> Any:
        issuer = request.GET.get("iss")
        if issuer != settings.OIDC_ISSUER and (issuer is not None or settings.OIDC_REQUIRES_ISS):
            raise Refused(BAD_TOKEN, "the answer is another provider's")
        if error := request.GET.get("error"):
            raise Refused(CANCELLED if error == "access_denied" else PROVIDER_REFUSED, error[:60])
        person = auth.authenticate(
            request, code=request.GET.get("code", ""), attempt=attempt, budget=Budget(settings.OIDC_TIMEOUT)
        )
        if person is None:
            raise Refused(STALE)
        return person


def enter(request: HttpRequest, person: Any, next_url: str) -> HttpResponse:
    auth.login(request, person, backend=BACKEND)
    # Django keeps the session's name when the same person signs in again.
    request.session.cycle_key()
    note_sign_in(request, provider_session=person.provider_session)
    audit.record("person.signed_in", by=person)
    response = redirect(next_url or "/")
    kept_forms.remember_person(response, person)
    return response


def stale(request: HttpRequest) -> HttpResponse:
    """Anybody can call this up as often as they like: it is not worth a line in the audit."""
    logger.info("A sign-in came back that is not under way")
    return refused_page.lead_to(STALE)


def refused(request: HttpRequest, because: Refused, next_url: str) -> HttpResponse:
    """Write the refusal down, without token or code, and lead to the page that says what to do."""
    code, detail = because.refusal.code, redact(because.detail.replace("\x00", ""))
    audit.record("sign_in.refused", by=request.user, code=code, detail=detail, **because.who)
    return refused_page.lead_to(because.refusal, next_url)
