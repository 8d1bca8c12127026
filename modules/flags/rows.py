"""The rows of a flag's form that can be added and removed: its variants, and the steps of its ramp."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms.formsets import TOTAL_FORM_COUNT

from modules.flags.document import VARIANT, moment_text
from modules.flags.models import FULL_ROLLOUT, Flag, FlagVariant, RampStep
from modules.flags.values import text_of, value_of
from tenants.zoned_times import ZonedDateTimeField

THOUSAND = Decimal(1000)
EMPTY_ROWS = 2
MOST_ROWS = 50


class PercentageField(forms.DecimalField):
    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=0, max_value=100, max_digits=6, decimal_places=3, **options)


class VariantForm(forms.Form):
    name = forms.RegexField(
        rf"\A{VARIANT.pattern}\Z", max_length=40, error_messages={"invalid": "Lower-case letters, digits, _ . and -."}
    )
    value = forms.CharField(required=False, strip=False, widget=forms.Textarea(attrs={"rows": 1, "cols": 30}))
    weight = forms.IntegerField(min_value=0, max_value=FULL_ROLLOUT, initial=1)

    def __init__(self, *args: Any, value_type: str, total: int, **options: Any) -> None:
        super().__init__(*args, **options)
        self.value_type, self.total = value_type, total
        if value_type != Flag.ValueType.OBJECT:
            self.fields["value"].widget = forms.TextInput(attrs={"size": 24})

    def clean_value(self) -> Any:
        return value_of(self.cleaned_data["value"], self.value_type)

    @property
    def share(self) -> str:
        """Of all weights, as they stand in the flag."""
        weight = self.initial.get("weight")
        return f"{100 * weight / self.total:.3g} %" if self.total and weight is not None else ""


class StepForm(forms.Form):
    at = ZonedDateTimeField(label="From")
    percentage = PercentageField(label="Percentage")

    def clean_at(self) -> Any:
        """What is shown has no fractions of a second, and leaving it alone changes none."""
        is_kept = "at" in self.initial and "at" not in self.changed_data
        return self.initial["at"] if is_kept else self.cleaned_data["at"]


class Rows(forms.BaseFormSet):
    """Empty rows to fill in are always there, so that it works without JavaScript."""

    @property
    def rows(self) -> list[dict[str, Any]]:
        """What was typed, in its order, without what is empty or removed. Only for valid rows."""
        kept = [form for form in self.forms if form.has_changed() or form.initial]
        return [form.cleaned_data for form in kept if form.cleaned_data and not form.cleaned_data.get("DELETE")]

    def _require_different(self, name: str, words: str) -> None:
        if any(self.errors):
            return
        seen: set[Any] = set()
        for form in self.forms:
            value = form.cleaned_data.get(name)
            if value is None or form.cleaned_data.get("DELETE"):
                continue
            if value in seen:
                form.add_error(name, words)
            seen.add(value)


class VariantRows(Rows):
    def __init__(self, *args: Any, value_type: str, **options: Any) -> None:
        self.value_type = value_type
        total = sum(row["weight"] for row in options.get("initial") or [])
        options["form_kwargs"] = {"value_type": value_type, "total": total}
        super().__init__(*args, **options)

    def clean(self) -> None:
        self._require_different("name", "Another variant has this name.")
        if any(self.errors):
            return
        if self.rows and not sum(row["weight"] for row in self.rows):
            raise ValidationError("Give at least one variant a weight above 0.")
        if not self.rows and self.value_type != Flag.ValueType.BOOLEAN:
            raise ValidationError("A flag of this type needs a variant: it has no other value when it is on.")

    @staticmethod
    def initial_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            {"name": one["name"], "value": text_of(one["value"]), "weight": one["weight"]} for one in body["variants"]
        ]

    def said(self) -> list[dict[str, Any]]:
        """As documents say it."""
        return [{"name": row["name"], "value": row["value"], "weight": row["weight"]} for row in self.rows]

    def made(self) -> list[FlagVariant]:
        return [FlagVariant(name=row["name"], value=row["value"], weight=row["weight"]) for row in self.rows]


class RampRows(Rows):
    def clean(self) -> None:
        self._require_different("at", "Another step is at this time.")

    @staticmethod
    def initial_of(body: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            {"at": datetime.fromisoformat(one["at"]), "percentage": Decimal(one["rollout"]) / THOUSAND}
            for one in body["ramp"]
        ]

    def said(self) -> list[dict[str, Any]]:
        """As documents say it."""
        steps = sorted(self.made(), key=lambda step: step.at)
        return [{"at": moment_text(step.at), "rollout": step.rollout} for step in steps]

    def made(self) -> list[RampStep]:
        return [RampStep(at=row["at"], rollout=int(row["percentage"] * THOUSAND)) for row in self.rows]


def _factory(form: type[forms.Form], rows: type[Rows]) -> Any:
    return forms.formset_factory(
        form, rows, extra=EMPTY_ROWS, can_delete=True, max_num=MOST_ROWS, absolute_max=MOST_ROWS + EMPTY_ROWS
    )


Variants, Ramp = _factory(VariantForm, VariantRows), _factory(StepForm, RampRows)


def with_more(data: Any, prefix: str) -> Any:
    """What was sent, with more empty rows to fill in."""
    more = data.copy()
    name = f"{prefix}-{TOTAL_FORM_COUNT}"
    sent = more.get(name, "")
    more[name] = str(min((int(sent) if sent.isdecimal() and len(sent) < 4 else 0) + EMPTY_ROWS, MOST_ROWS))
    return more
