"""Brings organisations and people to where ops want them. What is there already stays, and what differs is said."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError
from django.utils import timezone

from accounts.actions import invite
from accounts.models import Invitation, User
from modules import actions
from modules.models import AnalyticsModule, Application, ApplicationGrant, Entitlement
from tenants.actions import add_membership, change_organisation, create_organisation, save_membership
from tenants.models import Membership, Organisation, Plan
from tenants.naming import unknown
from tenants.operations import Report, UsageError

BY_HAND = "the admin site changes it"


@dataclass
class Onboarding:
    """One run: `by` whom, why, and whether what differs is changed (`updates`) or only told in the report."""

    by: Any
    reason: str
    report: Report
    updates: bool = False
    changes: list[str] = field(default_factory=list)

    def organisation(self, slug: str, wanted: Mapping[str, str]) -> Organisation:
        """The organisation with the fields of `wanted`, made when it is missing; UsageError when they do not fit."""
        organisation = Organisation.objects.filter(slug=slug).first()
        if organisation is None:
            return self._new_organisation(slug, wanted)
        if organisation.is_suspended:
            self.report.note("organisation", f"{organisation} is suspended: its people are kept out")
        differing = {name: value for name, value in wanted.items() if getattr(organisation, name) != value}
        for name, value in differing.items():
            words = f"{_in_words(name)} of {organisation.slug}"
            if self.updates:
                self.changes.append(f"change {words} from {getattr(organisation, name) or 'nothing'} to {value}")
                setattr(organisation, name, value)
            else:
                self._drift(words, getattr(organisation, name), value, advice="--update changes it")
        if differing and self.updates:
            _require_valid(organisation)
            change_organisation(organisation, by=self.by, reason=self.reason)
        return organisation

    def _new_organisation(self, slug: str, wanted: Mapping[str, str]) -> Organisation:
        if not wanted.get("name"):
            raise UsageError(f"There is no organisation {slug} yet: give its --name.")
        organisation = Organisation(slug=slug, **wanted)
        _require_valid(organisation)
        self.changes.append(f"create the organisation {organisation} ({slug}, {organisation.plan})")
        return create_organisation(organisation, by=self.by, reason=self.reason)

    def entitlements(self, organisation: Organisation, keys: list[str]) -> None:
        """Entitle the organisation, from now on without end, to what it has not already."""
        catalogue = {module.key: module for module in AnalyticsModule.objects.order_by("key")}
        for key in dict.fromkeys(keys):
            if key not in catalogue:
                raise unknown(f"There is no module {key} in the catalogue.", key, catalogue)
            self._entitle(organisation, catalogue[key])

    def _entitle(self, organisation: Organisation, module: AnalyticsModule) -> None:
        if module.is_core:
            self.report.note(module.key, "is a core module: it needs no entitlement")
            return
        if not Plan(organisation.plan).covers(module.plan):
            self.report.note(module.key, f"stays closed: it needs the plan {module.plan}, and has {organisation.plan}")
        now, held = timezone.now(), Entitlement.objects.filter(organisation=organisation, module=module)
        if current := held.current(at=now).first():
            if current.ends_at:
                self._drift(f"entitlement to {module.key}", f"until {current.ends_at:%Y-%m-%d}", "without end")
            return
        if later := held.filter(starts_at__gt=now).order_by("starts_at").first():
            self._drift(f"entitlement to {module.key}", f"from {later.starts_at:%Y-%m-%d}", "from now on")
            return
        self.changes.append(f"entitle {organisation.slug} to {module.key}")
        entitlement = Entitlement(organisation=organisation, module=module, starts_at=now)
        actions.save_entitlement(entitlement, by=self.by, reason=self.reason)

    def person(self, email: str, organisation: Organisation, role: str, applications: list[str]) -> None:
        """A member with role and applications if the address is somebody's here, otherwise an invitation."""
        person = User.objects.with_email(email).first()
        if person is None:
            self._invitation(email, organisation, role, applications)
            return
        if not person.is_active:
            raise CommandError(f"{person} is deactivated: reactivate them in the admin site first.")
        membership = self._membership(person, organisation, role)
        self._applications(membership, applications)

    def _invitation(self, email: str, organisation: Organisation, role: str, applications: list[str]) -> None:
        """An unknown person creates nothing but this."""
        theirs = Invitation.objects.filter(organisation=organisation)
        if open_one := theirs.open_for(email, at=timezone.now()).first():
            if open_one.role != role:
                self._drift(f"invitation of {email}", open_one.role, role, advice="withdraw it in the admin site first")
        else:
            invite(organisation, email, role, by=self.by, reason=self.reason)
            self.changes.append(f"invite {email} to {organisation.slug} as {role}")
            self.report.note("next", f"they open {settings.PUBLIC_URL}/ and sign in with that address, verified")
        if applications:
            self.report.note("applications", "are given to members: run this again once they have signed in")

    def _membership(self, person: User, organisation: Organisation, role: str) -> Membership:
        membership = Membership.objects.filter(organisation=organisation, user=person).first()
        if membership is None:
            self.changes.append(f"add {person} to {organisation.slug} as {role}")
            return add_membership(organisation, person, role, by=self.by, reason=self.reason)
        if membership.role != role and self.updates:
            self.changes.append(f"change {person} in {organisation.slug} from {membership.role} to {role}")
            membership.role = role
            save_membership(membership, by=self.by, reason=self.reason)
        elif membership.role != role:
            advice = f"`grant_role {person} {organisation.slug} {role}` changes it"
            self._drift(f"role of {person} in {organisation.slug}", membership.role, role, advice=advice)
        return membership

    def _applications(self, membership: Membership, wanted: list[str]) -> None:
        held = ApplicationGrant.objects.filter(membership=membership).values_list("application", flat=True)
        missing, more = sorted(set(wanted) - set(held)), sorted(set(held) - set(wanted))
        for application in missing:
            self.changes.append(f"give {Application(application).label} to {membership.user}")
            actions.grant_application(membership, application, by=self.by, reason=self.reason)
        if more and wanted:
            self._drift(f"applications of {membership.user}", f"also {', '.join(more)}", ", ".join(sorted(wanted)))

    def _drift(self, words: str, there: str, wanted: str, *, advice: str = BY_HAND) -> None:
        self.report.data.setdefault("drift", []).append({"what": words, "is": there, "wanted": wanted})
        self.report.note("drift", f"{words}: {there or 'nothing'} is there, {wanted} was asked for; {advice}")


def _in_words(field_name: str) -> str:
    return str(Organisation._meta.get_field(field_name).verbose_name)  # type: ignore[union-attr]


def _require_valid(organisation: Organisation) -> None:
    try:
        organisation.full_clean()
    except ValidationError as refusal:
        lines = [f"{name}: {' '.join(messages)}" for name, messages in refusal.message_dict.items()]
        raise UsageError(" ".join(lines)) from None
