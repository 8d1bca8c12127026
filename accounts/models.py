"""People, their identities and sessions, the invitations that let them in, organisations' client tokens, and how
often callers may call."""

import uuid
from typing import Any, ClassVar, Self

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.sessions.base_session import AbstractBaseSession, BaseSessionManager
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.crypto import salted_hmac

from tenants.models import Membership, Organisation, Role, TenantManager, TenantOwned, TenantQuerySet
from tenants.row_security import Audited


class UserManager(BaseUserManager["User"]):
    """People are made by accepting an invitation or a platform admin's link, never with a password."""

    def with_email(self, email: str) -> models.QuerySet["User"]:
        return self.filter(email__iexact=email)

    def get_by_natural_key(self, email: str | None) -> "User":
        return self.get(email__iexact=email)


class User(AbstractBaseUser, PermissionsMixin):
    """A person, whatever organisations they belong to. They sign in at the provider: there is no password here."""

    password = None  # type: ignore[assignment]
    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField("e-mail address", max_length=254)
    name = models.CharField(max_length=200, blank=True)
    is_active = models.BooleanField(
        "active", default=True, help_text="Off: signed out on the next request, and refused at sign-in."
    )
    is_staff = models.BooleanField("staff", default=False, help_text="May open this admin site.")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    # The provider's name for the session that the person is just signing in with; not kept here.
    provider_session = ""

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        verbose_name = "person"
        verbose_name_plural = "people"
        constraints = [
            models.UniqueConstraint(Lower("email"), name="user_email_is_unique_in_any_case"),
            Audited(name="user_is_audited", ignored=("last_login",)),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def display_name(self) -> str:
        return self.name or self.email

    def get_session_auth_hash(self) -> str:
        """What a session is bound to: there is no password whose change could end it, so the person's own id."""
        return salted_hmac("accounts.User", str(self.public_id), algorithm="sha256").hexdigest()

    def get_session_auth_fallback_hash(self) -> Any:
        return iter(())


class Identity(models.Model):
    """How the provider knows a person: issuer and subject. E-mail addresses change; these do not."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="identities")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name_plural = "identities"
        constraints = [
            models.UniqueConstraint(fields=["issuer", "subject"], name="identity_is_unique"),
            Audited(name="identity_is_audited"),
        ]

    def __str__(self) -> str:
        return f"{self.subject} at {self.issuer}"


class SessionQuerySet(models.QuerySet["Session"]):
    def current(self, *, at: Any) -> Self:
        return self.filter(expire_date__gt=at)

    def of_provider(self, issuer: str, subject: str, provider_session: str) -> Self:
        """Of the person whom the provider calls `subject`, begun with its `provider_session`; one may be empty."""
        found = self.filter(provider_session=provider_session) if provider_session else self
        if not subject:
            return found
        return found.filter(person__identities__issuer=issuer, person__identities__subject=subject)

    def expired(self, *, at: Any) -> Self:
        return self.filter(expire_date__lte=at)

    def signed_in(self) -> Self:
        return self.exclude(person=None)

    def of_members(self, organisation: Organisation) -> Self:
        return self.filter(person__in=Membership.objects.filter(organisation=organisation).values("user"))


SessionManager = BaseSessionManager.from_queryset(SessionQuerySet)


class Session(AbstractBaseSession):
    """One browser's visit, found by the key in its cookie; `person` is empty until somebody has signed in.

    `provider_session` is the provider's name for the session that the person has there (`sid`), where it gives one.
    """

    person = models.ForeignKey(User, on_delete=models.CASCADE, null=True, related_name="sessions")
    provider_session = models.CharField(max_length=255, blank=True, db_index=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    signed_in_at = models.DateTimeField(null=True)

    objects: ClassVar[Any] = SessionManager()

    def save(self, *, force_update: bool = False, **options: Any) -> None:
        """A session is written anew whenever its contents change; when it began stays."""
        if force_update:
            written = [field.name for field in self._meta.concrete_fields if not field.primary_key]
            options["update_fields"] = [name for name in written if name != "created_at"]
        super().save(force_update=force_update, **options)

    @classmethod
    def get_session_store_class(cls) -> Any:
        from accounts.sessions import SessionStore

        return SessionStore


class InvitationQuerySet(TenantQuerySet):
    def for_address(self, email: str) -> "InvitationQuerySet":
        return self.filter(email__iexact=email)

    def open_for(self, email: str, *, at: Any) -> "InvitationQuerySet":
        """Invitations that this address can still accept."""
        return self.filter(email__iexact=email, accepted_at=None, withdrawn_at=None, expires_at__gt=at)


InvitationManager = TenantManager.from_queryset(InvitationQuerySet)


class Invitation(TenantOwned):
    """An address that may enter an organisation with a role, once, until it expires."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField("e-mail address", max_length=254)
    role = models.CharField(max_length=20, choices=Role, default=Role.VIEWER)
    invited_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, editable=False)
    withdrawn_at = models.DateTimeField(null=True, editable=False)

    objects: ClassVar[Any] = InvitationManager()

    class Meta(TenantOwned.Meta):
        constraints = [
            *TenantOwned.Meta.constraints,
            models.UniqueConstraint(
                "organisation",
                Lower("email"),
                condition=Q(accepted_at=None, withdrawn_at=None),
                name="invitation_is_open_once",
                violation_error_message="This address already has an open invitation to the organisation.",
            ),
            models.CheckConstraint(
                condition=Q(role__in=["viewer", "analyst", "admin"]), name="invitation_role_is_known"
            ),
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at")), name="invitation_expires_after_it_is_made"
            ),
            Audited(name="invitation_is_audited"),
        ]

    def __str__(self) -> str:
        return f"{self.email} as {self.role}"

    def state(self, *, at: Any) -> str:
        if self.accepted_at:
            return "accepted"
        if self.withdrawn_at:
            return "withdrawn"
        return "open" if self.expires_at > at else "expired"


class PlatformAdminLink(models.Model):
    """A one-time link that makes the person who signs in with this address a platform superuser."""

    email = models.EmailField("e-mail address", max_length=254)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [Audited(name="platform_admin_link_is_audited", ignored=("token_hash",))]

    def __str__(self) -> str:
        return f"link for {self.email}"

    def is_open(self, *, at: Any) -> bool:
        return self.used_at is None and self.expires_at > at


class ClientTokenQuerySet(models.QuerySet["ClientToken"]):
    def usable(self, *, at: Any) -> Self:
        return self.filter(Q(expires_at=None) | Q(expires_at__gt=at), revoked_at=None)


class ClientToken(models.Model):
    """Lets an organisation's programs read what clients may see of it; nobody is a person by it.

    `last_used_at` is true to some minutes.
    """

    organisation = models.ForeignKey(Organisation, on_delete=models.PROTECT, related_name="client_tokens")
    name = models.CharField(max_length=100, help_text="Where it is used: Website, Nightly report, ...")
    prefix = models.CharField(max_length=12, editable=False)
    token_hash = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(User, on_delete=models.PROTECT, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="Empty: it works until it is revoked.")
    revoked_at = models.DateTimeField(null=True, editable=False)
    last_used_at = models.DateTimeField(null=True, editable=False)

    objects = ClientTokenQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(expires_at=None) | Q(expires_at__gt=F("created_at")),
                name="client_token_expires_after_it_is_made",
            ),
            models.CheckConstraint(
                condition=Q(revoked_at=None) | Q(revoked_at__gte=F("created_at")),
                name="client_token_is_revoked_after_it_is_made",
            ),
            Audited(name="client_token_is_audited", ignored=("token_hash", "last_used_at")),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def state(self, *, at: Any) -> str:
        if self.revoked_at:
            return "revoked"
        return "expired" if self.expires_at and self.expires_at <= at else "usable"


class SignInAttempt(models.Model):
    """A sign-in that went to the provider and has not come back; ten minutes old at most."""

    state_hash = models.CharField(max_length=64, unique=True)
    browser_hash = models.CharField(max_length=64, db_index=True)
    nonce = models.CharField(max_length=64)
    code_verifier = models.CharField(max_length=64)
    next_url = models.CharField(max_length=1000, blank=True)
    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, null=True, related_name="+")
    link_hash = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now, db_index=True)

    def __str__(self) -> str:
        return f"sign-in begun at {self.created_at:%H:%M:%S}"


class UsedLogoutToken(models.Model):
    """A message of the provider that somebody signed out there; each counts once."""

    token_hash = models.CharField(max_length=64, unique=True)
    expires_at = models.DateTimeField(db_index=True)

    def __str__(self) -> str:
        return f"logout token until {self.expires_at:%H:%M:%S}"


class RateLimitUseQuerySet(models.QuerySet["RateLimitUse"]):
    def whole_again(self, *, at: Any) -> Self:
        """Rows that say the same as no row."""
        return self.filter(full_at__lte=at)


class RateLimitUse(models.Model):
    """How far a caller is into a limit: `full_at` is when their allowance is whole again (see `accounts.rates`).

    `key` names nobody: it is a hash under our secret. No index on `full_at`, so that counting rewrites no index.
    """

    key = models.CharField(primary_key=True, max_length=80)
    full_at = models.DateTimeField()

    objects = RateLimitUseQuerySet.as_manager()

    def __str__(self) -> str:
        return self.key
