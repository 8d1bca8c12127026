"""Organisations, who belongs to them, what a tenant-owned row is, and the audit."""

import uuid
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from tenants import scope
from tenants.row_security import AppendOnlyRowSecurity, Audited, PersonalRowSecurity, RowSecurity


class Plan(models.TextChoices):
    BASIC = "basic", "Basic"
    PROFESSIONAL = "professional", "Professional"
    ENTERPRISE = "enterprise", "Enterprise"

    @property
    def rank(self) -> int:
        return list(Plan).index(self)

    def covers(self, needed: "Plan | str") -> bool:
        return self.rank >= Plan(needed).rank


class Role(models.TextChoices):
    """What a person may do within one organisation; a stronger role can do all that a weaker one can."""

    VIEWER = "viewer", "Viewer"
    ANALYST = "analyst", "Analyst"
    ADMIN = "admin", "Admin"

    @property
    def rank(self) -> int:
        return list(Role).index(self)

    def covers(self, needed: "Role | str") -> bool:
        return self.rank >= Role(needed).rank


class OrganisationQuerySet(models.QuerySet["Organisation"]):
    def in_reading_order(self) -> Self:
        return self.order_by(Lower("name"), "pk")

    def named_like(self, text: str) -> Self:
        return self.filter(Q(name__icontains=text) | Q(slug__icontains=text)) if text else self


class Organisation(models.Model):
    """One tenant: a client, or Zebra Associates itself."""

    class Industry(models.TextChoices):
        CINEMA = "cinema", "Cinema"
        HOTEL = "hotel", "Hotel"
        GYM = "gym", "Gym"
        B2B = "b2b", "Business to business"
        RETAIL = "retail", "Retail"
        DEFAULT = "default", "Other"

    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(max_length=200)
    slug = models.SlugField(
        max_length=80, unique=True, help_text="Names the organisation in addresses, as in /o/lumen-cinemas/."
    )
    industry = models.CharField(max_length=20, choices=Industry, default=Industry.DEFAULT)
    sector = models.CharField(
        max_length=5,
        blank=True,
        validators=[RegexValidator(r"^\d{2,5}$", "Enter a UK SIC 2007 code of two to five digits.")],
        help_text="UK SIC 2007 code, for example 59140 (motion picture projection).",
    )
    plan = models.CharField(max_length=20, choices=Plan, default=Plan.BASIC)
    status = models.CharField(max_length=20, choices=Status, default=Status.ACTIVE)
    auth0_organisation_id = models.CharField("Auth0 organisation id", max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = OrganisationQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(industry__in=["cinema", "hotel", "gym", "b2b", "retail", "default"]),
                name="organisation_industry_is_known",
            ),
            models.CheckConstraint(
                condition=Q(plan__in=["basic", "professional", "enterprise"]), name="organisation_plan_is_known"
            ),
            models.CheckConstraint(
                condition=Q(status__in=["active", "suspended"]), name="organisation_status_is_known"
            ),
            models.CheckConstraint(
                condition=Q(sector="") | Q(sector__regex=r"^\d{2,5}$"), name="organisation_sector_is_digits"
            ),
            models.UniqueConstraint(
                "auth0_organisation_id",
                condition=~Q(auth0_organisation_id=""),
                name="organisation_auth0_id_is_unique",
            ),
            Audited(name="organisation_is_audited"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        return reverse("dashboard", kwargs={"organisation_slug": self.slug})

    @property
    def is_suspended(self) -> bool:
        return self.status == self.Status.SUSPENDED


class TenantQuerySet(models.QuerySet):
    def in_scope(self) -> Self:
        """The rows that the current scope may see; row security would show no others anyway."""
        current = scope.current()
        if current.kind is scope.Kind.NONE:
            raise scope.ScopeRequired(f"Enter a scope before reading {self.model._meta.verbose_name_plural}.")
        if current.kind is scope.Kind.ORGANISATION:
            return self.filter(organisation_id=current.organisation_id)
        return self


class TenantManager(models.Manager):
    """The default manager of tenant-owned rows; `from_queryset` gives it a QuerySet that inherits TenantQuerySet."""

    _queryset_class = TenantQuerySet

    def get_queryset(self) -> Any:
        return super().get_queryset().in_scope()  # type: ignore[attr-defined]


class TenantOwned(models.Model):
    """A row that belongs to one organisation. Models inherit this and its `Meta`, and so cannot forget row security."""

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="%(class)ss")

    objects: ClassVar[Any] = TenantManager()
    unscoped: ClassVar[Any] = models.Manager()

    class Meta:
        abstract = True
        base_manager_name = "unscoped"
        default_manager_name = "objects"
        constraints = [
            RowSecurity(name="%(app_label)s_%(class)s_row_security"),
            models.UniqueConstraint(fields=["organisation", "id"], name="%(app_label)s_%(class)s_organisation_id"),
        ]


class TenantForeignKey(models.ForeignKey):
    """A key to another tenant-owned row; `SameOrganisation` in the model's constraints is its database half."""

    def __init__(self, to: Any, on_delete: Any, **options: Any) -> None:
        options.update(db_constraint=False, db_index=False)
        super().__init__(to, on_delete, **options)


class MembershipQuerySet(TenantQuerySet):
    def with_organisations(self) -> Self:
        return self.select_related("organisation").order_by(Lower("organisation__name"), "pk")


MembershipManager = TenantManager.from_queryset(MembershipQuerySet)


class Membership(TenantOwned):
    """A person in an organisation, with one role."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role, default=Role.VIEWER)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects: ClassVar[Any] = MembershipManager()

    class Meta(TenantOwned.Meta):
        constraints = [
            PersonalRowSecurity(name="membership_row_security"),
            models.UniqueConstraint(fields=["organisation", "id"], name="membership_organisation_id"),
            models.UniqueConstraint(fields=["organisation", "user"], name="membership_is_unique"),
            models.CheckConstraint(
                condition=Q(role__in=["viewer", "analyst", "admin"]), name="membership_role_is_known"
            ),
            Audited(name="membership_is_audited"),
        ]

    def __str__(self) -> str:
        return f"{self.user} in {self.organisation}"


class AuditEvent(models.Model):
    """One thing that happened, or one row that changed because of it. Rows are only ever added.

    An event says who did what and why; its row changes carry its id in `event_id`, written by triggers.
    """

    class Kind(models.TextChoices):
        EVENT = "event", "Event"
        ROW = "row", "Row change"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    occurred_at = models.DateTimeField(default=timezone.now)
    kind = models.CharField(max_length=10, choices=Kind, default=Kind.EVENT)
    action = models.CharField(max_length=80)
    event_id = models.UUIDField(null=True, blank=True)
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="audit_events"
    )
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    actor_email = models.CharField(max_length=254, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    reason = models.TextField(blank=True)
    target_table = models.CharField(max_length=80, blank=True)
    target_id = models.CharField(max_length=80, blank=True)
    data = models.JSONField(default=dict, blank=True)
    is_void = False  # while it is happening: whether nothing has changed, so that there is nothing to tell

    class Meta:
        constraints = [
            AppendOnlyRowSecurity(name="audit_event_row_security"),
            models.CheckConstraint(condition=Q(kind__in=["event", "row"]), name="audit_event_kind_is_known"),
        ]
        indexes = [
            models.Index(fields=["organisation", "-occurred_at"], name="audit_by_organisation"),
            models.Index(fields=["-occurred_at", "id"], name="audit_by_time"),
            models.Index(fields=["event_id"], name="audit_by_event", condition=Q(event_id__isnull=False)),
        ]

    def __str__(self) -> str:
        return f"{self.action} at {self.occurred_at:%Y-%m-%d %H:%M:%S}"
