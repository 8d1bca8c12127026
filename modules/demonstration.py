"""Fills the demonstration: the fictitious organisations, their people, entitlements and what each module shows."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import Permission
from django.db.models import Q
from django.utils.module_loading import import_string

from accounts.actions import set_permissions
from accounts.demonstration import ORGANISATIONS, PEOPLE, DemonstrationOrganisation, DemonstrationPerson
from accounts.models import Identity, User
from modules import actions, registry
from modules.models import AnalyticsModule, Application, Entitlement
from tenants import scope
from tenants.actions import add_membership, create_organisation
from tenants.models import Membership, Organisation

REASON = "demonstration data"


def load() -> None:
    """Add what is missing; a second run changes nothing. Needs the platform scope for organisations and people."""
    organisations = {shown.slug: _organisation(shown) for shown in ORGANISATIONS}
    for shown in PEOPLE:
        if shown.is_known:
            _seat(_person(shown), shown, organisations)
    _let_staff_look()
    for organisation in organisations.values():
        with scope.organisation(organisation.pk):
            _entitle(organisation)
            _fill_modules(organisation)


def _organisation(shown: DemonstrationOrganisation) -> Organisation:
    known = Organisation.objects.filter(slug=shown.slug).first()
    return known or create_organisation(
        Organisation(
            name=shown.name,
            slug=shown.slug,
            industry=shown.industry,
            sector=shown.sector,
            plan=shown.plan,
            status=Organisation.Status.SUSPENDED if shown.is_suspended else Organisation.Status.ACTIVE,
        ),
        by=None,
        reason=REASON,
    )


def _person(shown: DemonstrationPerson) -> User:
    user, _ = User.objects.get_or_create(
        email=shown.email,
        defaults={
            "name": shown.name,
            "is_active": shown.is_active,
            "is_staff": shown.is_staff,
            "is_superuser": shown.is_superuser,
        },
    )
    # The provider's address may change from one run to the next, and its name for a person with it.
    Identity.objects.get_or_create(issuer=settings.OIDC_ISSUER, subject=shown.subject, defaults={"user": user})
    return user


def _let_staff_look() -> None:
    """Staff who are not superusers may look at what the platform runs, and invite."""
    looked_at = Q(content_type__app_label__in=["accounts", "flags", "modules", "tenants"], codename__startswith="view_")
    permissions = set(Permission.objects.filter(looked_at | Q(codename="add_invitation")))
    for person in User.objects.filter(is_staff=True, is_superuser=False).order_by("pk"):
        if permissions - set(person.user_permissions.all()):
            set_permissions(person, groups=[], user_permissions=permissions, by=None, reason=REASON)


def _seat(user: User, shown: DemonstrationPerson, organisations: dict[str, Organisation]) -> None:
    for slug, role in shown.roles:
        organisation = organisations[slug]
        if Membership.objects.filter(organisation=organisation, user=user).exists():
            continue
        membership = add_membership(organisation, user, role, by=None, reason=REASON)
        for application in Application.values:
            actions.grant_application(membership, application, by=None, reason=REASON)


def _entitle(organisation: Organisation) -> None:
    entitled = set(Entitlement.objects.values_list("module_id", flat=True))
    for module in AnalyticsModule.objects.order_by("pk"):
        if not module.is_core and module.pk not in entitled:
            actions.save_entitlement(Entitlement(organisation=organisation, module=module), by=None, reason=REASON)


def _fill_modules(organisation: Organisation) -> None:
    for spec in registry.all_specs():
        if spec.demonstration:
            fill: Any = import_string(spec.demonstration)
            fill(organisation, by=None)
