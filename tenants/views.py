"""Where a person goes first, and where they choose an organisation."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from tenants.middleware import LAST
from tenants.models import Membership, Organisation
from tenants.requests import memberships

PER_PAGE = 24


@dataclass(frozen=True)
class Choice:
    """One organisation that a person may enter."""

    name: str
    url: str
    role: str
    industry: str
    is_suspended: bool


def landing(request: HttpRequest) -> HttpResponse:
    """Lead to the last organisation, or the only one, or the choice."""
    own = memberships(request)
    slugs = {membership.organisation.slug: membership.organisation for membership in own}
    last = slugs.get(request.session.get(LAST, ""))
    if last or len(own) == 1:
        return redirect(last or own[0].organisation)
    if own or request.user.is_superuser:
        return redirect("organisations")
    return render(request, "accounts/no_organisation.html", {"contact": settings.CONTACT}, status=403)


def organisations(request: HttpRequest) -> HttpResponse:
    """The person's organisations; a superuser's list holds all."""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:100]
    page = Paginator(_choices(request, text), PER_PAGE).get_page(request.GET.get("page"))
    context = {"organisations": page.object_list, "page_obj": page, "q": text}
    return render(request, "tenants/chooser.html", context)


def _choices(request: Any, text: str) -> list[Choice]:
    own = {membership.organisation_id: membership for membership in memberships(request)}
    if request.user.is_superuser:
        found = list(Organisation.objects.named_like(text).in_reading_order())
    else:
        found = [m.organisation for m in own.values() if text.lower() in m.organisation.name.lower()]
    return [_choice(organisation, own.get(organisation.pk)) for organisation in found]


def _choice(organisation: Organisation, membership: Membership | None) -> Choice:
    return Choice(
        name=organisation.name,
        url=organisation.get_absolute_url(),
        role=membership.get_role_display() if membership else "Superuser, as viewer",
        industry=organisation.get_industry_display(),
        is_suspended=organisation.is_suspended,
    )
