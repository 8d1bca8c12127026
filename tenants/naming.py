"""Which one did the operator mean? Finds what was named, or refuses with the names that come nearest."""

from collections.abc import Iterable
from difflib import get_close_matches

from tenants.models import Organisation
from tenants.operations import UsageError

SHOWN = 3


def nearest(given: str, known: Iterable[str], *, likeness: float = 0.6) -> list[str]:
    """The known names that are most like the given one, case aside; `likeness` is between 0 and 1 (the same)."""
    by_folded_name = {name.lower(): name for name in known}
    close = get_close_matches(given.lower(), by_folded_name, n=SHOWN, cutoff=likeness)
    return [by_folded_name[name] for name in close]


def unknown(words: str, given: str, known: Iterable[str]) -> UsageError:
    """The refusal to raise: `words` say that there is no such thing."""
    return refusal(words, nearest(given, known))


def refusal(words: str, close: list[str]) -> UsageError:
    return UsageError(f"{words} Did you mean {' or '.join(close)}?" if close else words)


def organisation_named(slug: str) -> Organisation:
    organisation = Organisation.objects.filter(slug=slug).first()
    if organisation is None:
        known = Organisation.objects.order_by("slug").values_list("slug", flat=True)
        raise unknown(f"There is no organisation {slug}.", slug, known)
    return organisation
