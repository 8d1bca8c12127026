"""The list of flags: the state of each at a glance, filters and search; what can be done with several is in `bulk`."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html, format_html_join

from modules.flags.admin.bulk import BulkActions
from modules.flags.admin.caveats import caveats
from modules.flags.admin.filters import ModuleFilter, OrganisationFilter, OverridesFilter, OwnerFilter, StateFilter
from modules.flags.admin.standing import counted, day, is_due, standing
from modules.flags.models import Flag


class ListOfFlags(BulkActions):
    list_display = ("flag", "state", "kind_and_module", "review_and_owner", "belongings", "changed")
    list_filter = (
        StateFilter,
        "kind",
        ModuleFilter,
        OwnerFilter,
        "is_visible_to_clients",
        OverridesFilter,
        OrganisationFilter,
    )
    search_fields = ("key", "name", "purpose", "owner")
    search_help_text = "Key, name, purpose or owner"
    ordering = ("key", "pk")

    def get_queryset(self, request: HttpRequest) -> Any:
        rows: Any = super().get_queryset(request)
        return rows.as_of(timezone.now()).counted()

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        return super().changelist_view(request, {"title": "Flags", **(extra_context or {}), "caveats": caveats()})

    @admin.display(description="flag", ordering="key")
    def flag(self, flag: Flag) -> str:
        return _two_lines(flag.key, flag.name)

    @admin.display(description="state", ordering="state_now")
    def state(self, flag: Flag) -> str:
        return render_to_string("admin/flags/_state.html", {"standing": standing(flag, timezone.now())})

    @admin.display(description="kind", ordering="kind")
    def kind_and_module(self, flag: Flag) -> str:
        return _two_lines(flag.kind, flag.module_key)

    @admin.display(description="review", ordering="review_date")
    def review_and_owner(self, flag: Flag) -> str:
        if flag.review_date is None:
            return _two_lines("-", flag.owner)
        is_late = "flag-late" if is_due(flag, timezone.now()) else "flag-day"
        return _two_lines(format_html('<span class="{}">{}</span>', is_late, day(flag.review_date)), flag.owner)

    @admin.display(description="parts", ordering="overrides_counted")
    def belongings(self, flag: Any) -> str:
        numbers = ((flag.overrides_counted, "override"), (flag.variants_counted, "variant"))
        found = [counted(number, what) for number, what in numbers if number]
        found += ["clients see it"] if flag.is_visible_to_clients else []
        return format_html_join("", '<span class="flag-part">{}</span>', ((words,) for words in found)) or "-"

    @admin.display(description="changed", ordering="updated_at")
    def changed(self, flag: Flag) -> str:
        at = timezone.localtime(flag.updated_at)
        short = f"{at:%H:%M}" if at.date() == timezone.localdate() else day(at.date())
        return format_html('<time class="flag-day" datetime="{}">{}</time>', at.isoformat(timespec="seconds"), short)


def _two_lines(first: Any, second: str) -> str:
    return format_html('{}<span class="flag-second">{}</span>', first, second) if second else format_html("{}", first)
