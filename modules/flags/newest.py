"""Which release is the newest, and which one holds here? Read by everybody, changed by `releases` alone."""

from datetime import datetime

from django.db.models import QuerySet

from modules.flags.document import Malformed, bodies
from modules.flags.models import FlagPointer, FlagRelease
from modules.flags.snapshot import NO_FLAGS

MOST_UNREADABLE = 20  # releases that are passed over for an older one


def newest_release() -> FlagRelease | None:
    return FlagRelease.objects.filter(number__in=FlagPointer.objects.filter(id=1).values("number")).first()


def newest_unless(number: int) -> tuple[int, str] | None:
    """Number and document of the newest release, unless it is this one; 0 and no flags before the first."""
    newest = FlagPointer.objects.filter(id=1).values_list("number", flat=True).first() or 0
    if newest == number:
        return None
    document = FlagRelease.objects.filter(number=newest).values_list("document", flat=True).first()
    return newest if document else 0, document or NO_FLAGS


def newest_number(at: datetime | None = None) -> int:
    """Of the newest release, now or at a moment, without its document, which may be long; 0 before the first."""
    return _newest_first(at).values_list("number", flat=True).first() or 0


def release_that_holds(at: datetime | None = None) -> FlagRelease | None:
    """The newest that can be read here, now or at a moment: processes stay with it while no newer one can be. One query
    for each that is passed over; None where none of the newest can be read, or there is none."""
    releases = _newest_first(at)
    for number in range(MOST_UNREADABLE + 1):
        one = releases[number : number + 1].first()
        if one is None or can_be_read(one.document):
            return one
    return None


def _newest_first(at: datetime | None) -> QuerySet[FlagRelease]:
    releases = FlagRelease.objects.order_by("-number")
    return releases.filter(created_at__lte=at) if at else releases


def can_be_read(document: str) -> bool:
    """As a whole; single flags in it that cannot be are left out where it is compiled."""
    try:
        bodies(document)
    except Malformed:
        return False
    return True
