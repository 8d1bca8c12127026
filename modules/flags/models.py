"""Feature flags, and the exceptions that people make to them for one organisation or one person."""

import re
import uuid
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from tenants.models import Organisation
from tenants.row_security import Audited

FULL_ROLLOUT = 100_000


def require_sectors(value: Any) -> None:
    """A list of UK SIC 2007 prefixes: text of two to five digits."""
    if not isinstance(value, list) or not all(
        isinstance(code, str) and re.fullmatch(r"[0-9]{2,5}", code) for code in value
    ):
        raise ValidationError('Enter a list of UK SIC 2007 codes or their beginnings, such as ["59140", "55"].')


class Flag(models.Model):
    """A named switch, evaluated for an organisation and a person by one fixed ladder."""

    class BucketBy(models.TextChoices):
        ORGANISATION = "organisation", "Organisation"
        PERSON = "person", "Person"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    key = models.CharField(
        max_length=80,
        unique=True,
        validators=[RegexValidator(r"^[a-z][a-z0-9_.]*$", "Lower-case letters, digits, underscores and dots.")],
        help_text="The name in code. It cannot be changed afterwards.",
    )
    name = models.CharField(max_length=120)
    purpose = models.TextField(blank=True)
    module_key = models.SlugField(
        "module", max_length=60, blank=True, help_text="Off wherever this module is not entitled."
    )
    is_enabled = models.BooleanField("enabled", default=False)
    is_killed = models.BooleanField("killed", default=False, help_text="Off for everybody, beating every override.")
    is_archived = models.BooleanField("archived", default=False, help_text="Off for everybody, kept for the record.")
    rollout = models.PositiveIntegerField(
        default=FULL_ROLLOUT, validators=[MaxValueValidator(FULL_ROLLOUT)], help_text="In thousandths of a percent."
    )
    bucket_by = models.CharField(max_length=20, choices=BucketBy, default=BucketBy.ORGANISATION)
    salt = models.CharField(max_length=80, editable=False)
    hash_version = models.PositiveSmallIntegerField(default=1, editable=False)
    window_starts_at = models.DateTimeField("on from", null=True, blank=True, help_text="In UTC; empty: always.")
    window_ends_at = models.DateTimeField("on until", null=True, blank=True, help_text="In UTC; empty: without end.")
    allowed_sectors = models.JSONField(default=list, blank=True, validators=[require_sectors])
    blocked_sectors = models.JSONField(default=list, blank=True, validators=[require_sectors])
    prerequisites = models.ManyToManyField(
        "self", through="FlagPrerequisite", symmetrical=False, blank=True, related_name="needed_by"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(rollout__lte=100_000), name="flag_rollout_is_at_most_all"),
            models.CheckConstraint(condition=Q(key__regex=r"^[a-z][a-z0-9_.]*$"), name="flag_key_is_a_slug"),
            models.CheckConstraint(
                condition=Q(bucket_by__in=["organisation", "person"]), name="flag_bucket_by_is_known"
            ),
            models.CheckConstraint(
                condition=Q(window_starts_at=None)
                | Q(window_ends_at=None)
                | Q(window_ends_at__gt=F("window_starts_at")),
                name="flag_window_ends_after_it_starts",
                violation_error_message="“On until” must be later than “on from”.",
            ),
            Audited(name="flag_is_audited", ignored=("updated_at",)),
        ]

    def __str__(self) -> str:
        return self.key

    def state(self, *, at: Any) -> str:
        """What the flag does, in a word or two, for lists."""
        if self.is_archived:
            return "archived"
        if self.is_killed:
            return "killed"
        if self.window_starts_at and self.window_starts_at > at:
            return "scheduled"
        if not self.is_enabled or (self.window_ends_at and self.window_ends_at <= at) or not self.rollout:
            return "off"
        return "on" if self.rollout == FULL_ROLLOUT else "partial"


class FlagPrerequisite(models.Model):
    """`flag` can only be on where `needs` is on."""

    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="needs_rows")
    needs = models.ForeignKey(Flag, on_delete=models.PROTECT, related_name="needed_by_rows")

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["flag", "needs"], name="flag_prerequisite_is_unique"),
            models.CheckConstraint(condition=~Q(flag=F("needs")), name="flag_does_not_need_itself"),
            Audited(name="flag_prerequisite_is_audited"),
        ]

    def __str__(self) -> str:
        return f"{self.flag} needs {self.needs}"


def needing(flag_id: int) -> set[int]:
    """The flag itself and all that need it, directly or through others."""
    reached, waiting = {flag_id}, [flag_id]
    while waiting:
        rows = FlagPrerequisite.objects.filter(needs_id__in=waiting).values_list("flag_id", flat=True)
        waiting = [pk for pk in rows if pk not in reached]
        reached.update(waiting)
    return reached


class FlagOverride(models.Model):
    """The flag's answer for one organisation or one person, with the reason and an optional expiry."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="overrides")
    organisation = models.ForeignKey(
        Organisation, on_delete=models.PROTECT, null=True, blank=True, related_name="flag_overrides"
    )
    person = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="flag_overrides"
    )
    value = models.BooleanField("on", default=True)
    reason = models.CharField(max_length=500)
    starts_at = models.DateTimeField(null=True, blank=True, help_text="In UTC; empty: at once.")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="In UTC; empty: never.")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(organisation=None, person__isnull=False) | Q(organisation__isnull=False, person=None),
                name="flag_override_has_one_target",
                violation_error_message="Choose an organisation or a person, not both and not neither.",
            ),
            models.CheckConstraint(condition=~Q(reason=""), name="flag_override_has_a_reason"),
            models.CheckConstraint(
                condition=Q(starts_at=None) | Q(expires_at=None) | Q(expires_at__gt=F("starts_at")),
                name="flag_override_expires_after_it_starts",
                violation_error_message="The override must expire after it starts.",
            ),
            models.UniqueConstraint(
                fields=["flag", "organisation"],
                condition=Q(organisation__isnull=False),
                name="flag_override_is_unique_for_organisation",
                violation_error_message="This organisation already has an override of the flag.",
            ),
            models.UniqueConstraint(
                fields=["flag", "person"],
                condition=Q(person__isnull=False),
                name="flag_override_is_unique_for_person",
                violation_error_message="This person already has an override of the flag.",
            ),
            Audited(name="flag_override_is_audited"),
        ]

    def __str__(self) -> str:
        return f"{self.flag} {'on' if self.value else 'off'} for {self.organisation or self.person}"
