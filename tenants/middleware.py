"""Everything below /o/<slug>/ happens in that organisation's scope, for those who have a seat in it."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve

from tenants import audit, scope
from tenants.requests import memberships
from tenants.seats import Seat, find_seat

SLUG = "organisation_slug"
LAST = "last_organisation"
ENTERED = "entered_as_superuser"


class OrganisationMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        slug = slug_in(request.path_info)
        if slug is None or not request.user.is_authenticated:
            return self.get_response(request)
        seat = find_seat(request.user, slug, memberships(request))
        if seat is None:
            request.no_seat = True  # type: ignore[attr-defined]
            return self.get_response(request)
        request.seat, request.organisation = seat, seat.organisation  # type: ignore[attr-defined]
        with scope.organisation(seat.organisation.pk):
            remember(request, seat)
            note_acting(request, seat)
            if seat.organisation.is_suspended:
                return suspended(request, seat)
            return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> None:
        """Views get the organisation from the request; without a seat the answer is that of an unknown address."""
        kwargs.pop(SLUG, None)
        if getattr(request, "no_seat", False):
            raise Http404


def slug_in(path: str) -> str | None:
    try:
        return resolve(path).kwargs.get(SLUG)
    except Resolver404:
        return None


def remember(request: HttpRequest, seat: Seat) -> None:
    """Keep the organisation for the landing page."""
    slug = seat.organisation.slug
    if request.session.get(LAST) != slug:
        request.session[LAST] = slug


def note_acting(request: HttpRequest, seat: Seat) -> None:
    """Write down a superuser's entry once in a session."""
    slug = seat.organisation.slug
    entered = request.session.get(ENTERED, [])
    if seat.is_acting and slug not in entered:
        audit.record("organisation.entered_as_superuser", by=seat.person, organisation=seat.organisation)
        request.session[ENTERED] = [*entered, slug]


def suspended(request: HttpRequest, seat: Seat) -> HttpResponse:
    context = {"organisation": seat.organisation, "contact": settings.CONTACT}
    return render(request, "tenants/suspended.html", context, status=403)
