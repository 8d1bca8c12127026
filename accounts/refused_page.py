"""How a refusal reaches its page: in a signed cookie, so that neither code nor state stays in the address.

Not in the session: who is refused has none, and who is signed in meanwhile keeps theirs as it is.
"""

from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from accounts.refusals import BY_CODE, Refusal
from tenants import request_id

KEPT = 300
SALT = "accounts.refused_page"


@dataclass(frozen=True)
class Told:
    refusal: Refusal
    incident: str
    next_url: str


def lead_to(refusal: Refusal, next_url: str = "") -> HttpResponse:
    """To the page that says why, with the id under which the log has more, and where the person wanted to go."""
    response = redirect("refused")
    response.set_cookie(
        _name(),
        signing.dumps([refusal.code, request_id.current.get(), next_url], salt=SALT),
        max_age=KEPT,
        secure=settings.SECURE_COOKIES,
        httponly=True,
        samesite="Lax",
    )
    return response


def read(request: HttpRequest) -> Told | None:
    try:
        code, incident, next_url = signing.loads(request.COOKIES.get(_name(), ""), salt=SALT, max_age=KEPT)
    except signing.BadSignature:
        return None
    return Told(BY_CODE[code], incident, next_url) if code in BY_CODE else None


def forget(response: HttpResponse) -> None:
    response.delete_cookie(_name(), samesite="Lax")


def _name() -> str:
    return f"{settings.COOKIE_PREFIX}refusal"
