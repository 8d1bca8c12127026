"""Whom did the operator mean? Finds the person by address, or refuses with the addresses that come nearest."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db.models import Q

from accounts import addresses
from accounts.models import User
from tenants.naming import nearest, refusal
from tenants.operations import UsageError

COMPARED = 2_000  # addresses that begin or end like the given one: comparing all people's would take too long


def require_address(email: str) -> str:
    """The address without what is around it; UsageError when it is none that somebody can sign in with."""
    try:
        validate_email(email.strip())
    except ValidationError:
        raise UsageError(f"{email!r} is not an e-mail address.") from None
    if not addresses.is_plain(email.strip()):
        raise UsageError(f"{email!r}: {addresses.BEYOND_ASCII}")
    return email.strip()


def person_named(email: str) -> User:
    address = require_address(email)
    person = User.objects.with_email(address).first()
    if person is None:
        raise refusal(f"Nobody has the address {address}.", nearest_addresses(address))
    return person


def nearest_addresses(email: str) -> list[str]:
    alike = Q(email__istartswith=email[:2]) | Q(email__iendswith=email.partition("@")[2])
    known = User.objects.filter(alike).order_by("email").values_list("email", flat=True)[:COMPARED]
    # People of one organisation share the greater part of their addresses.
    return nearest(email, known, likeness=0.85)
