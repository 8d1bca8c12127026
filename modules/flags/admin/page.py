"""The page of one flag, which reads as its ladder."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from modules.flags import actions
from modules.flags.admin.overrides import overrides
from modules.flags.admin.releasing import ReleasingAdmin
from modules.flags.forms import FlagForm
from modules.flags.models import Flag


class PageOfFlag(ReleasingAdmin):
    form = FlagForm
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
