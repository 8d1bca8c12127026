"""Changes to people, invitations and client tokens: each one action, one transaction, one audit line."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.db.models import QuerySet
from django.utils import timezone

from accounts import client_tokens
from accounts.id_tokens import Claims
from accounts.logout_tokens import SignedOut
from accounts.models import ClientToken, Identity, Invitation, PlatformAdminLink, Session, UsedLogoutToken, User
from accounts.refusals import BAD_TOKEN, Refused
from tenants import audit
from tenants.actions import add_membership
from tenants.models import Organisation, Role


class LastSuperuser(Exception):
    """Refused: nobody would be left who runs the platform."""

    def __init__(self) -> None:
        super().__init__("This is the last active superuser: make somebody else one first.")


def create_person(claims: Claims) -> User:
    """A person and how the provider knows them; roles and privileges are never taken from claims."""
    with audit.action("person.created", email=claims.email) as event:
        person = User.objects.create(email=claims.email, name=claims.name)
        Identity.objects.create(user=person, issuer=claims.issuer, subject=claims.subject)
        event.actor, event.actor_email = person, person.email
    return person


def change_person(person: User, *, by: Any, reason: str = "") -> User:
    """Somebody who is not active after the change is signed out everywhere by it; raises LastSuperuser."""
    with audit.action("person.changed", by=by, reason=reason, person=person.email) as event:
        _require_superuser_beside(person)
        person.save()
        if not person.is_active:
            event.data["sessions"] = _delete(person.sessions.all())
    return person


def deactivate_person(person: User, *, by: Any, reason: str) -> User:
    """Signed out everywhere, and refused from their next request on: each reads whether the person is active.

    Raises LastSuperuser.
    """
    with audit.action("person.deactivated", by=by, reason=reason, person=person.email) as event:
        person.is_active = False
        _require_superuser_beside(person)
        person.save(update_fields=["is_active"])
        event.data["sessions"] = _delete(person.sessions.all())
    return person


def reactivate_person(person: User, *, by: Any, reason: str) -> User:
    """Nobody comes back signed in: a sign-in may have ended just after the deactivation, and left a session."""
    with audit.action("person.reactivated", by=by, reason=reason, person=person.email):
        person.is_active = True
        person.save(update_fields=["is_active"])
        _delete(person.sessions.all())
    return person


def set_privileges(person: User, *, is_staff: bool, is_superuser: bool, by: Any, reason: str) -> User:
    """What the person is on the platform, from their next request on; raises LastSuperuser."""
    with audit.action("person.privileges_set", by=by, reason=reason, person=person.email) as event:
        event.data |= {"is_staff": is_staff, "is_superuser": is_superuser}
        person.is_staff, person.is_superuser = is_staff, is_superuser
        _require_superuser_beside(person)
        person.save(update_fields=["is_staff", "is_superuser"])
    return person


def _require_superuser_beside(person: User) -> None:
    """Those who step down at the same moment wait here for each other, and the last one stays."""
    if person.is_active and person.is_superuser:
        return
    superusers = User.objects.filter(is_active=True, is_superuser=True).order_by("pk")
    if list(superusers.select_for_update(no_key=True).values_list("pk", flat=True)) == [person.pk]:
        raise LastSuperuser


def end_sessions(person: User, *, by: Any, reason: str) -> int:
    """Sign the person out everywhere; returns how many sessions that were."""
    with audit.action("person.sessions_ended", by=by, reason=reason, person=person.email) as event:
        event.data["sessions"] = _delete(person.sessions.all())
    return event.data["sessions"]


def end_sessions_in(organisation: Organisation, *, by: Any, reason: str) -> int:
    """Sign all members out, everywhere; returns how many sessions that were."""
    with audit.action("organisation.sessions_ended", by=by, organisation=organisation, reason=reason) as event:
        event.data["sessions"] = _delete(Session.objects.of_members(organisation))
    return event.data["sessions"]


def end_all_sessions(*, by: Any, reason: str) -> int:
    """Sign everybody out; returns how many sessions that were."""
    with audit.action("platform.sessions_ended", by=by, reason=reason) as event:
        event.data["sessions"] = _delete(Session.objects.signed_in())
    return event.data["sessions"]


def end_provider_sessions(signed_out: SignedOut) -> int:
    """End the sessions that the provider says are over; how many. Refused when it has said so before."""
    with audit.action("person.signed_out_at_provider") as event:
        _require_first_time(signed_out)
        sessions = Session.objects.of_provider(signed_out.issuer, signed_out.subject, signed_out.session_id)
        event.actor = User.objects.filter(pk__in=sessions.values("person")).first()
        event.actor_email = event.actor.email if event.actor else ""
        event.data["sessions"] = _delete(sessions)
    return event.data["sessions"]


def _require_first_time(signed_out: SignedOut) -> None:
    """Remembered for as long as the message would be accepted; of two who bring it at once, one is refused."""
    UsedLogoutToken.objects.filter(expires_at__lte=timezone.now()).delete()
    _, is_first = UsedLogoutToken.objects.get_or_create(
        token_hash=hash_of(f"{signed_out.issuer} {signed_out.token_id}"),
        defaults={"expires_at": signed_out.acceptable_until},
    )
    if not is_first:
        raise Refused(BAD_TOKEN, "told before")


def _delete(sessions: QuerySet[Session]) -> int:
    """In one statement, so that no session that is there when it begins outlives it."""
    return sessions.delete()[0]


def set_permissions(
    person: User, *, groups: Iterable[Group], user_permissions: Iterable[Permission], by: Any, reason: str = ""
) -> User:
    """What the person may do in the admin site, beside being staff; the event lists it all."""
    with audit.action("person.permissions_set", by=by, reason=reason, person=person.email) as event:
        person.groups.set(groups)
        person.user_permissions.set(user_permissions)
        event.data["groups"] = sorted(group.name for group in groups)
        event.data["permissions"] = sorted(permission.codename for permission in user_permissions)
    return person


def save_group(group: Group, *, permissions: Iterable[Permission], by: Any, reason: str = "") -> Group:
    """A set of permissions that several people share; the event lists them all."""
    with audit.action("group.saved", by=by, reason=reason, group=group.name) as event:
        group.save()
        group.permissions.set(permissions)
        event.data["permissions"] = sorted(permission.codename for permission in permissions)
    return group


def is_last_superuser(person: User) -> bool:
    others = User.objects.filter(is_superuser=True, is_active=True).exclude(pk=person.pk)
    return person.is_superuser and person.is_active and not others.exists()


def invite(organisation: Organisation, email: str, role: Role | str, *, by: Any, reason: str = "") -> Invitation:
    expires_at = timezone.now() + timedelta(days=settings.INVITATION_DAYS)
    invitation = Invitation(organisation=organisation, email=email, role=role, expires_at=expires_at)
    return save_invitation(invitation, by=by, reason=reason)


def save_invitation(invitation: Invitation, *, by: Any, reason: str = "") -> Invitation:
    """Make the invitation. An expired one for the same address and organisation gives way to it."""
    organisation, now = invitation.organisation, timezone.now()
    with audit.action("invitation.made", by=by, organisation=organisation, reason=reason) as event:
        event.data = {"email": invitation.email, "role": str(invitation.role)}
        earlier = Invitation.objects.filter(organisation=organisation, email__iexact=invitation.email)
        earlier.filter(accepted_at=None, withdrawn_at=None, expires_at__lte=now).update(withdrawn_at=now)
        # An operator without an account is known to the audit alone.
        invitation.invited_by = by if getattr(by, "pk", None) else None
        invitation.save()
    return invitation


def withdraw_invitation(invitation: Invitation, *, by: Any, reason: str = "") -> Invitation:
    with audit.action("invitation.withdrawn", by=by, organisation=invitation.organisation, reason=reason) as event:
        event.data = {"email": invitation.email}
        invitation.withdrawn_at = timezone.now()
        invitation.save(update_fields=["withdrawn_at"])
    return invitation


def accept_invitation(invitation: Invitation, person: User) -> None:
    with audit.action("invitation.accepted", by=person, organisation=invitation.organisation, role=invitation.role):
        add_membership(invitation.organisation, person, invitation.role, by=person, reason="invitation")
        invitation.accepted_at = timezone.now()
        invitation.save(update_fields=["accepted_at"])


def join_organisation(organisation: Organisation, person: User) -> None:
    """By signing in to the organisation at the provider, which decides who belongs to it."""
    with audit.action("organisation.joined", by=person, organisation=organisation):
        add_membership(organisation, person, Role.VIEWER, by=person, reason="signed in to the organisation")


def make_platform_admin_link(email: str, *, by: Any, reason: str) -> str:
    """The token of a new one-time link; only its hash is kept."""
    token = secrets.token_urlsafe(32)
    with audit.action("platform_admin.link_made", by=by, reason=reason, email=email):
        PlatformAdminLink.objects.create(
            email=email,
            token_hash=hash_of(token),
            expires_at=timezone.now() + timedelta(hours=settings.PLATFORM_ADMIN_LINK_HOURS),
        )
    return token


def make_platform_superuser(person: User, link: PlatformAdminLink) -> User:
    with audit.action("platform_admin.link_used", by=person, email=link.email):
        person.is_staff = person.is_superuser = True
        person.save(update_fields=["is_staff", "is_superuser"])
        link.used_at = timezone.now()
        link.save(update_fields=["used_at"])
    return person


def make_client_token(token: ClientToken, *, by: Any, reason: str) -> str:
    """Save a new one; returns the token itself, which is not kept and cannot be told again."""
    secret = client_tokens.new()
    token.prefix, token.token_hash = client_tokens.prefix_of(secret), client_tokens.hash_of(secret)
    with audit.action("client_token.made", by=by, organisation=token.organisation, reason=reason) as event:
        event.data = {"name": token.name, "prefix": token.prefix}
        # An operator without an account is known to the audit alone.
        token.created_by = by if getattr(by, "pk", None) else None
        token.save(force_insert=True)
    return secret


def revoke_client_token(token: ClientToken, *, by: Any, reason: str) -> ClientToken:
    """From the next call on it is worth nothing. One that is revoked already stays as it is."""
    with audit.action("client_token.revoked", by=by, organisation=token.organisation, reason=reason) as event:
        event.data = {"name": token.name, "prefix": token.prefix}
        open_ones = ClientToken.objects.filter(pk=token.pk, revoked_at=None)
        event.is_void = not open_ones.update(revoked_at=timezone.now())
    token.refresh_from_db(fields=["revoked_at"])
    return token


def hash_of(token: str) -> str:
    # What a caller sends can hold half a surrogate pair, which is no text in UTF-8.
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
