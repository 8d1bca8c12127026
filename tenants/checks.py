"""System checks that keep a new table from being forgotten by tenancy."""

from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.db import models

from tenants import ownership
from tenants.row_security import Audited, SameOrganisation

# Tables whose rows are not written to the audit one by one, and why.
NOT_AUDITED = {
    "tenants.AuditEvent": "is the audit",
    "accounts.Session": "changes with every visit; signing in and out are events",
    "admin.LogEntry": "is itself a history",
    "contenttypes.ContentType": "follows the code",
    "auth.Permission": "follows the code",
    "auth.Group": "Django's own table",
    "auth.Group_permissions": "Django's own table",
    "accounts.User_groups": "Django's own table; the change of the person is an event",
    "accounts.RateLimitUse": "counts calls, and is forgotten within minutes",
    "accounts.User_user_permissions": "Django's own table; the change of the person is an event",
    "accounts.SignInAttempt": "lives for minutes; how it ends is an event",
    "accounts.UsedLogoutToken": "lives for minutes; the sign-out is an event",
    "flags.FlagRelease": "is itself a history: who, when and why are in it",
    "flags.FlagPointer": "names the newest release, and changes with each",
    "flags.FlagExposure": "counts how flags are used: an observation, kept for some weeks",
    "market_edge_core.PriceObservation": "a load is one event with the file's hash and counts",
    "market_edge_core.PriceUpload": "a load is one event with the file's hash and counts",
}


@register("tenants")
def every_table_has_an_owner(**_: Any) -> list[CheckMessage]:
    problems: list[CheckMessage] = []
    for model in ownership.all_models():
        problems += _ownership_problems(model) + _key_problems(model) + _audit_problems(model)
    return problems


def _ownership_problems(model: type[models.Model]) -> list[CheckMessage]:
    if ownership.is_global(model) != ownership.has_row_security(model):
        return []
    hint = "Inherit TenantOwned and its Meta, or list the model in tenants/ownership.py with the reason; never both."
    return [Error("The table is neither tenant-owned nor explicitly global, or both.", hint, model, "tenants.E001")]


def _key_problems(model: type[models.Model]) -> list[CheckMessage]:
    if not ownership.has_row_security(model):
        return []
    guarded = {rule.field for rule in model._meta.constraints if isinstance(rule, SameOrganisation)}
    return [
        Error(
            f"{field.name} could lead to another organisation's row.",
            f'Use TenantForeignKey and SameOrganisation(field="{field.name}", ...).',
            model,
            "tenants.E002",
        )
        for field in model._meta.concrete_fields
        if isinstance(field, models.ForeignKey)
        and ownership.has_row_security(field.related_model)
        and (getattr(field, "db_constraint", True) or field.name not in guarded)
    ]


def _audit_problems(model: type[models.Model]) -> list[CheckMessage]:
    is_audited = any(isinstance(rule, Audited) for rule in model._meta.constraints)
    if is_audited != (ownership.label(model) in NOT_AUDITED):
        return []
    hint = "Add Audited(...) to its constraints, or list it in NOT_AUDITED with the reason; never both."
    return [Error("Nobody decided whether the table's changes are audited.", hint, model, "tenants.E003")]
