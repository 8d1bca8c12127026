"""The exchange of a code for tokens: one question, within what is left of the sign-in's time."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings

from accounts import bounded_http
from accounts.bounded_http import Budget, NoAnswer
from accounts.refusals import BAD_TOKEN, PROVIDER_DOWN, PROVIDER_REFUSED, Refused


@dataclass(frozen=True)
class Tokens:
    """`access_token` is only good for checking `at_hash`: nothing is asked with it, and nobody keeps it."""

    id_token: str
    access_token: str

    def __repr__(self) -> str:
        return "Tokens(...)"


def exchange(code: str, verifier: str, budget: Budget) -> Tokens:
    """The tokens for an authorization code; Refused when the provider is down or says no."""
    form = {
        "grant_type": "authorization_code",
        "client_id": settings.OIDC_RP_CLIENT_ID,
        "client_secret": settings.OIDC_RP_CLIENT_SECRET,
        "code": code,
        "code_verifier": verifier,
        "redirect_uri": settings.OIDC_CALLBACK_URL,
    }
    body = _answer(form, budget)
    id_token, access_token = body.get("id_token"), body.get("access_token", "")
    if not isinstance(id_token, str) or not isinstance(access_token, str):
        raise Refused(BAD_TOKEN, "no id_token in the answer")
    return Tokens(id_token, access_token)


def _answer(form: dict[str, str], budget: Budget) -> dict[str, Any]:
    try:
        answer = bounded_http.ask(settings.OIDC_OP_TOKEN_ENDPOINT, budget, form=form)
        if answer.status == 200:
            return answer.json_object()
    except NoAnswer as fault:
        raise Refused(PROVIDER_DOWN, str(fault)) from fault
    is_down = answer.status >= 500 or answer.status == 429
    raise Refused(PROVIDER_DOWN if is_down else PROVIDER_REFUSED, f"status {answer.status}")
