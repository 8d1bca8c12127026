"""Plain builders: say only what matters for the test. They work as the owner, past every scope."""

import itertools
from collections.abc import Callable
from datetime import timedelta
from functools import wraps
from typing import Any, TypeVar

from django.db import transaction
from django.utils import timezone

from accounts import client_tokens
from accounts.models import ClientToken, Identity, Invitation, User
from modules.flags import releases
from modules.flags.models import Flag, FlagOverride, SectorRule
from modules.models import AnalyticsModule, Application, ApplicationGrant, Entitlement
from tenants import scope
from tenants.models import Membership, Organisation, Role

Built = TypeVar("Built")
_numbers = itertools.count(1)


def as_owner(build: Callable[..., Built]) -> Callable[..., Built]:
    @wraps(build)
    def built(*args: Any, **options: Any) -> Built:
        with scope.login():
            return build(*args, **options)

    return built


@as_owner
def make_organisation(name: str = "", **fields: Any) -> Organisation:
    number = next(_numbers)
    name = name or f"Organisation {number}"
    fields.setdefault("slug", name.lower().replace(" ", "-"))
    return Organisation.objects.create(name=name, **fields)


@as_owner
def make_user(email: str = "", *, subject: str = "", **fields: Any) -> User:
    """A person; with `subject`, one whom the provider of the settings knows by it."""
    user = User.objects.create(email=email or f"person{next(_numbers)}@example.com", **fields)
    if subject:
        Identity.objects.create(user=user, issuer="https://issuer.example/", subject=subject)
    return user


def make_superuser(**fields: Any) -> User:
    return make_user(is_staff=True, is_superuser=True, **fields)


@as_owner
def make_member(
    organisation: Organisation, role: str = Role.VIEWER, *, user: User | None = None, **fields: Any
) -> User:
    """A person with a seat in the organisation and, unless `applications` says otherwise, all its applications."""
    applications = fields.pop("applications", list(Application))
    user = user or make_user(**fields)
    membership = Membership.unscoped.create(organisation=organisation, user=user, role=role)
    for application in applications:
        ApplicationGrant.unscoped.create(organisation=organisation, membership=membership, application=application)
    return user


@as_owner
def make_module(key: str = "market_edge_core", **fields: Any) -> AnalyticsModule:
    fields.setdefault("name", key.replace("_", " ").capitalize())
    fields.setdefault("application", Application.MARKET_EDGE)
    fields.setdefault("is_core", key.endswith("_core"))
    return AnalyticsModule.objects.create(key=key, **fields)


@as_owner
def make_entitlement(organisation: Organisation, module: AnalyticsModule, **fields: Any) -> Entitlement:
    fields.setdefault("starts_at", timezone.now() - timedelta(days=1))
    return Entitlement.unscoped.create(organisation=organisation, module=module, **fields)


@as_owner
def make_invitation(organisation: Organisation, email: str, **fields: Any) -> Invitation:
    fields.setdefault("expires_at", timezone.now() + timedelta(days=7))
    return Invitation.unscoped.create(organisation=organisation, email=email, **fields)


def offer_market_edge_core() -> AnalyticsModule:
    """The module's catalogue line with everything that opens it; its flag included."""
    make_flag("market_edge_v2", module_key="market_edge_core")
    return make_module("market_edge_core", name="Market prices", is_core=True)


@as_owner
def make_flag(key: str, **fields: Any) -> Flag:
    """A flag that is on for everybody, unless `fields` say otherwise; released."""
    flag = Flag.objects.create(key=key, **{"name": key, "is_enabled": True, "salt": key, **fields})
    for effect, codes in (("allow", flag.allowed_sectors), ("block", flag.blocked_sectors)):
        SectorRule.objects.bulk_create(SectorRule(flag=flag, prefix=code, effect=effect) for code in codes)
    release_flags()
    return flag


@as_owner
def make_override(flag: Flag, **fields: Any) -> FlagOverride:
    override = FlagOverride.objects.create(flag=flag, **{"reason": "a test", **fields})
    release_flags()
    return override


@as_owner
def release_flags() -> None:
    """What was written past the actions becomes a release, and no line in the audit."""
    with transaction.atomic():
        pointer, (document, _) = releases._locked_pointer(), releases.to_publish()
        releases._publish(pointer, document, by=None, reason="a test", reverts_to=None)


@as_owner
def make_client_token(organisation: Organisation, **fields: Any) -> str:
    """The token itself, in the hands of a client of the organisation."""
    secret = client_tokens.new()
    kept = {"prefix": client_tokens.prefix_of(secret), "token_hash": client_tokens.hash_of(secret)}
    ClientToken.objects.create(organisation=organisation, **{"name": "Website", **kept, **fields})
    return secret
