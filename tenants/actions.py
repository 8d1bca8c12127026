"""Changes to organisations and memberships: each one action, one transaction, one audit line."""

from typing import Any

from tenants import audit
from tenants.models import Membership, Organisation, Role


def create_organisation(organisation: Organisation, *, by: Any, reason: str = "") -> Organisation:
    with audit.action("organisation.created", by=by, reason=reason) as event:
        organisation.save()
        event.organisation = organisation
    return organisation


def change_organisation(organisation: Organisation, *, by: Any, reason: str = "") -> Organisation:
    with audit.action("organisation.changed", by=by, organisation=organisation, reason=reason):
        organisation.save()
    return organisation


def suspend_organisation(organisation: Organisation, *, by: Any, reason: str = "") -> Organisation:
    with audit.action("organisation.suspended", by=by, organisation=organisation, reason=reason):
        organisation.status = Organisation.Status.SUSPENDED
        organisation.save(update_fields=["status"])
    return organisation


def restore_organisation(organisation: Organisation, *, by: Any, reason: str = "") -> Organisation:
    with audit.action("organisation.restored", by=by, organisation=organisation, reason=reason):
        organisation.status = Organisation.Status.ACTIVE
        organisation.save(update_fields=["status"])
    return organisation


def is_last_admin(membership: Membership) -> bool:
    """Would the organisation be without an active admin if this one went? Needs a transaction: others who ask about
    the same organisation wait for its end."""
    admins = Membership.objects.filter(organisation=membership.organisation, role=Role.ADMIN, user__is_active=True)
    locked = admins.select_for_update(no_key=True, of=("self",)).order_by("pk").values_list("pk", flat=True)
    return list(locked) == [membership.pk]


def add_membership(organisation: Organisation, user: Any, role: Role | str, *, by: Any, reason: str = "") -> Membership:
    """Make `user` a member; somebody who is one already keeps the stronger of the two roles."""
    with audit.action("membership.added", by=by, organisation=organisation, reason=reason, role=str(role)):
        membership, is_new = Membership.objects.get_or_create(
            organisation=organisation, user=user, defaults={"role": role}
        )
        if not is_new and not Role(membership.role).covers(role):
            membership.role = role
            membership.save(update_fields=["role"])
    return membership


def save_membership(membership: Membership, *, by: Any, reason: str = "") -> Membership:
    """Add the membership, or change its role."""
    name = "membership.role_changed" if membership.pk else "membership.added"
    organisation, role = membership.organisation, str(membership.role)
    with audit.action(name, by=by, organisation=organisation, reason=reason, role=role, person=str(membership.user)):
        membership.save()
    return membership


def remove_membership(membership: Membership, *, by: Any, reason: str = "") -> None:
    with audit.action(
        "membership.removed", by=by, organisation=membership.organisation, reason=reason, person=str(membership.user)
    ):
        membership.delete()
