from typing import Any

from django.contrib import admin, messages
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django.utils.html import format_html

from modules.flags import actions
from modules.flags.forms import FlagForm, OverrideForm
from modules.flags.models import Flag, FlagOverride
from modules.flags.releases import Refused
from tenants.administration import ActionAdmin, Affected, confirm, related_list
from tenants.models import Organisation


class ModuleFilter(admin.SimpleListFilter):
    """The modules that flags belong to, and those that belong to none."""

    title = "module"
    parameter_name = "module"
    NONE = "-"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        keys = (
            Flag.objects.exclude(module_key="").order_by("module_key").values_list("module_key", flat=True).distinct()
        )
        return [*((key, key) for key in keys), (self.NONE, "none")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Flag]) -> QuerySet[Flag]:
        key = self.value()
        if key is None:
            return queryset
        return queryset.filter(module_key="" if key == self.NONE else key)


class ReleasingAdmin(ActionAdmin):
    """Every save is a release of all flags; where the whole would make no sense, the page says so."""

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **options)
        except Refused as refusal:
            self.message_user(request, f"Not saved: {' '.join(refusal.messages)}", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())


@admin.register(Flag)
class FlagAdmin(ReleasingAdmin):
    form = FlagForm
    list_display = ("key", "name", "state", "module_key", "override_count", "updated_at")
    list_filter = ("is_enabled", "is_killed", "is_archived", ModuleFilter)
    search_fields = ("key", "name", "purpose")
    ordering = ("key", "pk")
    actions = ("kill", "restore", "archive")
    change_form_template = "admin/change_form_with_lists.html"
    fieldsets = (
        (None, {"fields": ("key", "name", "purpose")}),
        (
            "First: off for everybody",
            {
                "fields": ("is_killed", "is_archived"),
                "description": "Kill, archive and restore are actions of the list of flags: they say what they touch.",
            },
        ),
        (
            "Then: when, and on what it depends",
            {"fields": ("window_starts_at", "window_ends_at", "needs", "module_key")},
        ),
        (
            "Then: overrides for one person or organisation (below), and whether it is enabled",
            {"fields": ("is_enabled",)},
        ),
        ("Then: for which sectors", {"fields": ("blocked_sectors", "allowed_sectors")}),
        ("Last: for how many", {"fields": ("percentage", "bucket_by", "salt")}),
        (None, {"fields": ("reason",)}),
    )

    class Media:
        css = {"all": ("flags/admin.css",)}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Flag]:
        return super().get_queryset(request).annotate(overrides_counted=Count("overrides"))

    @admin.display(description="state")
    def state(self, flag: Flag) -> str:
        state = flag.state(at=timezone.now())
        words = f"{flag.rollout / 1000:g} %" if state == "partial" else state
        return format_html('<span class="flag-state flag-{}">{}</span>', state, words)

    @admin.display(description="overrides", ordering="overrides_counted")
    def override_count(self, flag: Any) -> int:
        return flag.overrides_counted

    # What the form asks under these names is shown to those who may look and not change.
    @admin.display(description="rollout")
    def percentage(self, flag: Flag) -> str:
        return f"{flag.rollout / 1000:g} %"

    @admin.display(description="prerequisites")
    def needs(self, flag: Flag) -> str:
        return ", ".join(flag.prerequisites.order_by("key").values_list("key", flat=True))

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """A form that somebody left open must not undo a kill, so the switches are no part of it."""
        switches = ("is_killed", "is_archived", "salt")
        return ("key", *switches) if obj else switches

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        flag = self.get_object(request, object_id)
        lists = [overrides(flag)] if flag else []
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "related_lists": lists})

    def save_model(self, request: HttpRequest, obj: Flag, form: Any, change: bool) -> None:
        if not change or set(form.changed_data) - {"reason"}:
            lists = {name: form.changed_list(name) for name in ("needs", "allowed_sectors", "blocked_sectors")}
            reason = form.cleaned_data["reason"]
            actions.save_flag(obj, by=request.user, reason=reason, fields=form.changed_fields, **lists)

    @admin.action(description="Kill… (off for everybody at once)", permissions=["change"])
    def kill(self, request: HttpRequest, rows: QuerySet[Flag]) -> HttpResponse | None:
        return self._switch(request, rows, "kill", "Kill flags", actions.kill_flag, _turned_off)

    @admin.action(description="Restore… (neither killed nor archived)", permissions=["change"])
    def restore(self, request: HttpRequest, rows: QuerySet[Flag]) -> HttpResponse | None:
        return self._switch(request, rows, "restore", "Restore flags", actions.restore_flag, _turned_back)

    @admin.action(description="Archive… (off for everybody, kept for the record)", permissions=["change"])
    def archive(self, request: HttpRequest, rows: QuerySet[Flag]) -> HttpResponse | None:
        return self._switch(request, rows, "archive", "Archive flags", actions.archive_flag, _turned_off)

    def _switch(
        self, request: HttpRequest, rows: QuerySet[Flag], name: str, title: str, switch: Any, consequence: Any
    ) -> HttpResponse | None:
        organisations = Organisation.objects.count()
        return confirm(
            self,
            request,
            rows,
            action=name,
            title=title,
            affected=[Affected(row.key, [consequence(row, organisations)]) for row in rows],
            run=lambda row, reason: switch(row, by=request.user, reason=reason),
        )


def _turned_off(flag: Any, organisations: int) -> str:
    module = f"; closes the module {flag.module_key} where it needs the flag" if flag.module_key else ""
    return (
        f"is off for everybody in all organisations ({organisations}), past its overrides ({flag.overrides_counted})"
        f"{module}"
    )


def _turned_back(flag: Any, organisations: int) -> str:
    return f"goes back to what the rest of its ladder says, in all organisations ({organisations})"


def overrides(flag: Flag) -> Any:
    rows = FlagOverride.objects.filter(flag=flag).select_related("flag", "organisation", "person").order_by("pk")
    return related_list("Overrides", rows, of=flag, by="flag", words=lambda row: f"{row}: {row.reason}")


@admin.register(FlagOverride)
class FlagOverrideAdmin(ReleasingAdmin):
    form = OverrideForm
    list_display = ("flag", "target", "value", "reason", "author", "starts_at", "expires_at")
    list_filter = ("value", ("flag", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("flag", "organisation", "person", "author")
    search_fields = ("flag__key", "organisation__name", "person__email", "reason")
    autocomplete_fields = ("flag", "organisation", "person")
    ordering = ("flag__key", "pk")
    fields = ("flag", "organisation", "person", "value", "reason", "starts_at", "expires_at")

    @admin.display(description="for")
    def target(self, override: FlagOverride) -> str:
        return str(override.organisation or override.person)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("flag", "organisation", "person") if obj else ()

    def store(self, row: FlagOverride, *, by: Any, reason: str, is_new: bool) -> None:
        actions.save_override(row, by=by)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def delete_model(self, request: HttpRequest, obj: FlagOverride) -> None:
        actions.delete_override(obj, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[FlagOverride]) -> None:
        for override in queryset.select_related("flag", "organisation", "person"):
            actions.delete_override(override, by=request.user)
