"""The form of an override in the admin site: one target, on or off, one of the flag's variants, and a reason."""

from typing import Any, ClassVar

from django import forms
from django.contrib.admin.widgets import AdminRadioSelect
from django.core.exceptions import ValidationError

from modules.flags.drafting import bodies as drafted
from modules.flags.forms import ReleasingForm
from modules.flags.models import FlagOverride, FlagRelease, FlagVariant
from modules.flags.newest import newest_number
from modules.flags.soundness import body_in
from tenants.sturdiness import is_id

ON, OFF = "on", "off"
BY_WEIGHT = "as the weights of its variants choose"
OF_VARIANTS = "Which of its variants they get where it is on."
FLAG_UNKNOWN = "Only for flags with variants. To choose one, choose the flag, press Preview…, then Back to editing."


class OnOffField(forms.TypedChoiceField):
    """On and off as two choices, so that neither is what somebody gets who overlooks them."""

    widget = AdminRadioSelect(attrs={"class": "radiolist"})

    def __init__(self, **options: Any) -> None:
        super().__init__(choices=[(ON, "On"), (OFF, "Off")], coerce=lambda value: value in (True, ON), **options)

    def prepare_value(self, value: Any) -> Any:
        """As a form holds it: rows say true and false."""
        return (ON if value else OFF) if isinstance(value, bool) else value


class OverrideForm(ReleasingForm):
    """Both targets, or neither, are refused by the model's own rules, with their words."""

    reason = forms.CharField(
        max_length=500,
        help_text="Kept with the override, shown to whoever asks why, and in the audit beside your name.",
        widget=forms.TextInput(attrs={"size": 60}),
    )
    value = OnOffField(label="Answer", error_messages={"required": "Choose whether it is on or off for them."})
    variant = forms.ChoiceField(required=False)

    class Meta:
        model = FlagOverride
        fields = ("flag", "organisation", "person", "value", "variant", "reason", "starts_at", "expires_at")
        help_texts: ClassVar[Any] = {
            "starts_at": "From then on; empty: at once.",
            "expires_at": "Until just before then; empty: for good.",
        }

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for name in {"flag", "organisation", "person"} & self.fields.keys():
            _without_ways_out(self.fields[name].widget)
        self.release = newest_number()
        self._offer_variants()
        self.initial.setdefault("opened", self.release)

    def _offer_variants(self) -> None:
        """Of the flag that the override is for, as far as it is known yet."""
        sent = self.data.get("flag", "") if self.is_bound else self.initial.get("flag", "")
        flag = self.instance.flag_id or (sent if is_id(sent) else None)
        rows = FlagVariant.objects.filter(flag=flag).order_by("pk")
        names = list(rows.values_list("name", flat=True)) if flag else []
        field: Any = self.fields["variant"]
        field.choices = [("", BY_WEIGHT), *((name, name) for name in names)]
        field.help_text = OF_VARIANTS if flag else FLAG_UNKNOWN
        # What was sent of another flag's variants stays to be seen, beside its error.
        if flag and not names and not self.data.get("variant"):
            field.widget, self.initial["variant"] = forms.HiddenInput(), ""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.instance.pk and self._was() != self._is():
            self.data: Any = self.data.copy()
            self.data["opened"] = str(self.release)
            raise ValidationError(
                f"Somebody else changed it meanwhile: {self._words()} Send the form again to put yours in its place."
            )
        return cleaned

    def _was(self) -> Any:
        """The override in the release at which the form was opened; as it is now where the form does not say."""
        if self.opened_number in (None, self.release):
            return self._is()
        release = FlagRelease.objects.filter(number=self.opened_number).first()
        body = body_in(release.document, self.instance.flag.key) if release else None
        return self._is() if body is None else self._mine(body)

    def _is(self) -> Any:
        key = self.instance.flag.key
        return self._mine(drafted(key)[key])

    def _mine(self, body: Any) -> Any:
        target = self.instance.organisation or self.instance.person
        public_id = str(target.public_id)
        return next((one for one in body.get("overrides", []) if public_id in one["target"].values()), None)

    def _words(self) -> str:
        stored = self._is()
        state = "on" if stored["on"] else "off"
        return f"it is {state} now, by {stored['author'] or 'the system'}: “{stored['reason']}”."


def _without_ways_out(widget: Any) -> None:
    """The buttons beside a choice open pages that publish by themselves, or leave what was typed."""
    for way in ("add", "change", "delete", "view"):
        setattr(widget, f"can_{way}_related", False)
