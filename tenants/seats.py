"""Where does a signed-in person sit: in which organisation, with which role, by which right?"""

from dataclasses import dataclass
from typing import Any

from tenants import scope
from tenants.models import Membership, Organisation, Role


@dataclass(frozen=True)
class Seat:
    """`membership` is None for a superuser who acts in an organisation that they do not belong to, as a viewer."""

    person: Any
    organisation: Organisation
    role: Role
    membership: Membership | None

    @property
    def is_acting(self) -> bool:
        return self.membership is None


def memberships_of(person: Any) -> list[Membership]:
    """A person's memberships with their organisations, in reading order: the one read before a scope is chosen."""
    with scope.person(person.pk):
        return list(Membership.objects.filter(user=person).with_organisations())


def find_seat(person: Any, slug: str, memberships: list[Membership]) -> Seat | None:
    """The person's seat in the organisation called `slug`; None when there is no such organisation, or not for them."""
    for membership in memberships:
        if membership.organisation.slug == slug:
            return Seat(person, membership.organisation, Role(membership.role), membership)
    if not (person.is_superuser and person.is_active):
        return None
    organisation = Organisation.objects.filter(slug=slug).first()
    return Seat(person, organisation, Role.VIEWER, None) if organisation else None


def seat_of(person: Any, organisation: Organisation) -> Seat | None:
    return find_seat(person, organisation.slug, memberships_of(person))
