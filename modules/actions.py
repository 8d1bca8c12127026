"""Changes to the catalogue, entitlements and applications: each one action, one transaction, one audit line."""

from typing import Any

from modules.models import AnalyticsModule, Application, ApplicationGrant, Entitlement
from tenants import audit
from tenants.models import Membership


def save_module(module: AnalyticsModule, *, by: Any, reason: str = "") -> AnalyticsModule:
    with audit.action("module.saved", by=by, reason=reason, module=module.key, status=module.status):
        module.save()
    return module


def save_entitlement(entitlement: Entitlement, *, by: Any, reason: str = "") -> Entitlement:
    organisation, module = entitlement.organisation, entitlement.module.key
    with audit.action("entitlement.saved", by=by, organisation=organisation, reason=reason, module=module):
        entitlement.save()
    return entitlement


def remove_entitlement(entitlement: Entitlement, *, by: Any, reason: str = "") -> None:
    organisation, module = entitlement.organisation, entitlement.module.key
    with audit.action("entitlement.removed", by=by, organisation=organisation, reason=reason, module=module):
        entitlement.delete()


def grant_application(
    membership: Membership, application: Application | str, *, by: Any, reason: str = ""
) -> ApplicationGrant:
    """Give the application to a member; giving it again changes nothing."""
    with audit.action("application.granted", by=by, organisation=membership.organisation, reason=reason) as event:
        event.data = {"application": str(application), "person": str(membership.user)}
        grant, _ = ApplicationGrant.objects.get_or_create(
            organisation=membership.organisation, membership=membership, application=application
        )
    return grant


def revoke_application(grant: ApplicationGrant, *, by: Any, reason: str = "") -> None:
    with audit.action("application.revoked", by=by, organisation=grant.organisation, reason=reason) as event:
        event.data = {"application": grant.application, "person": str(grant.membership.user)}
        grant.delete()
