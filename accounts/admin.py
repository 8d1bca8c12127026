from collections.abc import Callable
from datetime import timedelta
from typing import Any, ClassVar

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils import timezone

from accounts import actions, addresses
from accounts.models import ClientToken, Invitation, PlatformAdminLink, User
from tenants.admin import OrganisationAdmin
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
from tenants.models import Membership, Organisation
from tenants.zoned_times import ZonedDateTimeField

PERMISSIONS = ("groups", "user_permissions")
PRIVILEGES = ("is_staff", "is_superuser", *PERMISSIONS)


class PersonForm(ReasonedForm):
    def clean(self) -> dict[str, Any]:
        """The platform is never left without a superuser who can sign in."""
        cleaned = super().clean() or {}
        stays = cleaned.get("is_active", self.instance.is_active) and cleaned.get(
            "is_superuser", self.instance.is_superuser
        )
        if self.instance.pk and not stays and actions.is_last_superuser(self.instance):
            raise ValidationError("This is the last active superuser: make somebody else one first.")
        return cleaned


@admin.register(User)
class PersonAdmin(ActionAdmin):
    form = PersonForm
    list_display = ("email", "name", "is_active", "is_staff", "is_superuser", "membership_count", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser")
    search_fields = ("email", "name")
    ordering = ("email", "pk")
    readonly_fields = ("email", "public_id", "created_at", "last_login", "known_as")
    fieldsets = (
        (None, {"fields": ("email", "name", "is_active")}),
        ("Platform", {"fields": PRIVILEGES}),
        ("Sign-in", {"fields": ("known_as", "last_login", "created_at", "public_id")}),
        (None, {"fields": ("reason",)}),
    )
    actions = ("deactivate", "reactivate")
    change_form_template = "admin/change_form_with_lists.html"
    # Floors above add theirs: the pages about a person that are their own.
    ways: ClassVar[list[Callable[[User], Way]]] = []

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).annotate(memberships_counted=Count("memberships"))

    @admin.display(description="organisations", ordering="memberships_counted")
    def membership_count(self, person: Any) -> int:
        return person.memberships_counted

    @admin.display(description="known at the provider as")
    def known_as(self, person: User) -> str:
        return ", ".join(str(identity) for identity in person.identities.order_by("pk")) or "has never signed in"

    def has_add_permission(self, request: HttpRequest) -> bool:
        # People come in by invitation.
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        """Only a superuser hands out privileges: nobody raises themselves."""
        may_grant = request.user.is_superuser
        return (*self.readonly_fields, *(() if may_grant else PRIVILEGES))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Staff do not edit those who stand above them."""
        if obj is not None and obj.is_superuser and not request.user.is_superuser:
            return False
        return super().has_change_permission(request, obj)

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        shown = {"ways": ways_from(self.get_object(request, object_id), self.ways, request)}
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if set(form.changed_data) - {"reason", *PERMISSIONS}:
            actions.change_person(obj, by=request.user, reason=form.cleaned_data["reason"])

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        """Another superuser stepped down since the form looked."""
        try:
            return super().changeform_view(request, *args, **options)
        except actions.LastSuperuser as refusal:
            self.message_user(request, f"Not saved. {refusal}", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        if set(form.changed_data) & set(PERMISSIONS):
            chosen = {name: form.cleaned_data[name] for name in PERMISSIONS}
            actions.set_permissions(form.instance, **chosen, by=request.user, reason=form.cleaned_data["reason"])

    @admin.action(description="Deactivate… (out on their next click)", permissions=["change"])
    def deactivate(self, request: HttpRequest, rows: QuerySet[User]) -> HttpResponse | None:
        rows = self._below(request, rows)
        affected = [
            Affected(row.email, [f"organisations that the person can no longer enter: {row.memberships_counted}"])  # type: ignore[attr-defined]
            for row in rows
        ]
        return confirm(
            self,
            request,
            rows,
            action="deactivate",
            title="Deactivate people",
            affected=affected,
            run=lambda row, reason: self._deactivate(request, row, reason),
        )

    @admin.action(description="Reactivate…", permissions=["change"])
    def reactivate(self, request: HttpRequest, rows: QuerySet[User]) -> HttpResponse | None:
        rows = self._below(request, rows)
        return confirm(
            self,
            request,
            rows,
            action="reactivate",
            title="Reactivate people",
            affected=[Affected(row.email, ["can sign in again"]) for row in rows],
            run=lambda row, reason: actions.reactivate_person(row, by=request.user, reason=reason),
        )

    def _below(self, request: HttpRequest, rows: QuerySet[User]) -> QuerySet[User]:
        return rows if request.user.is_superuser else rows.filter(is_superuser=False)

    def _deactivate(self, request: HttpRequest, person: User, reason: str) -> None:
        try:
            actions.deactivate_person(person, by=request.user, reason=reason)
        except actions.LastSuperuser:
            self.message_user(request, f"{person} is the last active superuser and stays.", messages.ERROR)


class GroupForm(ReasonedForm):
    class Meta:
        model = Group
        fields = ("name", "permissions")


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(ActionAdmin):
    """Permissions that staff share. For superusers alone: whoever could edit their own group could raise themselves."""

    form = GroupForm
    search_fields = ("name",)
    ordering = ("name", "pk")
    fields = ("name", "permissions", "reason")

    def has_module_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and request.user.is_superuser)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_module_permission(request)

    def save_model(self, request: HttpRequest, obj: Group, form: Any, change: bool) -> None:
        chosen, reason = form.cleaned_data["permissions"], form.cleaned_data["reason"]
        actions.save_group(obj, permissions=chosen, by=request.user, reason=reason)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """The action has saved the permissions already."""


class InvitationForm(ReasonedForm):
    by: ClassVar[Any]
    expires_at = ZonedDateTimeField(initial=lambda: timezone.now() + timedelta(days=settings.INVITATION_DAYS))

    def clean_email(self) -> str:
        if not addresses.is_plain(self.cleaned_data["email"]):
            raise ValidationError(addresses.BEYOND_ASCII)
        return self.cleaned_data["email"]

    def clean_expires_at(self) -> Any:
        if self.cleaned_data["expires_at"] <= timezone.now():
            raise ValidationError("This moment has passed.")
        return self.cleaned_data["expires_at"]

    def clean(self) -> dict[str, Any]:
        """Say what the database would refuse: its rule spans columns that the form does not have."""
        cleaned = super().clean() or {}
        organisation, email = cleaned.get("organisation"), cleaned.get("email")
        if email and not self.by.is_superuser and User.objects.with_email(email).filter(is_staff=True).exists():
            raise ValidationError("Only a superuser gives staff, yourself included, a place in an organisation.")
        if organisation and email:
            same = Invitation.objects.filter(organisation=organisation)
            if same.open_for(email, at=timezone.now()).exists():
                raise ValidationError("This address already has an open invitation to the organisation.")
            if Membership.objects.filter(organisation=organisation, user__email__iexact=email).exists():
                raise ValidationError("This person belongs to the organisation already.")
        return cleaned


@admin.register(Invitation)
class InvitationAdmin(ActionAdmin):
    form = InvitationForm
    list_display = ("email", "organisation", "role", "state", "invited_by", "expires_at")
    list_filter = ("role", "accepted_at", ("organisation", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("organisation", "invited_by")
    search_fields = ("email", "organisation__name")
    autocomplete_fields = ("organisation",)
    ordering = ("-created_at", "pk")
    fields = ("organisation", "email", "role", "expires_at", "reason")
    actions = ("withdraw",)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        form: Any = super().get_form(request, obj, change, **options)
        form.by = request.user
        return form

    @admin.display(description="state")
    def state(self, invitation: Invitation) -> str:
        return invitation.state(at=timezone.now())

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # An invitation is withdrawn and made again, not rewritten.
        return obj is None and super().has_change_permission(request)

    def store(self, row: Invitation, *, by: Any, reason: str, is_new: bool) -> None:
        actions.save_invitation(row, by=by, reason=reason)

    @admin.action(description="Withdraw…", permissions=["change"])
    def withdraw(self, request: HttpRequest, rows: QuerySet[Invitation]) -> HttpResponse | None:
        rows = rows.filter(accepted_at=None, withdrawn_at=None)
        return confirm(
            self,
            request,
            rows,
            action="withdraw",
            title="Withdraw invitations",
            affected=[Affected(str(row), ["can no longer be accepted"]) for row in rows],
            run=lambda row, reason: actions.withdraw_invitation(row, by=request.user, reason=reason),
        )


@admin.register(PlatformAdminLink)
class PlatformAdminLinkAdmin(admin.ModelAdmin):
    """Read only: `manage.py create_platform_admin` makes them."""

    list_display = ("email", "created_at", "expires_at", "used_at")
    fields = ("email", "created_at", "expires_at", "used_at")
    ordering = ("-created_at", "pk")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class ClientTokenForm(ReasonedForm):
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.fields["reason"].required = True

    def clean_expires_at(self) -> Any:
        expires_at = self.cleaned_data["expires_at"]
        if expires_at and expires_at <= timezone.now():
            raise ValidationError("This moment has passed.")
        return expires_at


@admin.register(ClientToken)
class ClientTokenAdmin(ActionAdmin):
    """The token itself is on the page that answers its making, and never again."""

    form = ClientTokenForm
    list_display = ("name", "prefix", "organisation", "state", "expires_at", "last_used_at", "created_by")
    list_filter = (("revoked_at", admin.EmptyFieldListFilter), ("organisation", admin.RelatedOnlyFieldListFilter))
    list_select_related = ("organisation", "created_by")
    search_fields = ("name", "prefix", "organisation__name")
    autocomplete_fields = ("organisation",)
    ordering = ("-created_at", "pk")
    actions = ("revoke",)
    ASKED = ("organisation", "name", "expires_at", "reason")
    TOLD = ("organisation", "name", "prefix", "state", "expires_at", "last_used_at", "created_by", "created_at")

    def get_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.TOLD if obj else self.ASKED

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:
        return self.TOLD if obj else ()

    @admin.display(description="state")
    def state(self, token: ClientToken) -> str:
        return token.state(at=timezone.now())

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # A token is revoked and made again, not rewritten.
        return obj is None and super().has_change_permission(request)

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any) -> Any:
        """The page after it shows the token, so there is no way past that page."""
        only = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().render_change_form(request, {**context, **only}, *args, **options)

    def store(self, row: Any, *, by: Any, reason: str, is_new: bool) -> None:
        row.just_made = actions.make_client_token(row, by=by, reason=reason)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        """No redirect, on whose way the token would have to be kept. Browsers keep no page of the admin site."""
        context = {
            **self.admin_site.each_context(request),
            "title": "Client token made",
            "token": obj.just_made,
            "row": obj,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/accounts/clienttoken/made.html", context)

    @admin.action(description="Revoke… (refused from the next call on)", permissions=["change"])
    def revoke(self, request: HttpRequest, rows: QuerySet[ClientToken]) -> HttpResponse | None:
        rows = rows.filter(revoked_at=None).select_related("organisation")
        return confirm(
            self,
            request,
            rows,
            action="revoke",
            title="Revoke client tokens",
            affected=[Affected(f"{row}, {row.organisation}", [_clients_shut_out(row)]) for row in rows],
            run=lambda row, reason: actions.revoke_client_token(row, by=request.user, reason=reason),
        )


def _clients_shut_out(token: ClientToken) -> str:
    at = token.last_used_at and timezone.localtime(token.last_used_at)
    used = f"last used about {at:%d %b %Y %H:%M %Z}" if at else "never used"
    return f"everything that uses it is refused from its next call on; {used}"


def invitations(organisation: Organisation) -> RelatedList:
    rows = Invitation.objects.filter(organisation=organisation).order_by("-created_at", "pk")
    return related_list(
        "Invitations",
        rows,
        of=organisation,
        words=lambda invitation: f"{invitation} ({invitation.state(at=timezone.now())})",
    )


def client_tokens(organisation: Organisation) -> RelatedList:
    rows = ClientToken.objects.filter(organisation=organisation).order_by("-created_at", "pk")
    return related_list(
        "Client tokens", rows, of=organisation, words=lambda token: f"{token} ({token.state(at=timezone.now())})"
    )


OrganisationAdmin.related += [invitations, client_tokens]
