"""Overrides: the list beside a flag, and the pages of their own."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from modules.flags import actions
from modules.flags.admin.releasing import ReleasingAdmin
from modules.flags.forms import OverrideForm
from modules.flags.models import Flag, FlagOverride
from tenants.administration import related_list


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
