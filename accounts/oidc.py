"""The sign-in backend: mozilla-django-oidc's, with the checks that it leaves out."""

from typing import Any

from django.http import HttpRequest
from mozilla_django_oidc.auth import OIDCAuthenticationBackend

from accounts import id_tokens, provider, provisioning
from accounts.bounded_http import Budget
from accounts.models import SignInAttempt, User
from accounts.refusals import Refused


class SignInBackend(OIDCAuthenticationBackend):
    """Who enters is decided in `accounts.provisioning`, from the verified id_token alone."""

    def authenticate(
        self,
        request: HttpRequest | None,
        *,
        code: str = "",
        attempt: SignInAttempt | None = None,
        budget: Budget | None = None,
        **others: Any,
    ) -> User | None:
        """The person who signed in at the provider; Refused when anything does not fit."""
        if not code or attempt is None or budget is None:
            return None
        tokens = provider.exchange(code, attempt.code_verifier, budget)
        claims = id_tokens.verified_claims(tokens, budget, nonce=attempt.nonce)
        try:
            person = provisioning.person_for(claims, organisation=attempt.organisation, link_hash=attempt.link_hash)
        except Refused as refusal:
            refusal.who = {"email": claims.email, "subject": claims.subject}
            raise
        person.provider_session = claims.session_id
        return person

    def get_user(self, user_id: Any) -> User | None:
        """Asked on every request: a deactivated person is out on the next one."""
        user = User.objects.filter(pk=user_id).first()
        return user if user and self.user_can_authenticate(user) else None
