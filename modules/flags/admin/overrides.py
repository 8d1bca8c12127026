"""Overrides: those of a flag on its page, and the pages of their own."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.text import Truncator

from modules.flags import actions, wording
from modules.flags.admin.caveats import unread
from modules.flags.admin.filters import AnswerFilter
from modules.flags.admin.releasing import ReleasingAdmin
from modules.flags.admin.target import Targets, targets_of
from modules.flags.differences import differences
from modules.flags.effects import effects
from modules.flags.models import Flag, FlagOverride
from modules.flags.names import names_between
from modules.flags.override_form import OFF, ON, OverrideForm
from modules.flags.rehearsal import Rehearsal, rehearse
from modules.flags.releases import Refused
from tenants.administration import LONGEST_REASON

SHOWN = 20
LONGEST_WHY = 60
FOR_WHOM = "It is for exactly one of the two: an organisation, for everybody there, or a person, wherever they are."
ITS_ANSWER = (
    "While it is current, this answer holds even where the flag is not enabled, and whatever its sectors and percentage"
    " are. Only these come first, and decide without it: the operator forces the flag, it is killed or archived, it is"
    " outside its window, a prerequisite is off, its module is not entitled. The override of a person beats that of"
    " their organisation."
)
ANSWER: Any = ("Its answer", {"fields": ("value", "variant"), "description": ITS_ANSWER})
ANSWER_IN_WORDS: Any = ("Its answer", {"fields": ("answer",), "description": ITS_ANSWER})


@dataclass(frozen=True)
class Overrides:
    """Of one flag: the first of each kind, and how many there are."""

    people: Sequence[Any] = ()
    organisations: Sequence[Any] = ()
    people_count: int = 0
    organisation_count: int = 0


def overrides_of(flag: Flag | None, *, at: datetime) -> Overrides:
    """Three queries, however many there are."""
    if flag is None:
        return Overrides()
    rows = FlagOverride.objects.filter(flag=flag)
    counts = rows.aggregate(people=Count("person"), organisations=Count("organisation"))
    shown = rows.select_related("organisation", "person", "author", "flag")
    people, organisations = (
        [_with_state(row, at) for row in shown.filter(**{f"{kind}__isnull": False}).order_by(*order, "pk")[:SHOWN]]
        for kind, order in (("person", ["person__email"]), ("organisation", ["organisation__name"]))
    )
    return Overrides(people, organisations, counts["people"], counts["organisations"])


def _with_state(row: Any, at: datetime) -> Any:
    row.state_now = state_of(row, at=at)
    return row


def day_and_time(at: datetime | None, without: str) -> str:
    """For a narrow column."""
    if at is None:
        return without
    local = wording.local(at)
    day, time = f"{local:%d %b %Y}", f"{local:%H:%M %Z}"
    return format_html('<span class="flag-day">{}</span> <span class="flag-second">{}</span>', day, time)


def state_of(override: FlagOverride, *, at: datetime) -> str:
    if override.starts_at and override.starts_at > at:
        return "not started"
    if override.expires_at and override.expires_at <= at:
        return "expired"
    return "current"


@admin.register(FlagOverride)
class FlagOverrideAdmin(ReleasingAdmin):
    form = OverrideForm
    change_form_template = "admin/flags/flagoverride/change_form.html"
    list_display = ("flag", "target", "answer", "state", "starts", "until", "why")
    list_filter = (AnswerFilter, ("flag", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("flag", "organisation", "person", "author")
    search_fields = ("flag__key", "organisation__name", "person__email", "reason")
    autocomplete_fields = ("flag", "organisation", "person")
    ordering = ("flag__key", "pk")
    fieldsets = (
        ("For whom", {"fields": ("flag", "organisation", "person"), "description": FOR_WHOM}),
        ANSWER,
        ("From when to when", {"fields": ("starts_at", "expires_at")}),
        (None, {"fields": ("reason",)}),
    )

    class Media:
        css = {"all": ("flags/admin.css", "flags/editing.css")}

    @admin.display(description="for whom")
    def target(self, override: FlagOverride) -> str:
        return str(override.organisation or override.person)

    @admin.display(description="answer", ordering="value")
    def answer(self, override: FlagOverride) -> str:
        return render_to_string("admin/flags/flagoverride/_answer.html", {"override": override})

    @admin.display(description="state")
    def state(self, override: FlagOverride) -> str:
        return state_of(override, at=timezone.now())

    @admin.display(description="from", ordering="starts_at")
    def starts(self, override: FlagOverride) -> str:
        return day_and_time(override.starts_at, "at once")

    @admin.display(description="until", ordering="expires_at")
    def until(self, override: FlagOverride) -> str:
        return day_and_time(override.expires_at, "for good")

    @admin.display(description="reason, made by", ordering="author__email")
    def why(self, override: FlagOverride) -> str:
        reason = Truncator(override.reason).chars(LONGEST_WHY)
        return format_html('{} <span class="flag-second">{}</span>', reason, self.made_by(override))

    @admin.display(description="made by")
    def made_by(self, override: FlagOverride) -> str:
        return str(override.author or "the system")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        own = list(super().get_fieldsets(request, obj))
        if obj is None:
            return own
        if not self.has_change_permission(request, obj):
            own[own.index(ANSWER)] = ANSWER_IN_WORDS
        return [*own, ("Who and when", {"fields": ("made_by", "created_at", "state")})]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("flag", "organisation", "person", "answer", "made_by", "created_at", "state") if obj else ()

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """An address may choose the answer too."""
        value = request.GET.get("value")
        return super().get_changeform_initial_data(request) | ({"value": value} if value in (ON, OFF) else {})

    def told_of_target(self, row: FlagOverride, rehearsal: Rehearsal) -> Targets:
        return targets_of(row, rehearsal, at=timezone.now())

    def release(self, row: FlagOverride, form: Any, *, by: Any) -> None:
        actions.save_override(row, by=by)

    def address_after(self, row: FlagOverride) -> str:
        return reverse("admin:flags_flag_change", args=[row.flag_id])

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """One by one, each with its reason."""
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def delete_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """For whom the answer changes, why, and only then."""
        override = self.get_object(request, object_id)
        if override is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)  # type: ignore[attr-defined]
        if not self.has_delete_permission(request, override):
            raise PermissionDenied("You may not delete overrides.")
        address, reason = self.address_after(override), request.POST.get("reason", "").replace("\x00", "").strip()
        is_reason_given = 0 < len(reason) <= LONGEST_REASON
        if request.method == "POST" and is_reason_given and self._is_deleted(request, override, reason):
            return HttpResponseRedirect(address)
        return self._deletion_page(
            request,
            override,
            address,
            reason=reason,
            is_reason_missing=request.method == "POST" and not is_reason_given,
        )

    def _is_deleted(self, request: HttpRequest, override: FlagOverride, reason: str) -> bool:
        """Or else why not, in a message."""
        words = str(override)
        try:
            actions.delete_override(_copy_of(override), by=request.user, reason=reason)
        except Refused as refusal:
            self.message_user(request, f"Nothing was deleted: {' '.join(refusal.messages)}", messages.ERROR)
            return False
        self.message_user(request, f"Deleted: {words}.", messages.SUCCESS)
        return True

    def _deletion_page(self, request: HttpRequest, override: FlagOverride, address: str, **typed: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": "Delete the override?",
            "subtitle": str(override),
            "opts": self.opts,
            "override": override,
            "address": address,
            "media": self.media,
            **typed,
            **self._told_of_deletion(request, _copy_of(override)),
        }
        return TemplateResponse(request, "admin/flags/flagoverride/delete.html", context)

    def _told_of_deletion(self, request: HttpRequest, copy: FlagOverride) -> dict[str, Any]:
        """What it would do, or why it would be refused."""
        try:
            told = rehearse(lambda: actions.delete_override(copy, by=request.user, reason="a rehearsal"))
        except Refused as refusal:
            return {"problems": refusal.messages}
        return {
            "differences": differences(told.before, told.after, names_between(told.before, told.after)),
            "caveats": unread(told.number, told.held),
            "targets": self.told_of_target(copy, told),
            "effects": effects(told.before, told.after, at=timezone.now()),
        }


def _copy_of(override: FlagOverride) -> FlagOverride:
    """Deleting takes the key away from the row that is used for it, whatever becomes of that."""
    return FlagOverride.objects.select_related("flag", "organisation", "person").get(pk=override.pk)
