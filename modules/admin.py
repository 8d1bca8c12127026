from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import path
from django.utils import timezone

from accounts.admin import PersonAdmin
from accounts.models import User
from modules import access, actions, registry
from modules.flags.admin.asked import asking
from modules.models import AnalyticsModule, ApplicationGrant, Entitlement
from tenants.admin import OrganisationAdmin
from tenants.administration import ActionAdmin, RelatedList, Way, related_list
from tenants.models import Organisation


class ExplainForm(forms.Form):
    """Whose access, where, to what."""

    person = forms.EmailField(label="Person", help_text="Their e-mail address.")
    organisation = forms.SlugField(label="Organisation", help_text="Its slug, as in /o/lumen-cinemas/.")
    module = forms.ModelChoiceField(AnalyticsModule.objects.order_by("name", "pk"), to_field_name="key")

    def clean_person(self) -> User:
        person = User.objects.with_email(self.cleaned_data["person"]).first()
        if person is None:
            raise ValidationError("Nobody has this address.")
        return person

    def clean_organisation(self) -> Organisation:
        organisation = Organisation.objects.filter(slug=self.cleaned_data["organisation"]).first()
        if organisation is None:
            raise ValidationError("There is no organisation with this slug.")
        return organisation

    def why_flag(self, decision: access.Decision) -> str:
        """Where the module's flag is explained, when that is what closes it."""
        spec = registry.get(decision.module_key)
        if spec is None or decision.deciding is None or decision.deciding.number != access.FLAG_RUNG:
            return ""
        person, organisation = self.cleaned_data["person"], self.cleaned_data["organisation"]
        return asking(person=str(person.public_id), organisation=organisation.slug, flag=spec.flag)

    def decision(self) -> access.Decision:
        chosen = self.cleaned_data
        return access.decide_now(chosen["person"], chosen["organisation"], chosen["module"].key)


@admin.register(AnalyticsModule)
class AnalyticsModuleAdmin(ActionAdmin):
    list_display = ("name", "key", "application", "status", "plan", "is_core", "entitlement_count")
    list_filter = ("application", "status", "plan")
    search_fields = ("name", "key")
    ordering = ("application", "name", "pk")
    readonly_fields = ("key", "application")
    fields = ("name", "key", "application", "description", "status", "plan", "is_core", "reason")

    change_list_template = "admin/modules/analyticsmodule/change_list.html"

    def get_urls(self) -> list[Any]:
        return [
            path("explain-access/", self.admin_site.admin_view(self.explain_access), name="explain_anybodys_access"),
            *super().get_urls(),
        ]

    def explain_access(self, request: HttpRequest) -> HttpResponse:
        """Why may this person open this module there, or why not? For anybody, to those who may see modules."""
        if not self.has_view_permission(request):
            raise PermissionDenied("You may not see modules.")
        form = ExplainForm(request.GET or None)
        decision = form.decision() if form.is_valid() else None
        may_see_flags = request.user.has_perm("flags.view_flag")
        context = {
            **self.admin_site.each_context(request),
            "title": "Why is a module open or closed?",
            "opts": self.model._meta,
            "form": form,
            "decision": decision,
            "why_flag_url": form.why_flag(decision) if decision and may_see_flags else "",
        }
        return TemplateResponse(request, "admin/modules/explain_access.html", context)

    def get_queryset(self, request: HttpRequest) -> QuerySet[AnalyticsModule]:
        return super().get_queryset(request).annotate(entitlements_counted=Count("entitlements"))

    @admin.display(description="entitlements", ordering="entitlements_counted")
    def entitlement_count(self, module: Any) -> int:
        return module.entitlements_counted

    def has_add_permission(self, request: HttpRequest) -> bool:
        # A line comes from the code that brings the module: `manage.py bootstrap` adds it.
        return False

    def store(self, row: AnalyticsModule, *, by: Any, reason: str, is_new: bool) -> None:
        actions.save_module(row, by=by, reason=reason)


@admin.register(Entitlement)
class EntitlementAdmin(ActionAdmin):
    list_display = ("organisation", "module", "starts_at", "ends_at")
    list_filter = ("module", ("organisation", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("organisation", "module")
    search_fields = ("organisation__name", "organisation__slug", "module__name", "module__key")
    autocomplete_fields = ("organisation", "module")
    ordering = ("organisation__name", "module__name", "-starts_at", "pk")
    fields = ("organisation", "module", "starts_at", "ends_at", "configuration", "reason")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return ("organisation", "module") if obj else ()

    def store(self, row: Entitlement, *, by: Any, reason: str, is_new: bool) -> None:
        actions.save_entitlement(row, by=by, reason=reason)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def delete_model(self, request: HttpRequest, obj: Entitlement) -> None:
        actions.remove_entitlement(obj, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Entitlement]) -> None:
        for entitlement in queryset.select_related("organisation", "module"):
            actions.remove_entitlement(entitlement, by=request.user)


@admin.register(ApplicationGrant)
class ApplicationGrantAdmin(ActionAdmin):
    list_display = ("membership", "application", "created_at")
    list_filter = ("application", ("organisation", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("membership__user", "membership__organisation")
    search_fields = ("membership__user__email", "organisation__name")
    autocomplete_fields = ("membership",)
    ordering = ("organisation__name", "membership__user__email", "application", "pk")
    fields = ("membership", "application", "reason")

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return admin.ModelAdmin.has_delete_permission(self, request, obj)

    def store(self, row: ApplicationGrant, *, by: Any, reason: str, is_new: bool) -> None:
        actions.grant_application(row.membership, row.application, by=by, reason=reason)

    def delete_model(self, request: HttpRequest, obj: ApplicationGrant) -> None:
        actions.revoke_application(obj, by=request.user)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ApplicationGrant]) -> None:
        for grant in queryset.select_related("organisation", "membership__user"):
            actions.revoke_application(grant, by=request.user)


def entitlements(organisation: Organisation) -> RelatedList:
    rows = Entitlement.objects.filter(organisation=organisation).select_related("module").order_by("module__name", "pk")
    return related_list("Entitlements", rows, of=organisation, words=_period)


def _period(entitlement: Entitlement) -> str:
    until = f"until {timezone.localtime(entitlement.ends_at):%d %b %Y}" if entitlement.ends_at else "without end"
    return f"{entitlement.module} from {timezone.localtime(entitlement.starts_at):%d %b %Y} {until}"


def flags_for_organisation(organisation: Organisation) -> Way:
    return Way("Which flags are on, and why?", asking(organisation=organisation.slug), "flags.view_flag")


def flags_for_person(person: User) -> Way:
    return Way("Which flags are on, and why?", asking(person=str(person.public_id)), "flags.view_flag")


OrganisationAdmin.related.append(entitlements)
OrganisationAdmin.ways.append(flags_for_organisation)
PersonAdmin.ways.append(flags_for_person)
