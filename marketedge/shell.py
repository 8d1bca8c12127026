"""What every page shows around its content: who is here, in which organisation, in which mode."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse

from modules import registry
from modules.middleware import module_of
from tenants.requests import memberships

SWITCHER_LENGTH = 12


@dataclass(frozen=True)
class Person:
    name: str
    email: str
    is_staff: bool


@dataclass(frozen=True)
class Entry:
    """One organisation in the switcher."""

    name: str
    url: str
    role: str
    is_current: bool


@dataclass(frozen=True)
class Link:
    label: str
    url: str
    is_current: bool


class Shell:
    """Worked out when a template asks, so that pages without a switcher ask nothing."""

    is_demonstration = settings.DEMONSTRATION
    release = f"{settings.RELEASE_VERSION} ({settings.RELEASE_COMMIT[:12]})"
    contact = settings.CONTACT

    def __init__(self, request: Any) -> None:
        self.request = request
        self.seat = getattr(request, "seat", None)

    @cached_property
    def person(self) -> Person | None:
        user = getattr(self.request, "user", None)
        if user is None or not user.is_authenticated:
            return None
        return Person(user.display_name, user.email, user.is_staff)

    @property
    def organisation(self) -> dict[str, str] | None:
        if self.seat is None:
            return None
        organisation = self.seat.organisation
        return {"name": organisation.name, "slug": organisation.slug, "url": organisation.get_absolute_url()}

    @property
    def acting_as_superuser(self) -> bool:
        return bool(self.seat and self.seat.is_acting)

    @cached_property
    def organisations(self) -> list[Entry]:
        current = self.seat.organisation if self.seat else None
        return [
            Entry(
                m.organisation.name, m.organisation.get_absolute_url(), m.get_role_display(), m.organisation == current
            )
            for m in memberships(self.request)[:SWITCHER_LENGTH]
        ]

    @cached_property
    def navigation(self) -> list[Link]:
        """The pages of the module that is open."""
        key = module_of(self.request)
        spec = registry.get(key) if key else None
        if spec is None or self.seat is None:
            return []
        return [self._link(spec.key, page) for page in spec.pages if self.seat.role.covers(page.role)]

    def _link(self, key: str, page: registry.Page) -> Link:
        try:
            url = reverse(f"{key}:{page.view}", args=[self.seat.organisation.slug])  # type: ignore[union-attr]
        except NoReverseMatch as missing:
            raise LookupError(f"{key} promises the page {page.view}, which its urls do not have.") from missing
        return Link(page.label, url, url == self.request.path)


def shell(request: HttpRequest) -> dict[str, Any]:
    return {"shell": Shell(request)}
