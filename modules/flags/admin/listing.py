"""The list of flags: the state of each at a glance, filters, and what can be done with several at once."""

from typing import Any

from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html

from modules.flags import actions
from modules.flags.models import Flag
from tenants.administration import Affected, confirm
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


class ListOfFlags(admin.ModelAdmin):
    list_display = ("key", "name", "state", "module_key", "override_count", "updated_at")
    list_filter = ("is_enabled", "is_killed", "is_archived", ModuleFilter)
    search_fields = ("key", "name", "purpose")
    ordering = ("key", "pk")
    actions = ("kill", "restore", "archive")

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
