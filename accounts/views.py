"""The pages around the sign-in: its beginning, why somebody was refused, a platform admin's link, and signing out."""

from urllib.parse import urlencode

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import destinations, kept_forms, refused_page
from accounts.actions import hash_of
from accounts.availability import provider_answers
from accounts.flow import LINK
from accounts.kept_forms import FORMS
from accounts.models import PlatformAdminLink
from accounts.sessions import PROVIDER_SESSION
from tenants import audit

OFFERED = "platform_admin_link_offered"


@login_not_required
@never_cache
@require_GET
def sign_in(request: HttpRequest) -> HttpResponse:
    next_url = destinations.wanted(request)
    if request.user.is_authenticated:
        return redirect(next_url or "/")
    context = {
        "next_url": next_url,
        "organisation": request.GET.get("organisation", "")[:80],
        "contact": settings.CONTACT,
        "is_provider_down": not provider_answers(),
        "is_form_kept": any(next_url == reverse("kept_form", args=[key]) for key in request.session.get(FORMS, {})),
        "is_form_lost": request.GET.get("form") == "lost",
    }
    return render(request, "accounts/sign_in.html", context)


@login_not_required
@never_cache
@require_GET
def refused(request: HttpRequest) -> HttpResponse:
    """Why the last sign-in of this browser failed, told once; afterwards there is only the way to sign in."""
    told = refused_page.read(request)
    if told is None:
        return redirect("sign_in")
    context = {**vars(told), "contact": settings.CONTACT}
    response = render(request, "accounts/refused.html", context, status=told.refusal.status)
    refused_page.forget(response)
    return response


@login_not_required
@never_cache
@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    """End the session here, then at the provider."""
    query = {
        "client_id": settings.OIDC_RP_CLIENT_ID,
        "post_logout_redirect_uri": settings.PUBLIC_URL + settings.LOGOUT_REDIRECT_URL,
    }
    if request.user.is_authenticated:
        audit.record("person.signed_out", by=request.user)
    if hint := request.session.get(PROVIDER_SESSION):
        # Says which session ends there, without an id_token that would have to be kept and shown in an address.
        query["logout_hint"] = hint
    auth.logout(request)
    response = HttpResponseRedirect(f"{settings.OIDC_OP_LOGOUT_ENDPOINT}?{urlencode(query)}")
    kept_forms.forget_person(response)
    return response


@login_not_required
@never_cache
@require_GET
def signed_out(request: HttpRequest) -> HttpResponse:
    return render(request, "accounts/signed_out.html")


@never_cache
@require_GET
def kept_form(request: HttpRequest, key: str) -> HttpResponse:
    """What the person typed before their session ended, to be looked through and sent by them."""
    form = kept_forms.find(request, key)
    context = {"form": form, "key": key, "sent": kept_forms.SENT}
    return render(request, "accounts/kept_form.html", context, status=200 if form else 404)


@login_not_required
@never_cache
@require_GET
def claim(request: HttpRequest, token: str) -> HttpResponse:
    """A platform admin's one-time link. Its secret leaves the address at once: pages tell theirs to whom they lead."""
    link = _open_link(hash_of(token))
    if link is None:
        return _link_is_over(request)
    request.session[OFFERED] = link.token_hash
    return redirect("claimed")


@login_not_required
@never_cache
@require_http_methods(["GET", "POST"])
def claimed(request: HttpRequest) -> HttpResponse:
    """What the link is for, and the way to sign in with it."""
    link = _open_link(request.session.get(OFFERED, ""))
    if link is None:
        return _link_is_over(request)
    if request.method == "GET":
        return render(request, "accounts/claim.html", {"link": link})
    request.session[LINK] = request.session.pop(OFFERED)
    return redirect("oidc_authentication_init")


def _open_link(token_hash: str) -> PlatformAdminLink | None:
    link = PlatformAdminLink.objects.filter(token_hash=token_hash).first()
    return link if link and link.is_open(at=timezone.now()) else None


def _link_is_over(request: HttpRequest) -> HttpResponse:
    words = "This link was used already, has expired, or never existed. Ask for a new one: a link works once."
    return render(request, "accounts/claim_refused.html", {"explanation": words}, status=404)
