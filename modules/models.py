"""The catalogue of analytics modules, who is entitled to which, and which person was given which application."""

import json
import uuid
from typing import Any, ClassVar, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from modules import registry
from tenants.models import Membership, Plan, TenantForeignKey, TenantManager, TenantOwned, TenantQuerySet
from tenants.row_security import Audited, NoOverlap, SameOrganisation


class Application(models.TextChoices):
    """A product that a person may be given."""

    MARKET_EDGE = "market_edge", "Market Edge"
    CAUSAL_EDGE = "causal_edge", "Causal Edge"
    VALUE_EDGE = "value_edge", "Value Edge"


class AnalyticsModule(models.Model):
    """One line of the catalogue: a module that the code brings, and whether it is offered."""

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        TESTING = "testing", "Testing (staff only)"
        DEVELOPMENT = "development", "In development"
        DEPRECATED = "deprecated", "Deprecated (still opens)"
        RETIRED = "retired", "Retired"

    key = models.SlugField(max_length=60, unique=True, editable=False)
    name = models.CharField(max_length=120)
    description = models.CharField(max_length=400, blank=True)
    application = models.CharField(max_length=20, choices=Application, editable=False)
    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    plan = models.CharField("plan needed", max_length=20, choices=Plan, default=Plan.BASIC)
    is_core = models.BooleanField("core", default=False, help_text="A core module needs no entitlement.")

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=["active", "testing", "development", "deprecated", "retired"]),
                name="analytics_module_status_is_known",
            ),
            models.CheckConstraint(
                condition=Q(application__in=["market_edge", "causal_edge", "value_edge"]),
                name="analytics_module_application_is_known",
            ),
            models.CheckConstraint(
                condition=Q(plan__in=["basic", "professional", "enterprise"]), name="analytics_module_plan_is_known"
            ),
            Audited(name="analytics_module_is_audited"),
        ]

    def __str__(self) -> str:
        return self.name


class EntitlementQuerySet(TenantQuerySet):
    def current(self, *, at: Any) -> Self:
        return self.filter(Q(ends_at=None) | Q(ends_at__gt=at), starts_at__lte=at)


EntitlementManager = TenantManager.from_queryset(EntitlementQuerySet)


class Entitlement(TenantOwned):
    """An organisation has a module from `starts_at` up to, not including, `ends_at`."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    module = models.ForeignKey(AnalyticsModule, on_delete=models.PROTECT, related_name="entitlements")
    starts_at = models.DateTimeField(default=timezone.now)
    ends_at = models.DateTimeField(null=True, blank=True, help_text="Empty: no end.")
    configuration = models.JSONField(default=dict, blank=True)

    objects: ClassVar[Any] = EntitlementManager()

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.CheckConstraint(
                condition=Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), name="entitlement_ends_after_it_starts"
            ),
            NoOverlap(columns=("organisation_id", "module_id"), name="entitlement_periods_do_not_overlap"),
            Audited(name="entitlement_is_audited"),
        ]

    def __str__(self) -> str:
        return f"{self.module} for {self.organisation}"

    def is_current(self, *, at: Any) -> bool:
        return self.starts_at <= at and (self.ends_at is None or self.ends_at > at)

    def clean(self) -> None:
        super().clean()
        self._require_known_configuration()
        self._require_free_period()

    def _require_known_configuration(self) -> None:
        spec = registry.get(self.module.key) if self.module_id else None
        options = spec.configuration if spec else {}
        if "\\u0000" in json.dumps(self.configuration):
            raise ValidationError({"configuration": "Null characters are not allowed."})
        if not isinstance(self.configuration, dict):
            raise ValidationError({"configuration": 'Expected an object, such as {"option": 1}.'})
        for name, value in self.configuration.items():
            if name not in options:
                known = ", ".join(sorted(options)) or "none"
                raise ValidationError({"configuration": f"“{name}” is not an option of this module (it has: {known})."})
            try:
                options[name](value)
            except (ValueError, TypeError) as problem:
                raise ValidationError({"configuration": f"“{name}”: {problem}"}) from problem

    def _require_free_period(self) -> None:
        if not (self.organisation_id and self.module_id and self.starts_at):
            return
        others = type(self).objects.filter(organisation_id=self.organisation_id, module_id=self.module_id)
        others = others.exclude(pk=self.pk).filter(Q(ends_at=None) | Q(ends_at__gt=self.starts_at))
        if self.ends_at:
            others = others.filter(starts_at__lt=self.ends_at)
        if others.exists():
            raise ValidationError("The organisation already has this module in a part of that period.")


class ApplicationGrant(TenantOwned):
    """A member of an organisation may use an application there."""

    membership = TenantForeignKey(Membership, on_delete=models.CASCADE, related_name="grants")
    application = models.CharField(max_length=20, choices=Application)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            SameOrganisation(field="membership", name="application_grant_membership"),
            models.UniqueConstraint(
                fields=["organisation", "membership", "application"], name="application_grant_is_unique"
            ),
            models.CheckConstraint(
                condition=Q(application__in=["market_edge", "causal_edge", "value_edge"]),
                name="application_grant_application_is_known",
            ),
            Audited(name="application_grant_is_audited"),
        ]

    def __str__(self) -> str:
        return f"{self.get_application_display()} for {self.membership}"
