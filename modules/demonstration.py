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
from modules.models import AnalyticsModule, Application, ApplicationGrant, Entitlement
from tenants import scope
from tenants.actions import add_membership, create_organisation
from tenants.models import Membership, Organisation

REASON = "demonstration data"


def load() -> list[str]:
    """Add what is missing; returns what was added, so nothing the second time. Needs platform scope."""
    before = _counted()
    filled = _load()
    after = _counted()
    added = [f"add {after[words] - before[words]} {words}" for words in after if after[words] > before[words]]
    return added + filled


def _counted() -> dict[str, int]:
    models = (Organisation, User, Membership, Entitlement, ApplicationGrant)
    return {str(model._meta.verbose_name_plural): model._default_manager.count() for model in models}


def _load() -> list[str]:
    """Returns which modules it filled."""
    organisations = {shown.slug: _organisation(shown) for shown in ORGANISATIONS}
    for shown in PEOPLE:
        if shown.is_known:
            _seat(_person(shown), shown, organisations)
    _let_staff_look()
    filled = []
    for organisation in organisations.values():
        with scope.organisation(organisation.pk):
            _entitle(organisation)
            filled += _fill_modules(organisation)
    return filled


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


def _fill_modules(organisation: Organisation) -> list[str]:
    filled = []
    for spec in registry.all_specs():
        if spec.demonstration:
            fill: Any = import_string(spec.demonstration)
            if fill(organisation, by=None):
                filled.append(f"fill {spec.name} of {organisation.slug}")
    return filled
