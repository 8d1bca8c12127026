"""A sign-in under way: a row under its state, which only the browser that began it finds again, and once.

Each has a cookie of its own. Kept in the session, attempts that begin at the same moment would overwrite each other,
and two tabs without a session would each bring their own.
"""

import re
import secrets
import time
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from accounts.actions import hash_of
from accounts.models import SignInAttempt
from tenants.models import Organisation

LIFETIME = 600
MOST = 10


@dataclass(frozen=True, repr=False)
class Begun:
    """What goes to the provider in the question, and `secret` to the browser."""

    state: str
    nonce: str
    code_verifier: str
    secret: str


def begin(*, next_url: str, organisation: Organisation | None, link_hash: str) -> Begun:
    _forget_old_ones()
    begun = Begun(*(secrets.token_urlsafe(48) for _ in range(4)))
    SignInAttempt.objects.create(
        state_hash=hash_of(begun.state),
        browser_hash=hash_of(begun.secret),
        nonce=begun.nonce,
        code_verifier=begun.code_verifier,
        next_url=next_url,
        organisation=organisation,
        link_hash=link_hash,
    )
    return begun


def give_cookie(request: HttpRequest, response: HttpResponse, begun: Begun) -> None:
    """Bind the attempt to this browser; beyond the most that may be pending, its oldest ones end."""
    pending = sorted(_cookies(request), key=lambda name: _began(request, name))
    for name in pending[: max(0, len(pending) - MOST + 1)]:
        SignInAttempt.objects.filter(browser_hash=_browser_hash(request, name)).delete()
        response.delete_cookie(name, samesite="Lax")
    response.set_cookie(
        _cookie_name(begun.state),
        f"{int(time.time())}.{begun.secret}",
        max_age=LIFETIME,
        secure=settings.SECURE_COOKIES,
        httponly=True,
        samesite="Lax",
    )


def take_cookie(request: HttpRequest, response: HttpResponse) -> None:
    name = _cookie_name(request.GET.get("state", ""))
    if name in request.COOKIES:
        response.delete_cookie(name, samesite="Lax")


def find(request: HttpRequest) -> SignInAttempt | None:
    """The attempt that the callback belongs to; None when it is unknown, used, another browser's or too old."""
    state = request.GET.get("state", "")
    attempts = SignInAttempt.objects.select_related("organisation").filter(
        state_hash=hash_of(state), browser_hash=_browser_hash(request, _cookie_name(state))
    )
    return attempts.filter(created_at__gt=_oldest()).first()


def spend(attempt: SignInAttempt) -> bool:
    """Whether it was still there to be spent: of two callbacks that come at once, one gets it."""
    deleted, _ = SignInAttempt.objects.filter(pk=attempt.pk).delete()
    return deleted == 1


def _forget_old_ones() -> None:
    SignInAttempt.objects.filter(created_at__lte=_oldest()).delete()


def _oldest() -> datetime:
    return timezone.now() - timedelta(seconds=LIFETIME)


def _prefix() -> str:
    return f"{settings.COOKIE_PREFIX}attempt-"


def _cookie_name(state: str) -> str:
    return f"{_prefix()}{hash_of(state)[:16]}"


def _cookies(request: HttpRequest) -> list[str]:
    """Of names that we gave: others could not even be deleted."""
    ours = re.compile(f"{_prefix()}[0-9a-f]{{16}}")
    return [name for name in request.COOKIES if ours.fullmatch(name)]


def _began(request: HttpRequest, name: str) -> int:
    moment = request.COOKIES[name].partition(".")[0]
    return int(moment) if moment.isdecimal() and len(moment) < 15 else 0


def _browser_hash(request: HttpRequest, name: str) -> str:
    return hash_of(request.COOKIES.get(name, "").partition(".")[2])
