"""The list of flags: the state of each at a glance, filters and search; what can be done with several is in `bulk`."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html

from modules.flags.admin.bulk import BulkActions
from modules.flags.admin.caveats import caveats
from modules.flags.admin.filters import ModuleFilter, OrganisationFilter, OverridesFilter, OwnerFilter, StateFilter
from modules.flags.admin.standing import is_due, standing
from modules.flags.models import Flag


class ListOfFlags(BulkActions):
    list_display = (
        "flag",
        "state",
        "kind_word",
        "module_key",
        "owner",
        "review",
        "override_count",
        "variant_count",
        "is_visible_to_clients",
        "updated_at",
    )
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
        return super().changelist_view(request, {**(extra_context or {}), "caveats": caveats()})

    @admin.display(description="flag", ordering="key")
    def flag(self, flag: Flag) -> str:
        return format_html('{}<span class="flag-name">{}</span>', flag.key, flag.name)

    @admin.display(description="state", ordering="state_now")
    def state(self, flag: Flag) -> str:
        return render_to_string("admin/flags/_state.html", {"standing": standing(flag, timezone.now())})

    @admin.display(description="kind", ordering="kind")
    def kind_word(self, flag: Flag) -> str:
        return flag.kind

    @admin.display(description="review", ordering="review_date", empty_value="-")
    def review(self, flag: Flag) -> Any:
        if flag.review_date is None:
            return None
        is_late = " flag-late" if is_due(flag, timezone.now()) else ""
        return format_html('<span class="flag-day{}">{}</span>', is_late, f"{flag.review_date:%Y-%m-%d}")

    @admin.display(description="overrides", ordering="overrides_counted")
    def override_count(self, flag: Any) -> int:
        return flag.overrides_counted

    @admin.display(description="variants", ordering="variants_counted")
    def variant_count(self, flag: Any) -> int:
        return flag.variants_counted
