"""Who is this, and may they enter?

Decided here: by a known identity, an invitation, the organisation signed in to at the provider, or a platform admin's
link.
"""

from collections.abc import Sequence

from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts import actions
from accounts.id_tokens import Claims
from accounts.models import Identity, Invitation, PlatformAdminLink, User
from accounts.refusals import (
    ADDRESS_TAKEN,
    DEACTIVATED,
    LINK_NOT_YOURS,
    LINK_USED,
    NO_ADDRESS,
    ORGANISATION_MISSING,
    ORGANISATION_OTHER,
    ORGANISATION_SUSPENDED,
    ORGANISATION_UNKNOWN,
    UNINVITED,
    UNVERIFIED,
    Refused,
)
from tenants import scope
from tenants.models import Membership, Organisation


def person_for(claims: Claims, *, organisation: Organisation | None = None, link_hash: str = "") -> User:
    """The person behind verified claims, with open invitations accepted; Refused when they may not enter.

    `organisation` is the one that the sign-in was begun for. An unknown person creates nothing. Works across
    organisations, since none is chosen yet.
    """
    with scope.platform():
        try:
            return _enter(claims, organisation, link_hash)
        except IntegrityError:
            # Another account took the same address at the same moment: now it is there to be found.
            return _enter(claims, organisation, link_hash)


@transaction.atomic
def _enter(claims: Claims, asked: Organisation | None, link_hash: str) -> User:
    organisation = _organisation(claims, asked)
    person = _known(claims) or _known_after_waiting(claims)
    if person and not person.is_active:
        raise Refused(DEACTIVATED)
    if link_hash:
        return _enter_by_link(claims, person, link_hash)
    invitations = _invitations(claims)
    if person is None:
        person = _newcomer(claims, [*(invitation.organisation for invitation in invitations), organisation])
    for invitation in invitations:
        if not invitation.organisation.is_suspended:
            actions.accept_invitation(invitation, person)
    if organisation and not organisation.is_suspended:
        _seat(organisation, person)
    return person


def _organisation(claims: Claims, asked: Organisation | None) -> Organisation | None:
    """The organisation that was signed in to at the provider, which must be the one that was asked for."""
    if not claims.organisation_id:
        if asked:
            raise Refused(ORGANISATION_MISSING)
        return None
    found = Organisation.objects.filter(auth0_organisation_id=claims.organisation_id).first()
    if found is None:
        raise Refused(ORGANISATION_UNKNOWN)
    if asked and asked != found:
        raise Refused(ORGANISATION_OTHER)
    return found


def _seat(organisation: Organisation, person: User) -> None:
    """Whom an organisation lets in at the provider has a seat here, with the lowest role until told otherwise."""
    if not Membership.objects.filter(organisation=organisation, user=person).exists():
        actions.join_organisation(organisation, person)


def _known(claims: Claims) -> User | None:
    identity = Identity.objects.select_related("user").filter(issuer=claims.issuer, subject=claims.subject).first()
    return identity.user if identity else None


def _known_after_waiting(claims: Claims) -> User | None:
    """First sign-ins of one identity wait for each other, so that the second finds whom the first has made."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"{claims.issuer} {claims.subject}"])
    return _known(claims)


def _invitations(claims: Claims) -> list[Invitation]:
    if not claims.is_email_verified or not claims.email:
        return []
    open_ones = Invitation.objects.open_for(claims.email, at=timezone.now()).select_related("organisation")
    return list(open_ones.select_for_update(of=("self",)).order_by("pk"))


def _newcomer(claims: Claims, vouching: Sequence[Organisation | None]) -> User:
    """Make the person, when an organisation vouches for their verified address and nobody else has it."""
    known = [organisation for organisation in vouching if organisation]
    _require_free_address(claims)
    if not known:
        raise Refused(UNINVITED)
    if all(organisation.is_suspended for organisation in known):
        raise Refused(ORGANISATION_SUSPENDED)
    return actions.create_person(claims)


def _require_free_address(claims: Claims) -> None:
    """An address decides only when it is verified, and never leads to somebody who is there already."""
    if not claims.email:
        raise Refused(NO_ADDRESS)
    if not claims.is_email_verified:
        raise Refused(UNVERIFIED)
    if User.objects.with_email(claims.email).exists():
        raise Refused(ADDRESS_TAKEN)


def _enter_by_link(claims: Claims, person: User | None, link_hash: str) -> User:
    link = PlatformAdminLink.objects.select_for_update().filter(token_hash=link_hash).first()
    if link is None or not link.is_open(at=timezone.now()):
        raise Refused(LINK_USED)
    if not claims.is_email_verified:
        raise Refused(UNVERIFIED)
    if claims.email.lower() != link.email.lower():
        raise Refused(LINK_NOT_YOURS)
    if person is None:
        _require_free_address(claims)
        person = actions.create_person(claims)
    return actions.make_platform_superuser(person, link)
