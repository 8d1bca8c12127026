"""Which tables belong to nobody in particular, why, and what may the web do with them? All others are tenant-owned."""

from dataclasses import dataclass

from django.apps import apps
from django.db import models

from tenants.row_security import RowSecurity

READ = "SELECT"
WRITE = "SELECT, INSERT, UPDATE, DELETE"


@dataclass(frozen=True)
class GlobalTable:
    """`app` and `platform` are the privileges of the two roles; UPDATE (column) allows that column alone."""

    reason: str
    app: str = READ
    platform: str = WRITE


# What the web role need not write, it may only read: nobody makes themselves a superuser from a page.
GLOBAL_TABLES = {
    "tenants.Organisation": GlobalTable("is looked up by slug before any scope exists"),
    "accounts.User": GlobalTable("a person may belong to several organisations", app="SELECT, UPDATE (last_login)"),
    "accounts.User_groups": GlobalTable("belongs to the person"),
    "accounts.User_user_permissions": GlobalTable("belongs to the person"),
    "accounts.Identity": GlobalTable("is looked up by issuer and subject before anybody is known"),
    "accounts.Session": GlobalTable("is found by its key before anybody is known", app=WRITE),
    "accounts.PlatformAdminLink": GlobalTable("makes the first superuser, before any organisation exists"),
    "accounts.ClientToken": GlobalTable(
        "is found by its hash before an organisation is known", app="SELECT, UPDATE (last_used_at)"
    ),
    "accounts.SignInAttempt": GlobalTable(
        "is found by its state before anybody is known", app="SELECT, INSERT, DELETE"
    ),
    "accounts.UsedLogoutToken": GlobalTable("comes from the provider, about anybody", app="SELECT, INSERT, DELETE"),
    "accounts.RateLimitUse": GlobalTable("counts calls before an organisation is chosen", app="SELECT, INSERT, UPDATE"),
    "modules.AnalyticsModule": GlobalTable("the catalogue is the same for all"),
    "flags.Flag": GlobalTable("flags are the platform's"),
    "flags.FlagPrerequisite": GlobalTable("belongs to its flag"),
    "flags.FlagOverride": GlobalTable("is read with its flag, by superusers' choice of target"),
    "flags.FlagVariant": GlobalTable("belongs to its flag"),
    "flags.SectorRule": GlobalTable("belongs to its flag"),
    "flags.RampStep": GlobalTable("belongs to its flag"),
    "flags.FlagRelease": GlobalTable("all flags at one time; rows are only added", platform="SELECT, INSERT"),
    "flags.FlagPointer": GlobalTable("names the newest release of the flags", platform="SELECT, INSERT, UPDATE"),
    # The web's own login counts: it adds and counts up, and changes nothing else of a row.
    "flags.FlagExposure": GlobalTable(
        "flags are used outside of organisations too; only their flusher writes",
        app="SELECT, INSERT, UPDATE (count)",
        platform="SELECT, UPDATE (count), DELETE",
    ),
    "auth.Group": GlobalTable("permissions of staff in the admin site"),
    "auth.Group_permissions": GlobalTable("permissions of staff in the admin site"),
    "auth.Permission": GlobalTable("permissions of staff in the admin site"),
    "contenttypes.ContentType": GlobalTable("describes models"),
    "admin.LogEntry": GlobalTable("the admin site's own history of staff's changes"),
}

# Tables that no model has any more. Until it is stopped, the release before still works with them.
LEAVING = {"django_session": GlobalTable("held the sessions", app=WRITE)}

# Tenant-owned tables whose privileges differ from reading and writing the scope's rows.
TENANT_EXCEPTIONS = {"tenants.AuditEvent": GlobalTable("rows are only added", "SELECT, INSERT", "SELECT, INSERT")}


def label(model: type[models.Model]) -> str:
    return model._meta.label


def is_global(model: type[models.Model]) -> bool:
    return label(model) in GLOBAL_TABLES


def has_row_security(model: type[models.Model]) -> bool:
    return any(isinstance(constraint, RowSecurity) for constraint in model._meta.constraints)


def all_models() -> list[type[models.Model]]:
    """Every model with a table of its own, hidden many-to-many tables included."""
    known = apps.get_models(include_auto_created=True)
    return [model for model in known if model._meta.managed and not model._meta.proxy]


def tenant_models() -> list[type[models.Model]]:
    return [model for model in all_models() if has_row_security(model)]
