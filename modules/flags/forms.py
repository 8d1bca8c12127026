"""The form of a flag in the admin site: percentages, lists and values as people write them, and what it changes."""

import re
from functools import cached_property
from itertools import chain
from typing import Any, ClassVar

from django import forms
from django.contrib.admin.widgets import AdminTextareaWidget
from django.core.exceptions import ValidationError
from django.forms.utils import ErrorDict

from modules.flags.editing import FORM_FIELDS, LISTS, opened_at, said, shown
from modules.flags.merging import Merge, merge
from modules.flags.models import Flag, needing
from modules.flags.population import module_keys
from modules.flags.rows import THOUSAND, PercentageField, Ramp, RampRows, VariantRows, Variants
from modules.flags.values import value_of
from tenants.administration import ReasonedForm

ROWS = ("variants", "ramp")
OWN = {part: name for part, name in FORM_FIELDS.items() if part not in ("needs", *ROWS)}
MODEL_FIELDS = {"percentage": "rollout"}


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


class ReleasingForm(ReasonedForm):
    """Says at which release it was opened. `is_shown_again`: what was typed is shown again, not judged."""

    is_shown_again: ClassVar[bool] = False
    opened = forms.CharField(required=False, widget=forms.HiddenInput)

    @property
    def opened_number(self) -> int | None:
        """None where it does not say, and where it is just opened."""
        sent = self.data.get("opened", "") if self.is_bound else ""
        return int(sent) if sent.isdecimal() and len(sent) < 10 else None

    def is_valid(self) -> bool:
        is_valid = super().is_valid()
        if self.is_shown_again:
            self._errors = ErrorDict()
        return is_valid and not self.is_shown_again


class FlagForm(ReleasingForm):
    """Compared with what it showed when it was opened, so that what others changed meanwhile stays (`merge`)."""

    reason = forms.CharField(
        max_length=500,
        label="Reason for the change",
        help_text="Kept with the release and in the audit, beside your name.",
        widget=forms.TextInput(attrs={"size": 60}),
    )
    purpose = forms.CharField(required=False, widget=AdminTextareaWidget(attrs={"rows": 3}))
    percentage = PercentageField(
        label="Rollout",
        help_text="Percent of organisations or people, up to three decimals. Raising it never switches anybody off.",
    )
    module_key = forms.ChoiceField(
        required=False, label="Module", help_text="Off wherever this module is not entitled."
    )
    off_value = forms.CharField(
        required=False,
        strip=False,
        label="Value when off",
        help_text="Of its type: on or off, plain text, a number; JSON for an object only.",
        widget=forms.TextInput(attrs={"size": 40}),
    )
    allowed_sectors = SectorsField(
        required=False,
        help_text="Only these: UK SIC 2007 codes or their beginnings, such as 59140 (cinemas), 55 (hotels and other"
        " accommodation), 93130 (gyms), 47 (retailers). Empty: all.",
        widget=forms.TextInput(attrs={"size": 60}),
    )
    blocked_sectors = SectorsField(
        required=False, help_text="Never these. Empty: none.", widget=forms.TextInput(attrs={"size": 60})
    )
    needs = forms.ModelMultipleChoiceField(
        Flag.objects.none(),
        required=False,
        label="Prerequisites",
        help_text="Flags that must be on for this one to be on.",
        widget=forms.CheckboxSelectMultiple,
    )

    class Meta:
        model = Flag
        fields = "__all__"

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.state = opened_at(self.instance, self.opened_number)
        self.merge = Merge(frozenset())
        flags = Flag.objects.exclude(pk=self.instance.pk).order_by("key")
        self.fields["needs"].queryset = flags  # type: ignore[attr-defined]
        self.fields["module_key"].choices = self._modules()  # type: ignore[attr-defined]
        for name in {"kind", "value_type", "bucket_by"} & self.fields.keys():
            self.fields[name].required = False
        self.initial = {**self._initial(), **(options.get("initial") or {})}
        self.variants = self._rows(Variants, "variants", VariantRows, value_type=self._value_type())
        self.ramp = self._rows(Ramp, "ramp", RampRows)

    def _value_type(self) -> str:
        sent = self.data.get("value_type") if self.is_bound else ""
        return sent if sent in Flag.ValueType.values else self.state.body["value_type"]

    def _modules(self) -> list[tuple[str, str]]:
        keys = {*module_keys(), self.state.theirs["module"], self.state.body["module"]} - {""}
        return [("", "none: for every organisation"), *((key, key) for key in sorted(keys))]

    def _initial(self) -> dict[str, Any]:
        keys = self.state.body["needs"]
        needs = list(Flag.objects.filter(key__in=keys).values_list("pk", flat=True)) if keys else []
        opened = self.opened_number
        return {**shown(self.state.body), "needs": needs, "opened": self.state.release if opened is None else opened}

    def _rows(self, factory: Any, prefix: str, rows: Any, **options: Any) -> Any:
        """Bound where the form brought them."""
        data = self.data if self.is_bound and f"{prefix}-TOTAL_FORMS" in self.data else None
        return factory(data, prefix=prefix, initial=rows.initial_of(self.state.body), **options)

    def clean_kind(self) -> str:
        return self.cleaned_data["kind"] or self.state.body["kind"]

    def clean_value_type(self) -> str:
        return self.cleaned_data["value_type"] or self.state.body["value_type"]

    def clean_bucket_by(self) -> str:
        return self.cleaned_data["bucket_by"] or self.state.body["bucket_by"]

    def clean_needs(self) -> Any:
        needs = self.cleaned_data["needs"]
        if self.instance.pk and {flag.pk for flag in needs} & needing(self.instance.pk):
            raise ValidationError("These flags would need each other in a circle.")
        return needs

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        self._clean_off_value(cleaned)
        for rows in (self.variants, self.ramp):
            if rows.is_bound and not rows.is_valid():
                self.add_error(None, _faults_of(rows))
        if not self.errors:
            self._merge(cleaned)
            self.instance.rollout = int(cleaned["percentage"] * THOUSAND)
        return cleaned

    def _clean_off_value(self, cleaned: dict[str, Any]) -> None:
        text = cleaned.get("off_value", "")
        if not text and self._value_type() == Flag.ValueType.BOOLEAN:
            text = "off"
        try:
            cleaned["off_value"] = value_of(text, self._value_type())
        except ValidationError as fault:
            self.add_error("off_value", fault)

    def _merge(self, cleaned: dict[str, Any]) -> None:
        """Find what to write; what somebody else changed meanwhile takes the place of what nobody touched here."""
        self.merge = merge(
            self.state.body, self.state.theirs, self._mine(cleaned), choices=self._choices(), by=self.state.by
        )
        if not self.merge.is_settled:
            self.add_error(None, "Somebody else changed the same meanwhile. Choose what holds, at the top of the form.")
        theirs = shown(self.state.theirs) | {"off_value": self.state.theirs["off_value"]}
        if self.instance.pk:
            cleaned.update({name: theirs[name] for part, name in OWN.items() if part not in self.merge.changes})

    def _mine(self, cleaned: dict[str, Any]) -> dict[str, Any]:
        """What the form says; what Django finds unchanged is as it was, to the fraction of a second."""
        opened, mine = self.state.body, said(cleaned)
        kept = [part for part, name in FORM_FIELDS.items() if part in mine and name not in self.changed_data]
        mine |= {part: opened[part] for part in kept if part != "off_value"}
        return mine | {rows.prefix: rows.said() for rows in (self.variants, self.ramp) if rows.is_bound}

    def _choices(self) -> dict[str, str]:
        """What was chosen where both changed the same; a choice holds for the release that it was made at."""
        made = {part: self.data.get(f"choice-{part}", "").partition("@") for part in FORM_FIELDS}
        return {part: choice for part, (choice, _, at) in made.items() if at == str(self.state.release)}

    @cached_property
    def changed_fields(self) -> list[str]:
        """The flag's own fields that were changed, and no others: somebody else may have changed those meanwhile."""
        names = (OWN[part] for part in self.merge.changes if part in OWN and part not in LISTS)
        return sorted(MODEL_FIELDS.get(name, name) for name in names)

    @property
    def changed_lists(self) -> dict[str, Any]:
        """None for those that nobody touched, for the same reason."""
        made = {name: self.cleaned_data[name] for name in ("needs", "allowed_sectors", "blocked_sectors")}
        made |= {rows.prefix: rows.made() for rows in (self.variants, self.ramp) if rows.is_bound}
        return {name: made[name] if name in self.merge.changes else None for name in LISTS}

    @property
    def media(self) -> Any:
        return super().media + self.variants.media + self.ramp.empty_form.media


def _faults_of(rows: Any) -> list[str]:
    """Which row, and what is wrong with it; each field says the same in its place."""
    faults = [
        f"Row {number} of the {rows.prefix}: {words}"
        for number, form in enumerate(rows.forms, start=1)
        for words in chain.from_iterable(form.errors.values())
    ]
    return faults or [str(words) for words in rows.non_form_errors()]
