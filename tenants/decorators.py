"""Asks for a role in the organisation; the middleware has already asked for the seat and the module."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpResponse

from tenants import audit
from tenants.models import Role
from tenants.requests import OrganisationRequest

View = Callable[..., HttpResponse]


def role_required(role: Role) -> Callable[[View], View]:
    """Refuse with 403 and the reason, and write the refusal down, unless the seat's role covers `role`."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: OrganisationRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.seat.role.covers(role):
                return view(request, *args, **kwargs)
            _write_down(request, role)
            raise PermissionDenied(
                f"This asks for the role {role.label.lower()} in {request.organisation}; yours is"
                f" {request.seat.role.label.lower()}. Zebra Associates can change it."
            )

        guarded.needs_role = role  # type: ignore[attr-defined]
        return guarded

    return decorate


def _write_down(request: OrganisationRequest, role: Role) -> None:
    audit.record(
        "role.refused", by=request.user, organisation=request.organisation, path=request.path, role_needed=str(role)
    )
