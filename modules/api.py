"""Who calls, where, and what may they do there, with reasons: /api/v1/auth/me. The pattern of the API's other views.

The door has found the person, the middleware the organisation and its scope; a view asks and answers a dataclass.
"""

from dataclasses import asdict, dataclass
from typing import Any

from django.http import HttpResponse, JsonResponse

from modules import access, registry
from modules.models import Application
from tenants.api import methods, organisation_not_required
from tenants.models import Membership, Role
from tenants.requests import memberships

NO_ORGANISATION = "The person belongs to no organisation."
# What the product asks for, in the words of the single-page app. Superusers' are held by the admin site.
OF_ROLE = {Role.VIEWER: ["read:markets"], Role.ANALYST: ["load:prices"]}
OF_SUPERUSERS = [
    "manage:entitlements",
    "manage:feature_flags",
    "manage:modules",
    "manage:organisations",
    "manage:users",
    "read:audit_logs",
]


@dataclass(frozen=True)
class Person:
    id: str
    email: str
    first_name: str
    last_name: str
    role: str
    organisation_id: str | None
    is_active: bool
    application_access: dict[str, bool]


@dataclass(frozen=True)
class Tenant:
    """The organisation of the call; `role` is the person's in it, `is_acting` a superuser's without membership."""

    id: str
    slug: str
    name: str
    industry: str
    subscription_plan: str
    status: str
    role: str
    is_acting: bool


@dataclass(frozen=True)
class Place:
    """An organisation that the person belongs to."""

    id: str
    slug: str
    name: str
    role: str
    status: str


@dataclass(frozen=True)
class ApplicationAccess:
    application: str
    name: str
    has_access: bool
    reason: str


@dataclass(frozen=True)
class ModuleAccess:
    module: str
    name: str
    application: str
    is_open: bool
    reason: str
    who_can_open: str
    notice: str


@dataclass(frozen=True)
class Session:
    authenticated: bool = True
    tenant_isolated: bool = True


@dataclass(frozen=True)
class Me:
    user: Person
    tenant: Tenant | None
    permissions: list[str]
    session: Session
    organisations: list[Place]
    applications: list[ApplicationAccess]
    modules: list[ModuleAccess]


@methods("GET")
@organisation_not_required
def me(request: Any) -> HttpResponse:
    applications = [_application(request, application) for application in Application]
    answer = Me(
        user=_person(request, applications),
        tenant=_tenant(request),
        permissions=_permissions(request),
        session=Session(),
        organisations=[_place(membership) for membership in memberships(request)],
        applications=applications,
        modules=[_module(request, spec) for spec in registry.all_specs()],
    )
    return JsonResponse(asdict(answer))


def _person(request: Any, applications: list[ApplicationAccess]) -> Person:
    person, seat = request.user, _seat(request)
    first_name, _, last_name = person.name.partition(" ")
    return Person(
        id=str(person.public_id),
        email=person.email,
        first_name=first_name,
        last_name=last_name.strip(),
        role="super_admin" if person.is_superuser else str(seat.role) if seat else str(Role.VIEWER),
        organisation_id=str(seat.organisation.public_id) if seat else None,
        is_active=person.is_active,
        application_access=_both_cases(applications),
    )


def _both_cases(applications: list[ApplicationAccess]) -> dict[str, bool]:
    """Some of the single-page app's screens look for upper case, others for lower."""
    lower = {entry.application: entry.has_access for entry in applications}
    return {**{name.upper(): has_access for name, has_access in lower.items()}, **lower}


def _tenant(request: Any) -> Tenant | None:
    seat = _seat(request)
    if seat is None:
        return None
    organisation = seat.organisation
    return Tenant(
        id=str(organisation.public_id),
        slug=organisation.slug,
        name=organisation.name,
        industry=organisation.get_industry_display(),
        subscription_plan=organisation.plan,
        status=organisation.status,
        role=str(seat.role),
        is_acting=seat.is_acting,
    )


def _permissions(request: Any) -> list[str]:
    seat = _seat(request)
    of_seat = [name for role, names in OF_ROLE.items() for name in names if seat and seat.role.covers(role)]
    return sorted(of_seat + (OF_SUPERUSERS if request.user.is_superuser else []))


def _place(membership: Membership) -> Place:
    organisation = membership.organisation
    return Place(
        str(organisation.public_id), organisation.slug, organisation.name, str(membership.role), organisation.status
    )


def _application(request: Any, application: Application) -> ApplicationAccess:
    refusal = _why_not(request, application)
    return ApplicationAccess(
        application=str(application),
        name=str(application.label),
        has_access=not refusal,
        reason=refusal or "The person has been given it in this organisation.",
    )


def _why_not(request: Any, application: Application) -> str:
    if _seat(request) is None:
        return NO_ORGANISATION
    if request.organisation.is_suspended:
        return "The organisation is suspended."
    if application not in request.facts.applications:
        return f"The person has not been given {application.label}."
    return ""


def _module(request: Any, spec: registry.ModuleSpec) -> ModuleAccess:
    if _seat(request) is None:
        return ModuleAccess(spec.key, spec.name, spec.application, False, NO_ORGANISATION, access.ZEBRA, "")
    decision = access.decide(request.facts, spec.key)
    return ModuleAccess(
        module=spec.key,
        name=decision.module_name,
        application=spec.application,
        is_open=decision.is_open,
        reason=decision.reason,
        who_can_open=decision.who_can_open,
        notice=decision.notice,
    )


def _seat(request: Any) -> Any:
    return getattr(request, "seat", None)
