"""Gives a person a role in an organisation, or a place on the platform."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts import actions
from accounts.models import User
from accounts.naming import person_named
from tenants.actions import is_last_admin, save_membership
from tenants.models import Membership, Role
from tenants.naming import organisation_named
from tenants.operations import ChangingCommand, UsageError


class Command(ChangingCommand):
    help = (
        "Give EMAIL the ROLE in ORGANISATION, in place of the one that they have there; or make them --staff or"
        " --superuser of the platform. It holds from their next request on, without signing in again."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("organisation", nargs="?", help="its slug")
        parser.add_argument("role", nargs="?", choices=Role.values)
        parser.add_argument("--staff", action="store_true", help="opens the admin site, with permissions given there")
        parser.add_argument("--superuser", action="store_true", help="runs the platform; staff as well")
        parser.add_argument("--force", action="store_true", help="even when the organisation loses its last admin")

    def change(
        self, *, by: Any, reason: str, email: str, organisation: str | None, role: str | None, **options: Any
    ) -> list[str]:
        on_platform = options["staff"] or options["superuser"]
        if (organisation and not role) or bool(organisation) == on_platform:
            raise UsageError("Name an ORGANISATION and a ROLE, or --staff or --superuser.")
        person = person_named(email)
        if organisation and role:
            return self._seat(person, organisation, role, options["force"], by=by, reason=reason)
        return self._raise(person, options["superuser"], by=by, reason=reason)

    def _raise(self, person: User, is_superuser: bool, *, by: Any, reason: str) -> list[str]:
        if not person.is_active:
            raise CommandError(f"{person} is deactivated: reactivate them in the admin site first.")
        if person.is_staff and (person.is_superuser or not is_superuser):
            self.report.note("unchanged", f"{person} is {'superuser' if person.is_superuser else 'staff'} already")
            return []
        is_superuser = is_superuser or person.is_superuser
        actions.set_privileges(person, is_staff=True, is_superuser=is_superuser, by=by, reason=reason)
        return [f"make {person} {'superuser' if is_superuser else 'staff'}"]

    def _seat(self, person: User, slug: str, role: str, force: bool, *, by: Any, reason: str) -> list[str]:
        organisation = organisation_named(slug)
        membership = Membership.objects.filter(organisation=organisation, user=person).first()
        if not person.is_active:
            self.report.note("person", f"{person} is deactivated: the role counts once they are reactivated")
        if membership is None:
            save_membership(Membership(organisation=organisation, user=person, role=role), by=by, reason=reason)
            advice = f"{person} has no application there yet: `provision_user` gives them"
            self.report.note("applications", advice)
            return [f"add {person} to {organisation} as {role}"]
        if membership.role == role:
            self.report.note("unchanged", f"{person} is {role} in {organisation} already")
            return []
        refuse_last_admin(membership, force)
        before, membership.role = membership.role, role
        save_membership(membership, by=by, reason=reason)
        return [f"change {person} in {organisation} from {before} to {role}"]


def refuse_last_admin(membership: Membership, force: bool) -> None:
    """An organisation without an admin cannot help itself: nobody there invites people or sets roles."""
    if not force and is_last_admin(membership):
        raise CommandError(
            f"{membership.user} is the last active admin of {membership.organisation}: make somebody else admin first,"
            " or insist with --force."
        )
