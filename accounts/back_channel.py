"""Where the provider says that somebody signed out there: their sessions here end too, whatever browser they are in."""

import logging

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from accounts import actions, logout_tokens, signed_tokens
from accounts.bounded_http import Budget
from accounts.refusals import Refused
from accounts.turns import Turns

logger = logging.getLogger(__name__)
LONGEST = 32 * 1024
ASKING = 3.0  # seconds for the provider's keys, where they are not known yet
# Anybody may send something here, so only few at once may make us ask for keys.
turns = Turns(2)


@login_not_required
@never_cache
@csrf_exempt
@require_POST
def back_channel_logout(request: HttpRequest) -> HttpResponse:
    """200 when the message counted, 400 when not, as the specification has it; nobody's session is needed or read."""
    token = _token(request)
    if signed_tokens.is_soon_verified(token):
        return _heard(token)
    with turns.taken(wait=0.5) as is_our_turn:
        return _heard(token) if is_our_turn else _refused("too many at once")


def _heard(token: str) -> HttpResponse:
    try:
        actions.end_provider_sessions(logout_tokens.verified(token, Budget(ASKING)))
    except Refused as refusal:
        return _refused(refusal.detail)
    return HttpResponse(status=200)


def _token(request: HttpRequest) -> str:
    """The one token of a form that is not too long to be read; else nothing, which is no token."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    is_fair = length.isdecimal() and len(length) < 10 and int(length) <= LONGEST
    if not is_fair or request.content_type != "application/x-www-form-urlencoded":
        return ""
    given = request.POST.getlist("logout_token")
    return given[0] if len(given) == 1 else ""


def _refused(detail: str) -> HttpResponse:
    logger.warning("A message that somebody signed out was refused: %s", detail)
    body = {"error": "invalid_request", "error_description": "The logout_token was not accepted."}
    return JsonResponse(body, status=400)
