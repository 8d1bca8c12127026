"""The form of a flag in the admin site: percentages and lists as people write them, reason and prerequisites."""

import re
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from modules.flags.models import FULL_ROLLOUT, Flag, FlagOverride, needing
from tenants.administration import ReasonedForm

THOUSAND = Decimal(1000)


class SectorsField(forms.CharField):
    """UK SIC 2007 codes or their beginnings, with commas between them, as a list."""

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        if isinstance(value, list):
            return value
        return [code for code in re.split(r"[\s,;]+", value or "") if code]

    def has_changed(self, initial: Any, data: Any) -> bool:
        return self.to_python(data) != (initial or [])


class FlagForm(ReasonedForm):
    reason = forms.CharField(
        max_length=500, label="Reason for the change", help_text="Kept in the audit beside your name."
    )
    percentage = forms.DecimalField(
        label="Rollout",
        min_value=0,
        max_value=100,
        max_digits=6,
        decimal_places=3,
        help_text="Percent of organisations or people, up to three decimals. Raising it never switches anybody off.",
    )
    allowed_sectors = SectorsField(
        required=False, help_text="Only these sectors: UK SIC 2007 codes or their beginnings (59140, 55). Empty: all."
    )
    blocked_sectors = SectorsField(required=False, help_text="Never these sectors.")
    needs = forms.ModelMultipleChoiceField(
        Flag.objects.none(),
        required=False,
        label="Prerequisites",
        help_text="Flags that must be on for this one to be on.",
    )

    class Meta:
        model = Flag
        fields = "__all__"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["needs"].queryset = Flag.objects.exclude(pk=self.instance.pk).order_by("key")  # type: ignore[attr-defined]
        rollout = self.instance.rollout if self.instance.pk else FULL_ROLLOUT
        self.initial.setdefault("percentage", Decimal(rollout) / THOUSAND)
        if self.instance.pk:
            self.initial.setdefault("needs", list(self.instance.prerequisites.values_list("pk", flat=True)))

    @property
    def changed_fields(self) -> list[str]:
        """The flag's own fields that were changed, and no others: somebody else may have changed those meanwhile."""
        changed = {"rollout" if name == "percentage" else name for name in self.changed_data}
        return sorted(changed & {field.name for field in Flag._meta.concrete_fields})

    def changed_list(self, name: str) -> Any:
        """None where nobody touched it, for the same reason."""
        return self.cleaned_data[name] if name in self.changed_data else None

    def clean_needs(self) -> Any:
        needs = self.cleaned_data["needs"]
        if self.instance.pk and {flag.pk for flag in needs} & needing(self.instance.pk):
            raise ValidationError("These flags would need each other in a circle.")
        return needs

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "percentage" in cleaned:
            self.instance.rollout = int(cleaned["percentage"] * THOUSAND)
        return cleaned


class OverrideForm(forms.ModelForm):
    """Both targets, or neither, are refused by the model's own rules, with their words."""

    class Meta:
        model = FlagOverride
        fields = ("flag", "organisation", "person", "value", "reason", "starts_at", "expires_at")
