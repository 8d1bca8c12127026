"""What can be done with several flags at once: each says what it touches, asks why, and is one release or nothing."""

from collections.abc import Callable, Sequence
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.http import urlencode

from modules.flags import actions
from modules.flags.admin.foreseen import foreseen
from modules.flags.admin.obeying import obeyed
from modules.flags.admin.standing import counted
from modules.flags.models import Flag
from tenants.administration import Affected, confirm
from tenants.models import Organisation


class ReviewForm(forms.Form):
    review_date = forms.DateField(
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="When somebody looks at them again.",
    )

    def clean_review_date(self) -> Any:
        day = self.cleaned_data["review_date"]
        if day <= timezone.localdate():
            raise ValidationError("Choose a day that is still to come.")
        return day


class CopyForm(forms.Form):
    """A new key for each flag."""

    def __init__(self, flags: Sequence[Flag], *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        for flag in flags:
            self.fields[self.name_of(flag)] = forms.CharField(
                label=f"Key of the copy of {flag.key}",
                max_length=80,
                initial=f"{flag.key[:75]}_copy",
                validators=Flag._meta.get_field("key").validators,
                widget=forms.TextInput(attrs={"size": 50, "autocomplete": "off", "spellcheck": "false"}),
            )

    @staticmethod
    def name_of(flag: Flag) -> str:
        return f"key_{flag.pk}"

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        seen: set[str] = set()
        for name, key in list(cleaned.items()):
            if key in seen:
                self.add_error(name, "Each copy needs a key of its own.")
            elif Flag.objects.filter(key=key).exists():
                self.add_error(name, "There is a flag of this key already.")
            seen.add(key)
        return cleaned


class BulkActions(admin.ModelAdmin):
    """All the chosen flags change together, in one release and one line of the audit, or none does."""

    actions = ("kill", "restore", "archive", "enable", "disable", "review", "copy")

    @admin.action(description="Kill… (off for everybody at once)", permissions=["change"])
    def kill(self, request: HttpRequest, rows: QuerySet[Flag]) -> HttpResponse | None:
        return self._switch(request, rows, "Kill flags", actions.kill_flags, turned_off)

    @admin.action(description="Restore… (neither killed nor archived)", permissions=["change"])
    def restore(self, request: HttpRequest, rows: QuerySet[Flag]) -> HttpResponse | None:
        return self._switch(request, rows, "Restore flags", actions.restore_flags, turned_back)

    @admin.action(description="Archive… (off for everybody, kept for the record)", permissions=["change"])
    def archive(self, request: HttpRequest, rows: QuerySet[Flag]) -> HttpResponse | None:
        return self._switch(request, rows, "Archive flags", actions.archive_flags, turned_off)

    @admin.action(description="Enable…", permissions=["change"])
    def enable(self, request: HttpRequest, rows: QuerySet[Flag]) -> HttpResponse | None:
        return self._switch(request, rows, "Enable flags", actions.enable_flags, turned_on)

    @admin.action(description="Disable… (off but for overrides)", permissions=["change"])
    def disable(self, request: HttpRequest, rows: QuerySet[Flag]) -> HttpResponse | None:
        return self._switch(request, rows, "Disable flags", actions.disable_flags, paused)

    @admin.action(description="Set review date…", permissions=["change"])
    def review(self, request: HttpRequest, rows: QuerySet[Flag]) -> HttpResponse | None:
        form = ReviewForm(request.POST if request.POST.get("confirmed") else None)

        def run(flags: Sequence[Flag], *, by: Any, reason: str) -> int | None:
            return actions.review_flags(flags, on=form.cleaned_data["review_date"], by=by, reason=reason)

        return self._switch(request, rows, "Set review date", run, reviewed, form=form)

    @admin.action(description="Copy… (under new keys, without overrides)", permissions=["add"])
    def copy(self, request: HttpRequest, rows: QuerySet[Flag]) -> HttpResponse | None:
        form = CopyForm(list(rows), request.POST if request.POST.get("confirmed") else None)

        def run(flags: Sequence[Flag], *, by: Any, reason: str) -> int | None:
            keys = {form.cleaned_data[form.name_of(flag)]: flag for flag in flags}
            return actions.copy_flags(keys, by=by, reason=reason)

        return self._switch(request, rows, "Copy flags", run, copied, form=form)

    def _switch(
        self,
        request: HttpRequest,
        rows: QuerySet[Flag],
        title: str,
        run: Any,
        consequence: Callable[[Any, int], str],
        form: forms.Form | None = None,
    ) -> HttpResponse | None:
        organisations = Organisation.objects.count()
        # What is asked for in a form changes no answer: it is a date, or flags that are not enabled.
        is_foreseen = form is None and not request.POST.get("confirmed")
        return confirm(
            self,
            request,
            rows,
            action=request.POST.get("action", ""),
            title=title,
            affected=[Affected(row.key, [consequence(row, organisations)]) for row in rows],
            run_all=lambda flags, reason: run(flags, by=request.user, reason=reason),
            say=lambda flags, release: done(title, flags, release),
            form=form,
            details=foreseen(lambda: run(list(rows.all()), by=None, reason="a rehearsal")) if is_foreseen else "",
            ways_back={"due": reverse("admin:flags_due")},
        )


def done(title: str, flags: Sequence[Flag], release: int | None) -> str:
    names = ", ".join(flag.key for flag in flags[:5]) + (f" and {len(flags) - 5} more" if len(flags) > 5 else "")
    if release is None:
        return f"{title}: {names}. Nothing was to be changed, and there is no new release."
    return format_html("{}: {}. {}{}", title, names, obeyed(release), undo(flags, release))


def undo(flags: Sequence[Flag], release: int) -> str:
    """The way back to what the release before said, of the one flag or of all; it shows what that changes, and asks."""
    if release == 1:
        return ""
    before = reverse("admin:flags_revert", args=[release - 1])
    of_one = f"?{urlencode({'flag': flags[0].key})}" if len(flags) == 1 else ""
    return format_html(' <a href="{}{}">Undo…</a>', before, of_one)


def turned_off(flag: Any, organisations: int) -> str:
    module = f"; closes the module {flag.module_key} where it needs the flag" if flag.module_key else ""
    return (
        f"is off for everybody in all organisations ({organisations}), past its overrides ({flag.overrides_counted})"
        f"{module}"
    )


def turned_back(flag: Any, organisations: int) -> str:
    return f"goes back to what the rest of its ladder says, in all organisations ({organisations})"


def turned_on(flag: Any, organisations: int) -> str:
    return f"is on for {flag.rollout_now / 1000:g} % of whom its ladder lets pass, in {organisations} organisations"


def paused(flag: Any, organisations: int) -> str:
    return f"is off in all organisations ({organisations}), but for its overrides ({flag.overrides_counted})"


def reviewed(flag: Any, organisations: int) -> str:
    return f"was to be reviewed on {flag.review_date:%Y-%m-%d}" if flag.review_date else "has no review date yet"


def copied(flag: Any, organisations: int) -> str:
    numbers = (
        (flag.variants_counted, "variant"),
        (flag.sectors_counted, "sector"),
        (flag.needs_counted, "prerequisite"),
    )
    parts = ", ".join(counted(number, what) for number, what in numbers if number)
    return f"copied{f' with {parts}' if parts else ''}, without overrides; off until it is enabled"
