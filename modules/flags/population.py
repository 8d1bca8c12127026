"""For whom flags are asked: organisations and people of the database, as contexts. Nobody is asked about on the way.

Which modules an organisation has is decided on the floor above, which names its function here when it is loaded.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.module_loading import import_string

from modules.flags.answers import Context
from tenants.models import Membership, Organisation

# (organisation, is_staff) -> the keys of the modules that it has, in the eyes of such a person.
Available = Callable[[Organisation, bool], frozenset[str]]
_told_by: list[str] = []
_keys_told_by: list[str] = []


@dataclass(frozen=True, slots=True)
class Somebody:
    """A person in an organisation, or the organisation itself, where `person` (the address) is empty."""

    context: Context
    organisation: str
    slug: str
    person: str = ""


def modules_told_by(path: str, *, keys: str) -> None:
    """The dotted paths of a function that returns an `Available` for a moment (`at`), and of one that returns the
    keys of all modules. They are imported when needed."""
    _told_by[:], _keys_told_by[:] = [path], [keys]


def module_keys() -> list[str]:
    """Of the modules that a flag may belong to."""
    return import_string(_keys_told_by[0])()


def context_of(organisation: Organisation | None, person: Any | None, *, at: datetime) -> Context:
    """Rows, or None, as a context. Without an organisation nothing is known of modules. Needs platform scope."""
    if organisation is None:
        return Context(person=str(person.public_id) if person else "")
    return _context(organisation, person, _available(at))


def in_organisations(person: Any, *, at: datetime) -> list[Somebody]:
    """The person in each active organisation that they belong to. As many queries whatever their number. Needs
    platform scope."""
    rows = Organisation.objects.filter(status=Organisation.Status.ACTIVE, memberships__user=person)
    available = _available(at)
    return [
        Somebody(_context(one, person, available), one.name, one.slug, person.email) for one in rows.in_reading_order()
    ]


def _context(organisation: Organisation, person: Any | None, available: Available) -> Context:
    public_id = str(person.public_id) if person else ""
    entitled = available(organisation, bool(person and person.is_staff))
    return Context(str(organisation.public_id), public_id, organisation.sector, entitled)


def everybody(*, at: datetime) -> Iterator[Somebody]:
    """Each active organisation, and each of its active people. Four queries, however many. Needs platform scope."""
    available = _available(at)
    organisations = {
        one.pk: one for one in Organisation.objects.filter(status=Organisation.Status.ACTIVE).in_reading_order()
    }
    for one in organisations.values():
        context = Context(str(one.public_id), "", one.sector, available(one, False))
        yield Somebody(context, one.name, one.slug)
    members = Membership.objects.filter(organisation__in=organisations, user__is_active=True).order_by("pk")
    columns = members.values_list("organisation_id", "user__public_id", "user__email", "user__is_staff")
    for pk, public_id, email, is_staff in columns.iterator(chunk_size=5000):
        one = organisations[pk]
        context = Context(str(one.public_id), str(public_id), one.sector, available(one, is_staff))
        yield Somebody(context, one.name, one.slug, email)


def _available(at: datetime) -> Available:
    return import_string(_told_by[0])(at=at)
