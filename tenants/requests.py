"""What a request inside an organisation carries, for type checkers and readers."""

from typing import Any

from django.http import HttpRequest

from tenants.models import Membership, Organisation
from tenants.seats import Seat, memberships_of


class OrganisationRequest(HttpRequest):
    """A request below /o/<slug>/: the middleware has found the seat and entered the organisation's scope."""

    seat: Seat
    organisation: Organisation


def memberships(request: Any) -> list[Membership]:
    """The signed-in person's memberships, read once for a request."""
    if not hasattr(request, "_memberships"):
        request._memberships = memberships_of(request.user) if request.user.is_authenticated else []
    return request._memberships
