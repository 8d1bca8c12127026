"""Who is this, and may they enter? Decided here: by a known identity, an invitation, or a platform admin's link."""

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
    UNINVITED,
    UNVERIFIED,
    Refused,
)
from tenants import scope


def person_for(claims: Claims, *, link_hash: str = "") -> User:
    """The person behind verified claims, with open invitations accepted; Refused when they may not enter.

    An unknown person creates nothing. Works across organisations, since none is chosen yet.
    """
    with scope.platform():
        try:
            return _enter(claims, link_hash)
        except IntegrityError:
            # Another account took the same address at the same moment: now it is there to be found.
            return _enter(claims, link_hash)


@transaction.atomic
def _enter(claims: Claims, link_hash: str) -> User:
    person = _known(claims) or _known_after_waiting(claims)
    if person and not person.is_active:
        raise Refused(DEACTIVATED)
    if link_hash:
        return _enter_by_link(claims, person, link_hash)
    invitations = _invitations(claims)
    if person is None:
        person = _newcomer(claims, bool(invitations))
    for invitation in invitations:
        actions.accept_invitation(invitation, person)
    return person


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


def _newcomer(claims: Claims, is_invited: bool) -> User:
    """Make the person, when somebody vouched for their verified address and nobody else has it."""
    if not claims.is_email_verified:
        raise Refused(UNVERIFIED)
    if User.objects.with_email(claims.email).exists():
        raise Refused(ADDRESS_TAKEN)
    if not is_invited:
        raise Refused(UNINVITED)
    return actions.create_person(claims)


def _enter_by_link(claims: Claims, person: User | None, link_hash: str) -> User:
    link = PlatformAdminLink.objects.select_for_update().filter(token_hash=link_hash).first()
    if link is None or not link.is_open(at=timezone.now()):
        raise Refused(LINK_USED)
    if not claims.is_email_verified:
        raise Refused(UNVERIFIED)
    if claims.email.lower() != link.email.lower():
        raise Refused(LINK_NOT_YOURS)
    person = person or _newcomer(claims, is_invited=True)
    return actions.make_platform_superuser(person, link)
