"""Feature flags with what belongs to them: variants, rules, overrides; and the releases that processes read."""

import re
import uuid
from typing import Any, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q, Value
from django.utils import timezone

from modules.flags.exposure.hours import HoursOfUse
from modules.flags.states import FlagQuerySet
from tenants.models import Organisation
from tenants.row_security import Audited

FULL_ROLLOUT = 100_000


def require_sectors(value: Any) -> None:
    """A list of UK SIC 2007 prefixes: text of two to five digits."""
    if not isinstance(value, list) or not all(
        isinstance(code, str) and re.fullmatch(r"[0-9]{2,5}", code) for code in value
    ):
        raise ValidationError("Enter UK SIC 2007 codes or their beginnings (two to five digits), such as 59140, 55.")


class Flag(models.Model):
    """A named switch, evaluated for an organisation and a person by one fixed ladder."""

    class BucketBy(models.TextChoices):
        ORGANISATION = "organisation", "Organisation"
        PERSON = "person", "Person"

    class Kind(models.TextChoices):
        RELEASE = "release", "Release: leaves when everybody has it"
        OPS = "ops", "Operations: stays, as a switch"
        ENTITLEMENT = "entitlement", "Entitlement: who gets what"

    class ValueType(models.TextChoices):
        BOOLEAN = "boolean", "On or off"
        STRING = "string", "Text"
        INTEGER = "integer", "Whole number"
        FLOAT = "float", "Number"
        OBJECT = "object", "Object (JSON)"

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    key = models.CharField(
        max_length=80,
        unique=True,
        validators=[RegexValidator(r"^[a-z][a-z0-9_.]*$", "Lower-case letters, digits, underscores and dots.")],
        help_text="The name in code. It cannot be changed afterwards.",
    )
    name = models.CharField(max_length=120)
    purpose = models.TextField(blank=True)
    kind = models.CharField(max_length=20, choices=Kind, default=Kind.RELEASE, db_default="release")
    owner = models.CharField(
        max_length=200, blank=True, db_default="", help_text="The team or person who knows when it may go."
    )
    review_date = models.DateField(null=True, blank=True, help_text="When somebody looks whether it is still needed.")
    value_type = models.CharField(
        "type", max_length=20, choices=ValueType, default=ValueType.BOOLEAN, db_default="boolean"
    )
    off_value = models.JSONField(
        default=bool, db_default=Value(False, models.JSONField()), help_text="What it answers when it is off."
    )
    is_visible_to_clients = models.BooleanField(
        "visible to clients",
        default=False,
        db_default=False,
        help_text="Told to whoever asks from outside: browsers and other programs.",
    )
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
    window_starts_at = models.DateTimeField("on from", null=True, blank=True, help_text="Empty: always.")
    window_ends_at = models.DateTimeField("on until", null=True, blank=True, help_text="Empty: without end.")
    # Rules of sectors are rows; the release before reads them here, and they leave with the next.
    allowed_sectors = models.JSONField(default=list, blank=True, validators=[require_sectors])
    blocked_sectors = models.JSONField(default=list, blank=True, validators=[require_sectors])
    prerequisites = models.ManyToManyField(
        "self", through="FlagPrerequisite", symmetrical=False, blank=True, related_name="needed_by"
    )
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(auto_now=True, editable=False)
    objects = FlagQuerySet.as_manager()

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
            models.CheckConstraint(condition=Q(kind__in=["release", "ops", "entitlement"]), name="flag_kind_is_known"),
            models.CheckConstraint(
                condition=Q(value_type__in=["boolean", "string", "integer", "float", "object"]),
                name="flag_type_is_known",
            ),
            models.CheckConstraint(condition=~Q(salt=""), name="flag_has_a_salt"),
            Audited(name="flag_is_audited", ignored=("updated_at",)),
        ]

    def __str__(self) -> str:
        return self.key


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
    variant = models.CharField(
        max_length=40,
        blank=True,
        db_default="",
        help_text="Which of the flag's variants; empty: as its weights choose.",
    )
    reason = models.CharField(max_length=500)
    starts_at = models.DateTimeField(null=True, blank=True, help_text="Empty: at once.")
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: never.")
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
            models.CheckConstraint(
                condition=Q(variant="") | Q(value=True),
                name="flag_override_chooses_a_variant_when_on",
                violation_error_message="Choose a variant only where the flag is on.",
            ),
            Audited(name="flag_override_is_audited"),
        ]

    def __str__(self) -> str:
        return f"{self.flag} {'on' if self.value else 'off'} for {self.organisation or self.person}"


class FlagVariant(models.Model):
    """One of the values that the flag may have when it is on, and how often; in the order of their making."""

    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="variants")
    name = models.CharField(
        max_length=40, validators=[RegexValidator(r"^[a-z0-9][a-z0-9_.-]*$", "Lower-case letters, digits, _ . and -.")]
    )
    value = models.JSONField()
    weight = models.PositiveIntegerField(
        default=1, validators=[MaxValueValidator(FULL_ROLLOUT)], help_text="Its share of all the weights."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["flag", "name"], name="flag_variant_is_unique"),
            models.CheckConstraint(condition=Q(name__regex=r"^[a-z0-9][a-z0-9_.-]*$"), name="flag_variant_is_a_slug"),
            models.CheckConstraint(condition=Q(weight__lte=100_000), name="flag_variant_weight_is_at_most_all"),
            Audited(name="flag_variant_is_audited"),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.flag}"


class SectorRule(models.Model):
    """The flag is only for a sector, or never for it; a sector is the beginning of a UK SIC 2007 code."""

    class Effect(models.TextChoices):
        ALLOW = "allow", "Only for"
        BLOCK = "block", "Never for"

    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="sector_rules")
    prefix = models.CharField(max_length=5, validators=[RegexValidator(r"^[0-9]{2,5}$", "Two to five digits.")])
    effect = models.CharField(max_length=10, choices=Effect)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["flag", "prefix", "effect"], name="flag_sector_rule_is_unique"),
            models.CheckConstraint(condition=Q(prefix__regex=r"^[0-9]{2,5}$"), name="flag_sector_rule_is_digits"),
            models.CheckConstraint(condition=Q(effect__in=["allow", "block"]), name="flag_sector_rule_is_known"),
            Audited(name="flag_sector_rule_is_audited"),
        ]

    def __str__(self) -> str:
        return f"{self.flag}: {self.effect} {self.prefix}"


class RampStep(models.Model):
    """From `at` on the flag's rollout is this one."""

    flag = models.ForeignKey(Flag, on_delete=models.CASCADE, related_name="ramp_steps")
    at = models.DateTimeField()
    rollout = models.PositiveIntegerField(
        validators=[MaxValueValidator(FULL_ROLLOUT)], help_text="In thousandths of a percent."
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["flag", "at"], name="flag_ramp_step_is_unique"),
            models.CheckConstraint(condition=Q(rollout__lte=100_000), name="flag_ramp_step_is_at_most_all"),
            Audited(name="flag_ramp_step_is_audited"),
        ]

    def __str__(self) -> str:
        return f"{self.flag}: {self.rollout / 1000:g} % from {self.at:%Y-%m-%d %H:%M} UTC"


class FlagReleaseQuerySet(models.QuerySet["FlagRelease"]):
    def that_changed(self, key: str) -> Self:
        """In which the flag says something else than in the release before, or is new, or gone; also those of which
        nobody can tell."""
        return self.filter(Q(changes__contains=[key]) | Q(changes__isnull=True))


class FlagRelease(models.Model):
    """All flags as one document, which is what processes read; rows are only ever added."""

    number = models.PositiveIntegerField(primary_key=True)
    document = models.TextField(help_text="Canonical JSON; its form is told by `format` inside.")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, editable=False, related_name="+"
    )
    author_email = models.CharField(max_length=254, blank=True)
    reason = models.CharField(max_length=500)
    reverts_to = models.PositiveIntegerField(null=True, help_text="The older release whose document this one repeats.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # Written by the database as a release is added.
    changes = models.JSONField(
        null=True,
        editable=False,
        help_text="Keys of flags that say something else than in the release before; none where that cannot be told.",
    )

    objects = FlagReleaseQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(number__gte=1), name="flag_release_counts_from_one"),
            models.CheckConstraint(condition=~Q(reason=""), name="flag_release_has_a_reason"),
            models.CheckConstraint(
                condition=Q(reverts_to=None) | Q(reverts_to__lt=F("number")), name="flag_release_reverts_to_an_older"
            ),
        ]
        indexes = [models.Index(fields=["-created_at"], name="flag_release_by_time")]

    def __str__(self) -> str:
        return f"release {self.number}"


class FlagPointer(models.Model):
    """The one row that names the newest release. Whoever changes flags locks it first, so changes follow each other."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    number = models.PositiveIntegerField(default=0)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(id=1), name="flag_pointer_is_one")]

    def __str__(self) -> str:
        return f"newest: release {self.number}"


class FlagExposure(models.Model):
    """How often a flag gave an answer to an organisation in one hour, by what it answered and the rung that decided.

    The key is text: what was used stays told when the flag is gone. Only `exposure.flushing` writes it.
    """

    hour = models.DateTimeField(help_text="Its beginning.")
    flag_key = models.TextField()
    organisation_public_id = models.UUIDField(
        null=True, help_text="Null outside an organisation; all zeros for those that were not told apart."
    )
    is_on = models.BooleanField()
    variant = models.TextField(help_text='"on" where code asked for no more than that, "off" when it was off.')
    rung = models.PositiveSmallIntegerField(help_text="Of the ladder of flags.")
    count = models.PositiveBigIntegerField()

    objects = HoursOfUse.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["flag_key", "hour", "organisation_public_id", "is_on", "variant", "rung"],
                name="flag_exposure_is_one_row",
                nulls_distinct=False,
            ),
            models.CheckConstraint(
                condition=Q(hour__minute=0, hour__second=0), name="flag_exposure_is_of_a_whole_hour"
            ),
            models.CheckConstraint(condition=Q(count__gte=1), name="flag_exposure_counts_something"),
            models.CheckConstraint(condition=Q(rung__gte=1, rung__lte=11), name="flag_exposure_rung_is_of_the_ladder"),
            models.CheckConstraint(condition=Q(is_on=True) | Q(variant="off"), name="flag_exposure_off_has_no_variant"),
        ]
        indexes = [models.Index(fields=["hour"], name="flag_exposure_by_hour")]

    def __str__(self) -> str:
        return f"{self.flag_key}: {self.count} times {self.variant} from {self.hour:%Y-%m-%d %H:%M} UTC"
