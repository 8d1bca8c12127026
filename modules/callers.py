"""Who may call this address of the product, and may this person? Asked past a request, for ops."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import Resolver404, ResolverMatch, resolve, reverse

from modules import access, registry
from modules.telling import as_data, tell_decision
from tenants.middleware import SLUG
from tenants.models import Organisation, Role
from tenants.naming import organisation_named
from tenants.operations import Report, UsageError
from tenants.seats import seat_of


class Callers(StrEnum):
    ANYBODY = "anybody, signed in or not"
    SIGNED_IN = "everybody who is signed in"
    STAFF = "staff, in the admin site"
    SEATED = "people with a seat in the organisation"
    MODULE = "people to whom the module is open in the organisation"


@dataclass(frozen=True)
class Address:
    """An address of the product: where it leads, and for whom."""

    path: str
    route: str
    callers: Callers
    organisation_slug: str = ""
    module_key: str = ""
    role: Role | None = None


def find(url: str) -> Address:
    """The address behind a URL or path; UsageError when it is not ours, or leads nowhere."""
    path = _own_path(url)
    match = _match(path)
    slug = str(match.kwargs.get(SLUG, ""))
    module_key = match.namespaces[0] if match.namespaces and registry.get(match.namespaces[0]) else ""
    return Address(
        path=path,
        route=match.route,
        callers=_callers(match, path, slug, module_key),
        organisation_slug=slug,
        module_key=module_key,
        role=getattr(match.func, "needs_role", None),
    )


def _own_path(url: str) -> str:
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        raise UsageError(f"{url!r} is not an address.") from None
    own = {urlsplit(settings.PUBLIC_URL).hostname, *settings.ALLOWED_HOSTS}
    if (parts.scheme or parts.netloc) and (parts.scheme not in {"http", "https"} or host not in own):
        raise UsageError(f"{parts.scheme}://{parts.netloc} is not this product: it is at {settings.PUBLIC_URL}.")
    if not parts.path.startswith("/"):
        raise UsageError(f"{url!r} is neither a path that begins with / nor an address at {settings.PUBLIC_URL}.")
    return parts.path


def _match(path: str) -> ResolverMatch:
    for candidate in (path, f"{path}/"):
        try:
            return resolve(candidate)
        except Resolver404:
            continue
    raise UsageError(f"{path} leads nowhere: no page of the product has this address, so everybody gets a 404.")


def _callers(match: ResolverMatch, path: str, slug: str, module_key: str) -> Callers:
    if path.startswith(reverse("admin:index")):
        return Callers.STAFF
    if slug:
        return Callers.MODULE if module_key else Callers.SEATED
    return Callers.SIGNED_IN if getattr(match.func, "login_required", True) else Callers.ANYBODY


def explain(report: Report, person: Any, url: str) -> None:
    """Tell whether the person may open it, rung by rung; UsageError when there is no such address."""
    address = find(url)
    told: dict[str, Any] = {"path": address.path, "route": address.route, "callers": address.callers.name.lower()}
    report.data["explained"] = told
    report.note("address", f"{address.path} is for {address.callers}")
    if address.organisation_slug:
        organisation = organisation_named(address.organisation_slug)
        told["organisation"] = organisation.slug
        decision = access.decide_now(person, organisation, address.module_key)
        told["decision"] = as_data(decision)
        report.note("organisation", f"{organisation} ({organisation.slug}); {_what(address)}")
        tell_decision(report, decision)
        _tell_role(report, person, organisation, address.role)
    elif address.callers is not Callers.ANYBODY:
        _tell_person(report, person, must_be_staff=address.callers is Callers.STAFF)


def _what(address: Address) -> str:
    return f"a page of the module {address.module_key}" if address.module_key else "a page of the organisation itself"


def _tell_role(report: Report, person: Any, organisation: Organisation, role: Role | None) -> None:
    """The page's own condition, which stands behind the ladder."""
    seat = seat_of(person, organisation)
    if role is None or seat is None:
        return
    if seat.role.covers(role):
        report.ok("role", f"the page asks for {role.label}; the person's is {seat.role.label}")
    else:
        advice = f"`grant_role {person} {organisation.slug} {role}` gives it."
        report.problem("role", f"the page asks for {role.label}; the person's is {seat.role.label}", advice)


def _tell_person(report: Report, person: Any, *, must_be_staff: bool) -> None:
    if not person.is_active:
        report.problem("1. Signed in, and the person is active", "The person's account is deactivated.")
    elif must_be_staff and not person.is_staff:
        report.problem("staff", "the person is not staff", f"`grant_role {person} --staff` makes them so.")
    else:
        report.ok("open", "to this person" + _about_permissions(person, must_be_staff))


def _about_permissions(person: Any, is_admin_page: bool) -> str:
    return ", where their permissions in the admin site reach" if is_admin_page and not person.is_superuser else ""
