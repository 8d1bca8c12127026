"""Takes a person's role in an organisation, or their place on the platform."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from accounts import actions
from accounts.management.commands.grant_role import refuse_last_admin
from accounts.models import User
from accounts.naming import person_named
from tenants.actions import remove_membership
from tenants.models import Membership
from tenants.naming import organisation_named
from tenants.operations import ChangingCommand, UsageError


class Command(ChangingCommand):
    help = (
        "Take EMAIL out of ORGANISATION, with their role and applications there; or take --staff or --superuser from"
        " them. It holds from their next request on. The last active superuser always stays."
    )

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("organisation", nargs="?", default="", help="its slug")
        parser.add_argument("--staff", action="store_true", help="closes the admin site to them")
        parser.add_argument("--superuser", action="store_true", help="they stay staff unless --staff is given too")
        parser.add_argument("--force", action="store_true", help="even when the organisation loses its last admin")

    def change(self, *, by: Any, reason: str, email: str, organisation: str, **options: Any) -> list[str]:
        on_platform = options["staff"] or options["superuser"]
        if bool(organisation) == on_platform:
            raise UsageError("Name an ORGANISATION, or --staff or --superuser.")
        person = person_named(email)
        if on_platform:
            return self._lower(person, options["staff"], options["superuser"], by=by, reason=reason)
        return self._unseat(person, organisation, options["force"], by=by, reason=reason)

    def _lower(self, person: User, staff: bool, superuser: bool, *, by: Any, reason: str) -> list[str]:
        if staff and person.is_superuser and not superuser:
            raise CommandError(f"{person} is superuser, which needs the admin site: take --superuser as well.")
        is_staff, is_superuser = person.is_staff and not staff, person.is_superuser and not superuser
        taken = [
            name
            for name, was, stays in (
                ("superuser", person.is_superuser, is_superuser),
                ("staff", person.is_staff, is_staff),
            )
            if was and not stays
        ]
        if not taken:
            self.report.note("unchanged", f"{person} is not {'superuser' if superuser else 'staff'}")
            return []
        try:
            actions.set_privileges(person, is_staff=is_staff, is_superuser=is_superuser, by=by, reason=reason)
        except actions.LastSuperuser as refusal:
            raise CommandError(f"{person}: {refusal}") from None
        return [f"take {' and '.join(taken)} from {person}"]

    def _unseat(self, person: User, slug: str, force: bool, *, by: Any, reason: str) -> list[str]:
        organisation = organisation_named(slug)
        membership = Membership.objects.filter(organisation=organisation, user=person).first()
        if membership is None:
            self.report.note("unchanged", f"{person} does not belong to {organisation}")
            return []
        refuse_last_admin(membership, force)
        role = membership.role
        remove_membership(membership, by=by, reason=reason)
        return [f"take {person} out of {organisation}, where they are {role}"]
