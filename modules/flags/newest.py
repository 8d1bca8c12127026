"""Which release is the newest? Read by everybody, changed by `releases` alone."""

from modules.flags.models import FlagPointer, FlagRelease
from modules.flags.snapshot import NO_FLAGS


def newest_release() -> FlagRelease | None:
    return FlagRelease.objects.filter(number__in=FlagPointer.objects.filter(id=1).values("number")).first()


def newest_unless(number: int) -> tuple[int, str] | None:
    """Number and document of the newest release, unless it is this one; 0 and no flags before the first."""
    newest = FlagPointer.objects.filter(id=1).values_list("number", flat=True).first() or 0
    if newest == number:
        return None
    document = FlagRelease.objects.filter(number=newest).values_list("document", flat=True).first()
    return newest if document else 0, document or NO_FLAGS
