"""Which organisation does an API call mean, and may the person act in it? Asked on every call, then it is the scope.

By path (the parameter `organisation`) or by header, as public id or slug. Pages have the slug in their address instead.
"""

import re
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from tenants import audit, scope
from tenants.api import Problem, match_of
from tenants.middleware import LAST, note_acting
from tenants.models import Organisation, Role
from tenants.requests import memberships
from tenants.seats import Seat, find_seat

PARAMETER = "organisation"
HEADERS = ("X-Organization-ID", "X-Tenant-ID")
PUBLIC_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
SLUG = re.compile(r"[A-Za-z0-9_-]{1,80}")
SAFE = {"GET", "HEAD", "OPTIONS"}
REMEMBERED = 1000
_written_down: OrderedDict[tuple[str, int], None] = OrderedDict()


class ApiOrganisationMiddleware:
    """Behind the API's door, which has put the caller into the request."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        if not hasattr(request, "caller"):
            return self.get_response(request)
        match: Any = match_of(request)
        try:
            organisation = self._place(request, match.kwargs.get(PARAMETER))
            if getattr(match.func, "organisation_required", True):
                _require_open(organisation)
        except Problem as problem:
            return problem.response(request)
        if organisation is None:
            return self.get_response(request)
        request.organisation = organisation
        with scope.organisation(organisation.pk):
            if hasattr(request, "seat"):
                write_down_acting(request, request.seat)
            return self.get_response(request)

    def _place(self, request: Any, in_path: str | None) -> Organisation | None:
        """Where the call is answered: a client token is good for its own organisation, whatever the call names."""
        if request.caller.organisation:
            return request.caller.organisation
        seat = chosen_seat(request, in_path)
        if seat is None:
            return None
        request.seat = seat
        return seat.organisation

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> None:
        """Views get the organisation from the request."""
        if hasattr(request, "caller"):
            kwargs.pop(PARAMETER, None)


def chosen_seat(request: Any, in_path: str | None) -> Seat | None:
    """The seat that the call asks for, or the person's usual one; Problem when it is not for them, or unclear."""
    named = [request.headers[name].strip() for name in HEADERS if request.headers.get(name, "").strip()]
    if not all(is_reference(reference) for reference in named):
        raise Problem(422, "invalid", f"{' and '.join(HEADERS)} take an organisation's id or slug.")
    if in_path is None and not named:
        return _usual(request)
    slugs = {_slug(request, reference) for reference in named}
    seat = _named_in_path(request, in_path) if in_path is not None else None
    if len(slugs | ({seat.organisation.slug} if seat else set())) > 1:
        raise Problem(400, "organisations_differ", "The address and the headers name different organisations.")
    return _as_the_token_allows(request, seat or _named_in_header(request, named[0]))


def is_reference(text: str) -> bool:
    return bool(PUBLIC_ID.fullmatch(text) or SLUG.fullmatch(text))


def _named_in_path(request: Any, reference: str) -> Seat:
    """The same answer for what is malformed, unknown and somebody else's."""
    seat = _seat(request, reference) if is_reference(reference) else None
    if seat is None:
        raise Problem(404, "not_found", "There is nothing at this address.")
    return seat


def _named_in_header(request: Any, reference: str) -> Seat:
    seat = _seat(request, reference)
    if seat is None:
        raise Problem(403, "foreign_organisation", "You do not belong to an organisation of that name or id.")
    return seat


def _seat(request: Any, reference: str) -> Seat | None:
    slug = _slug(request, reference)
    return find_seat(request.user, slug, memberships(request)) if slug else None


def _slug(request: Any, reference: str) -> str | None:
    """The slug of the organisation called so; of those that are not the person's own, for superusers alone."""
    for membership in memberships(request):
        organisation = membership.organisation
        if reference == organisation.slug or reference.lower() == str(organisation.public_id):
            return organisation.slug
    if not request.user.is_superuser or not PUBLIC_ID.fullmatch(reference):
        return reference
    return Organisation.objects.filter(public_id=reference).values_list("slug", flat=True).first()


def _as_the_token_allows(request: Any, seat: Seat) -> Seat:
    claim = request.caller.organisation_claim
    if claim and seat.organisation.auth0_organisation_id != claim:
        raise Problem(403, "foreign_organisation", "This access token was made for another organisation.")
    return seat


def _usual(request: Any) -> Seat | None:
    """The token's organisation, the only one, the one last used in this browser; else the first of those active."""
    own = memberships(request)
    if claim := request.caller.organisation_claim:
        fitting = [m for m in own if m.organisation.auth0_organisation_id == claim]
        if not fitting:
            raise Problem(403, "foreign_organisation", "This access token was made for an organisation not yours.")
        own = fitting
    last = request.session.get(LAST)
    order = sorted(own, key=lambda m: (m.organisation.slug != last, m.organisation.is_suspended))
    if not order:
        return None
    if len(order) > 1 and order[0].organisation.slug != last and request.method not in SAFE:
        raise Problem(
            400, "organisation_unclear", "You belong to several organisations: name one in X-Organization-ID."
        )
    return Seat(request.user, order[0].organisation, Role(order[0].role), order[0])


def _require_open(organisation: Organisation | None) -> None:
    if organisation is None:
        raise Problem(403, "no_organisation", "You belong to no organisation: name one in X-Organization-ID.")
    if organisation.is_suspended:
        raise Problem(403, "organisation_suspended", f"{organisation} is suspended.")


def write_down_acting(request: Any, seat: Seat) -> None:
    """A superuser's entry, once in a session, or once for a token (in each process)."""
    token_hash = request.caller.token_hash
    if not token_hash:
        note_acting(request, seat)
        return
    entry = (token_hash, seat.organisation.pk)
    if seat.is_acting and entry not in _written_down:
        audit.record("organisation.entered_as_superuser", by=seat.person, organisation=seat.organisation)
        _written_down[entry] = None
        if len(_written_down) > REMEMBERED:
            _written_down.popitem(last=False)
