"""What our pages in the admin site share: changes go through actions with a reason, dangerous ones are confirmed."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db import IntegrityError, transaction
from django.db.models import DateTimeField, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.http import urlencode

from tenants.sturdiness import SturdyAutocomplete, is_id, without_impossible_choices
from tenants.zoned_times import NamedSplitDateTime, ZonedDateTimeField

logger = logging.getLogger(__name__)
LONGEST_REASON = 500


class ReasonedForm(forms.ModelForm):
    """A form that asks why; the answer is kept in the audit. `refusal` is why what it says was not saved just now."""

    refusal: ClassVar[Any] = None
    reason = forms.CharField(
        max_length=LONGEST_REASON,
        required=False,
        help_text="Why? Kept in the audit beside your name.",
        label="Reason for the change",
    )

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]
        if self.refusal:
            self.add_error(None, self.refusal)


class ActionAdmin(admin.ModelAdmin):
    """Saves through `store`, which calls the action; nothing is deleted unless a subclass says how."""

    form: Any = ReasonedForm
    formfield_overrides: ClassVar[Any] = {
        DateTimeField: {"form_class": ZonedDateTimeField, "widget": NamedSplitDateTime}
    }
    list_per_page = 50
    show_full_result_count = False
    view_on_site = False

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """An address may choose related rows beforehand, and nothing else."""
        given = super().get_changeform_initial_data(request)
        related = {field.name for field in self.model._meta.get_fields() if field.many_to_one}
        return {name: value for name, value in given.items() if name in related and is_id(value)}

    def formfield_for_foreignkey(self, db_field: Any, request: Any, **options: Any) -> Any:
        if db_field.name in self.get_autocomplete_fields(request):
            options["widget"] = SturdyAutocomplete(db_field, self.admin_site)
        return super().formfield_for_foreignkey(db_field, request, **options)

    def response_action(self, request: HttpRequest, queryset: QuerySet, *args: Any, **options: Any) -> Any:
        without_impossible_choices(request)
        return super().response_action(request, queryset, *args, **options)

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        """Where somebody else took what must be unique since the form looked, the page says so and loses nothing."""
        try:
            return super().changeform_view(request, *args, **options)
        except IntegrityError:
            logger.warning("Refused by the database: %s", request.path, exc_info=True)
            request.refusal = "Not saved: somebody saved the same at this moment."  # type: ignore[attr-defined]
            return super().changeform_view(request, *args, **options)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        """Shown again with what was typed and with the refusal, where there was one."""
        form: Any = super().get_form(request, obj, change, **options)
        form.refusal = getattr(request, "refusal", None)
        return form

    def store(self, row: Any, *, by: Any, reason: str, is_new: bool) -> None:
        raise ImproperlyConfigured(f"{type(self).__name__} must say which action saves its rows.")

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if not change or set(form.changed_data) - {"reason"}:
            self.store(obj, by=request.user, reason=form.cleaned_data.get("reason", ""), is_new=not change)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@dataclass(frozen=True)
class Affected:
    """One row that a dangerous action touches, and what that means in words."""

    name: str
    consequences: Sequence[str] = field(default_factory=tuple)


def confirm(
    model_admin: admin.ModelAdmin,
    request: HttpRequest,
    rows: QuerySet,
    *,
    action: str,
    title: str,
    affected: Sequence[Affected],
    run: Callable[[Any, str], Any] | None = None,
    run_all: Callable[[list[Any], str], Any] | None = None,
    say: Callable[[list[Any], Any], str] | None = None,
    form: forms.Form | None = None,
    details: str = "",
    ways_back: Mapping[str, str] | None = None,
) -> HttpResponse | None:
    """Show what an admin action would touch and ask why; once confirmed with a reason, call run(row, reason) for
    each, or run_all(rows, reason): all of them or none. When that is kept, say(rows, answer of run_all) is told.

    `form` asks for more than the reason, and its fields are none of the page's own; `details` is shown below what is
    affected. What the action refuses is said on the page, with nothing changed. Returns the page; when it is done, the
    way back to where somebody came from, or None (back to the list): `ways_back` has the addresses by what the field
    `came_from` says.
    """
    came_from = request.POST.get("came_from", "")
    back = (ways_back or {}).get(came_from, "")
    chosen, is_confirmed = list(rows), bool(request.POST.get("confirmed"))
    reason = request.POST.get("reason", "").replace("\x00", "").strip()
    problems = _obstacles(request, chosen, reason, form) if is_confirmed else []
    if is_confirmed and not problems:
        try:
            answer = _run(chosen, reason, run, run_all)
            model_admin.message_user(request, say(chosen, answer) if say else f"{title}: done for {len(chosen)}.")
            return redirect(back) if back else None
        except ValidationError as refusal:
            problems = [f"Nothing was changed. {words}" for words in refusal.messages]
        except IntegrityError:
            logger.warning("Refused by the database: %s", request.path, exc_info=True)
            problems = ["Nothing was changed: somebody saved the same at this moment."]
    context = {
        **model_admin.admin_site.each_context(request),
        "title": title,
        "action": action,
        "affected": affected,
        "selected": [row.pk for row in chosen],
        "checkbox_name": ACTION_CHECKBOX_NAME,
        "opts": model_admin.model._meta,
        "media": model_admin.media,
        "form": form,
        "details": details,
        "reason": reason,
        "problems": problems,
        "came_from": came_from,
        "back": back,
    }
    return TemplateResponse(request, "admin/confirm_action.html", context)


def _obstacles(request: HttpRequest, chosen: list[Any], reason: str, form: forms.Form | None) -> list[str]:
    """What keeps a confirmed action from being tried."""
    found = []
    if {str(row.pk) for row in chosen} != set(request.POST.getlist(ACTION_CHECKBOX_NAME)):
        found.append("What you chose has changed meanwhile: read again what this touches, and confirm that.")
    if not 0 < len(reason) <= LONGEST_REASON:
        found.append(f"Say why, in at most {LONGEST_REASON} characters: the reason is kept in the audit.")
    if form is not None and not form.is_valid():
        found.append("Correct what is marked below.")
    return found


def _run(chosen: list[Any], reason: str, run: Any, run_all: Any) -> Any:
    with transaction.atomic():
        if run_all is not None:
            return run_all(chosen, reason)
        for row in chosen:
            run(row, reason)
    return None


@dataclass(frozen=True)
class Way:
    """From the page of something to another page about it, for those who have the permission."""

    words: str
    url: str
    permission: str


def ways_from(row: Any, ways: Sequence[Callable[[Any], Way]], request: HttpRequest) -> list[Way]:
    """Those that the reader may go."""
    found = [way(row) for way in ways] if row else []
    return [way for way in found if request.user.has_perm(way.permission)]


@dataclass(frozen=True)
class RelatedList:
    """The first few rows that belong to something, with the way to all of them."""

    title: str
    rows: Sequence[tuple[str, str]]
    total: int
    list_url: str
    add_url: str


def related_list(
    title: str, rows: QuerySet, *, of: Model, words: Callable[[Any], str], by: str = "organisation", length: int = 8
) -> RelatedList:
    """`rows` belong to `of` by their field `by`; two queries whatever their number."""
    options = rows.model._meta
    name = f"{options.app_label}_{options.model_name}"
    shown = [(words(row), reverse(f"admin:{name}_change", args=[row.pk])) for row in rows[:length]]
    where = urlencode({f"{by}__id__exact": of.pk})
    return RelatedList(
        title=title,
        rows=shown,
        total=rows.count(),
        list_url=f"{reverse(f'admin:{name}_changelist')}?{where}",
        add_url=f"{reverse(f'admin:{name}_add')}?{urlencode({by: of.pk})}",
    )
