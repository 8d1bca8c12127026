from collections.abc import Callable
from typing import Any, ClassVar

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html

from tenants import actions
from tenants.administration import (
    ActionAdmin,
    Affected,
    ReasonedForm,
    RelatedList,
    Way,
    confirm,
    related_list,
    ways_from,
)
from tenants.models import AuditEvent, Membership, Organisation


def members(organisation: Organisation) -> RelatedList:
    rows = Membership.objects.filter(organisation=organisation).select_related("user").order_by("user__email", "pk")
    return related_list("Members", rows, of=organisation, words=lambda m: f"{m.user} ({m.get_role_display()})")


@admin.register(Organisation)
class OrganisationAdmin(ActionAdmin):
    list_display = ("name", "slug", "industry", "sector", "plan", "status", "member_count")
    list_filter = ("status", "plan", "industry")
    search_fields = ("name", "slug", "sector")
    ordering = ("name", "pk")
    prepopulated_fields = {"slug": ("name",)}
    readonly_fields = ("public_id", "created_at")
    fieldsets = (
        (None, {"fields": ("name", "slug", "industry", "sector", "plan", "status")}),
        ("Sign-in", {"fields": ("auth0_organisation_id",)}),
        ("For support", {"fields": ("public_id", "created_at")}),
        (None, {"fields": ("reason",)}),
    )
    actions = ("suspend", "restore")
    change_form_template = "admin/change_form_with_lists.html"
    # Floors above add theirs: what belongs to an organisation is shown on its page.
    related: ClassVar[list[Callable[[Organisation], RelatedList]]] = [members]
    # And these are the pages about it that are their own.
    ways: ClassVar[list[Callable[[Organisation], Way]]] = []

    def get_queryset(self, request: HttpRequest) -> QuerySet[Organisation]:
        return super().get_queryset(request).annotate(members_counted=Count("memberships"))

    @admin.display(description="members", ordering="members_counted")
    def member_count(self, organisation: Any) -> int:
        return organisation.members_counted

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return {} if obj else self.prepopulated_fields

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        organisation = self.get_object(request, object_id)
        lists = [related(organisation) for related in self.related] if organisation else []
        shown = {"related_lists": lists, "ways": ways_from(organisation, self.ways, request)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def store(self, row: Organisation, *, by: Any, reason: str, is_new: bool) -> None:
        save = actions.create_organisation if is_new else actions.change_organisation
        save(row, by=by, reason=reason)

    @admin.action(description="Suspend… (closes them for all their people)", permissions=["change"])
    def suspend(self, request: HttpRequest, rows: QuerySet[Organisation]) -> HttpResponse | None:
        affected = [
            Affected(row.name, [f"members who can no longer work in it: {row.members_counted}"])  # type: ignore[attr-defined]
            for row in rows
        ]
        return confirm(
            self,
            request,
            rows,
            action="suspend",
            title="Suspend organisations",
            affected=affected,
            run=lambda row, reason: actions.suspend_organisation(row, by=request.user, reason=reason),
        )

    @admin.action(description="Restore…", permissions=["change"])
    def restore(self, request: HttpRequest, rows: QuerySet[Organisation]) -> HttpResponse | None:
        affected = [Affected(row.name, ["its members can work in it again"]) for row in rows]
        return confirm(
            self,
            request,
            rows,
            action="restore",
            title="Restore organisations",
            affected=affected,
            run=lambda row, reason: actions.restore_organisation(row, by=request.user, reason=reason),
        )


class MembershipForm(ReasonedForm):
    by: ClassVar[Any]

    def clean(self) -> dict[str, Any]:
        """Nobody gives themselves a place, or a stronger role in the one that they have."""
        cleaned = super().clean() or {}
        user = cleaned.get("user") or (self.instance.user if self.instance.pk else None)
        if user and user.is_staff and not self.by.is_superuser:
            raise ValidationError("Only a superuser gives staff, yourself included, a place in an organisation.")
        return cleaned


@admin.register(Membership)
class MembershipAdmin(ActionAdmin):
    form = MembershipForm
    list_display = ("user", "organisation", "role", "created_at")
    list_filter = ("role", ("organisation", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("user", "organisation")
    search_fields = ("user__email", "user__name", "organisation__name")
    autocomplete_fields = ("organisation", "user")
    ordering = ("organisation__name", "user__email", "pk")
    fields = ("organisation", "user", "role", "reason")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **options)
        form.by = request.user
        return form

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("organisation", "user") if obj else ()

    def store(self, row: Membership, *, by: Any, reason: str, is_new: bool) -> None:
        actions.save_membership(row, by=by, reason=reason)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def delete_model(self, request: HttpRequest, obj: Membership) -> None:
        actions.remove_membership(obj, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Membership]) -> None:
        for membership in queryset:
            actions.remove_membership(membership, by=request.user)


class WhatFilter(admin.SimpleListFilter):
    """Events alone, unless somebody asks for the row changes below them."""

    title = "what"
    parameter_name = "what"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("rows", "Row changes"), ("all", "Everything")]

    def choices(self, changelist: Any) -> Any:
        first, *others = super().choices(changelist)
        return [{**first, "display": "Events"}, *others]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        kinds = {None: ["event"], "rows": ["row"], "all": ["event", "row"]}
        return queryset.filter(kind__in=kinds.get(self.value(), ["event"]))


@admin.register(AuditEvent)
class AuditEventAdmin(admin.ModelAdmin):
    """Read only: the audit is added to, by the product alone."""

    list_display = ("occurred_at", "action", "actor_email", "organisation", "target", "reason")
    list_filter = (WhatFilter, "occurred_at", "action")
    list_select_related = ("organisation",)
    search_fields = ("=action", "=actor_email", "=request_id", "=target_id", "organisation__name")
    search_help_text = "An action, an address, a request id, a row's id (all exact), or part of an organisation's name."
    date_hierarchy = "occurred_at"
    ordering = ("-occurred_at", "id")
    list_per_page = 50
    show_full_result_count = False
    readonly_fields = ("details",)
    exclude = ("event_id",)

    @admin.display(description="row")
    def target(self, event: AuditEvent) -> str:
        return f"{event.target_table} {event.target_id}".strip()

    @admin.display(description="rows that it changed")
    def details(self, event: AuditEvent) -> str:
        rows = AuditEvent.objects.filter(event_id=event.pk).order_by("occurred_at", "id")[:200]
        text = "\n".join(f"{row.action} {row.target_table} {row.target_id}: {row.data}" for row in rows)
        return format_html("<pre>{}</pre>", text or "none")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
