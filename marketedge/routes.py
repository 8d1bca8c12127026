"""Who may call each address? Every route of the product is on exactly one of these lists."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.conf import settings
from django.urls import URLPattern, URLResolver, get_resolver

from modules import registry
from tenants.operations import Report

INSIDE = "o/<slug:organisation_slug>/"


class Audience(StrEnum):
    ANYBODY = "anybody"
    SIGNED_IN = "signed in"
    SEATED = "seated"
    MODULE = "module"
    STAFF = "staff"
    API = "the API"


ANYBODY = {
    ".well-known/security.txt",
    "sign-in/",
    "sign-in/refused/",
    "sign-out/",
    "signed-out/",
    "claim/<str:token>/",
    "claimed/",
    "oidc/authenticate/",
    "oidc/callback/",
    "oidc/backchannel-logout/",
    "api/v1/auth/auth0-url",
}
SIGNED_IN = {"", "organisations/", "kept-form/<str:key>/"}
SEATED = {INSIDE, f"{INSIDE}access/<slug:module_key>/"}
# Behind the API's door: a person by token or session, in an organisation that is checked on every call; below ofrep/
# also an organisation by its client token.
API = {
    "api/v1/auth/me",
    "api/v1/flags",
    "api/v1/flags/",
    "api/v1/organisations/<str:organisation>/me",
    "ofrep/v1/evaluate/flags",
    "ofrep/v1/evaluate/flags/<any_key:key>",
}
STAFF = "admin/"

# Views that take forms and bodies without the token of our own pages, because no cookie makes them trust anybody.
WITHOUT_CSRF = {"api/v1/auth/auth0-url", "oidc/backchannel-logout/"}
# Pages of the admin site that are not wrapped by it: this one only leads on, to the sign-in or to a refusal.
UNWRAPPED = {"admin/login/"}

# Each closes something that no view closes by itself, and they stand in this order.
GATES = (
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.door.ApiDoorMiddleware",
    "accounts.middleware.SignInRequiredMiddleware",
    "tenants.middleware.OrganisationMiddleware",
    "tenants.api_organisation.ApiOrganisationMiddleware",
    "accounts.middleware.PlatformScopeMiddleware",
    "modules.middleware.ModuleGateMiddleware",
)


@dataclass(frozen=True)
class Route:
    """One address as it stands in the URL lists, with its view and the namespaces that lead to it."""

    path: str
    view: Any
    namespaces: tuple[str, ...] = ()

    @property
    def audiences(self) -> list[Audience]:
        """The lists that it is on: exactly one, or something is wrong."""
        on = {
            Audience.ANYBODY: self.path in ANYBODY,
            Audience.SIGNED_IN: self.path in SIGNED_IN,
            Audience.SEATED: self.path in SEATED,
            Audience.MODULE: self.module is not None,
            Audience.STAFF: self.path.startswith(STAFF),
            Audience.API: self.path in API,
        }
        return [audience for audience, is_on in on.items() if is_on]

    @property
    def module(self) -> str | None:
        """The key of the module below whose path it is."""
        return next((spec.key for spec in registry.all_specs() if self.path.startswith(f"{INSIDE}{spec.path}/")), None)

    @property
    def shape(self) -> str:
        """Its path without the names of its parameters: two of one shape answer the same addresses."""
        return re.sub(r"<(\w+:)?\w+>", r"<\1>", self.path)


def all_routes() -> list[Route]:
    return list(_walk(get_resolver().url_patterns))


def _walk(entries: Iterable[Any], path: str = "", namespaces: tuple[str, ...] = ()) -> Iterator[Route]:
    for entry in entries:
        whole = path + str(entry.pattern)
        if isinstance(entry, URLPattern):
            yield Route(whole, entry.callback, namespaces)
        elif isinstance(entry, URLResolver):
            inner = (*namespaces, entry.namespace) if entry.namespace else namespaces
            yield from _walk(entry.url_patterns, whole, inner)


def examine(routes: list[Route]) -> Report:
    """Hold the routes against the lists and the marks of their views."""
    report = Report()
    for route in routes:
        for says, advice in _problems(route):
            report.problem("routes", f"/{route.path} {says}", advice)
    for shape, count in Counter(route.shape for route in routes).items():
        if count > 1:
            report.problem("routes", f"/{shape} is there {count} times", "Only the first one is ever asked.")
    for path in sorted(
        (ANYBODY | SIGNED_IN | SEATED | API | WITHOUT_CSRF | UNWRAPPED) - {route.path for route in routes}
    ):
        report.problem("routes", f"/{path} is listed and does not exist", LISTS)
    _examine_gates(report)
    if not report.findings:
        report.ok("routes", f"each of {len(routes)} is on one list, and its view is marked as the list says")
        report.ok("gates", "sign-in, organisation, platform and module gate stand in front of every view")
    return report


LISTS = "The lists are in marketedge/routes.py."
OPEN = "Is it meant to be open? Then list it under ANYBODY; otherwise take @login_not_required away."


def _problems(route: Route) -> Iterator[tuple[str, str]]:
    audiences = route.audiences
    if len(audiences) != 1:
        yield f"is on {len(audiences)} lists ({', '.join(audiences) or 'none names it'})", LISTS
    is_open = not getattr(route.view, "login_required", True)
    if is_open and Audience.ANYBODY not in audiences:
        yield "is open to anybody", OPEN
    if not is_open and Audience.ANYBODY in audiences:
        yield "is listed for anybody and asks for a sign-in", LISTS
    if getattr(route.view, "csrf_exempt", False) and route.path not in WITHOUT_CSRF:
        yield "takes forms of other sites (csrf_exempt)", "List it under WITHOUT_CSRF with the reason, or mend it."
    if route.module and route.namespaces[:1] != (route.module,):
        yield f"lies below the module {route.module} and past its gate", "Mount it through the module's own `urls`."
    if route.path.startswith(STAFF) and route.path not in UNWRAPPED and not _is_wrapped(route.view):
        yield "is in the admin site and does not ask for staff", "Wrap it with admin_site.admin_view(...)."


def _is_wrapped(view: Any) -> bool:
    """Django marks what its admin site wraps; our own pages of it go through `PlatformAdminSite.admin_view`."""
    return any(hasattr(view, mark) for mark in ("admin_site", "model_admin", "is_for_staff"))


def _examine_gates(report: Report) -> None:
    standing = [gate for gate in settings.MIDDLEWARE if gate in GATES]
    missing = [gate for gate in GATES if gate not in standing]
    for gate in missing:
        report.problem("gates", f"{gate} is not in MIDDLEWARE", "Without it, views are open that nothing else closes.")
    if not missing and tuple(standing) != GATES:
        report.problem("gates", "the gates do not stand in their order in MIDDLEWARE", f"Expected: {', '.join(GATES)}")
