"""The sign-in backend: mozilla-django-oidc's, with the checks that it leaves out."""

from typing import Any

from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from accounts import id_tokens, provider, provisioning
from accounts.models import User
from accounts.refusals import Refused


class SignInBackend(OIDCAuthenticationBackend):
    """Who enters is decided in `accounts.provisioning`, from the verified id_token alone."""

    def authenticate(
        self,
        request: HttpRequest | None,
        *,
        code: str = "",
        code_verifier: str = "",
        nonce: str = "",
        link_hash: str = "",
        **others: Any,
    ) -> User | None:
        """The person who signed in at the provider; Refused when anything does not fit."""
        if not code:
            return None
        token = provider.exchange(code, code_verifier)
        claims = id_tokens.verified_claims(token, nonce=nonce)
        try:
            return provisioning.person_for(claims, link_hash=link_hash)
        except Refused as refusal:
            refusal.who = {"email": claims.email, "subject": claims.subject}
            raise

    def get_user(self, user_id: Any) -> User | None:
        """Asked on every request: a deactivated person is out on the next one."""
        user = User.objects.filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None
