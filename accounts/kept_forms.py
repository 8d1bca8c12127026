"""What somebody typed survives the end of their session: kept for an hour, shown again filled in, sent by nobody else.

So does a form that was opened in another tab before they signed in again: its token is an old one by then. It waits in
the new session of the same browser, for the person who signed in there last. Without their signed cookie nothing is
kept, and with it not more than somebody types, so that nobody can fill the database.
"""

import re
import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse

from accounts import destinations
from accounts.models import User
from accounts.rates import ProcessLimiter, Rate, Use

FORMS = "kept_forms"
SENT = "kept_form"  # the field by which a form that is sent again says which it was
KEPT = 3600  # seconds
MOST = 3  # forms
LONGEST = 32 * 1024  # characters of one form
SALT = "accounts.kept_forms"
RATE = Rate(per_minute=1, burst=10)  # of one person's, in one process: a form is typed by hand
_limiter = ProcessLimiter()
TYPES = {"application/x-www-form-urlencoded", "multipart/form-data"}
NOT_KEPT = re.compile(r"passw|passphrase|secret|token|credential|authorization|(api|private)[-_]?key", re.IGNORECASE)


@dataclass(frozen=True)
class Field:
    name: str
    value: str

    @property
    def label(self) -> str:
        return re.sub(r"[-_]+", " ", self.name).strip().capitalize()

    @property
    def is_shown(self) -> bool:
        """Typed or chosen by a person, as far as the name and the value tell."""
        return bool(self.value) and self.value != "on" and not self.name.startswith("_")

    @property
    def has_lines(self) -> bool:
        return "\n" in self.value or len(self.value) > 80


@dataclass(frozen=True)
class KeptForm:
    """`path` is where the form goes to, `page` the page that it was on."""

    path: str
    page: str
    fields: tuple[Field, ...]
    had_files: bool


def remember_person(response: HttpResponse, person: User) -> None:
    """Who signed in with this browser, for a day longer than their session can live."""
    response.set_cookie(
        _cookie_name(),
        signing.dumps(str(person.public_id), salt=SALT),
        max_age=_cookie_lifetime(),
        secure=settings.SECURE_COOKIES,
        httponly=True,
        samesite="Lax",
    )


def forget_person(response: HttpResponse) -> None:
    """Who signs out leaves nothing behind."""
    response.delete_cookie(_cookie_name(), samesite="Lax")


def keep(request: HttpRequest) -> str:
    """The key of what was typed into the form that came; empty when there is nothing, or nobody to keep it for."""
    person, fields = _last_person(request), _fields(request)
    length = sum(len(name) + len(value) for name, value in fields)
    if not person or not fields or length > LONGEST:
        return ""
    if _limiter.seconds_to_wait([Use(f"kept form {person}", RATE)], now=time.monotonic()):
        return ""
    key = secrets.token_urlsafe(16)
    kept = {
        "person": person,
        "kept_at": time.time(),
        "path": request.get_full_path(),
        "page": page_of(request),
        "fields": fields,
        "had_files": bool(request.FILES),
    }
    request.session[FORMS] = dict([*request.session.get(FORMS, {}).items(), (key, kept)][-MOST:])
    return key


def has_text(request: HttpRequest) -> bool:
    """Whether something came that could be kept, were it not too long, or anybody known to keep it for."""
    return any(value for _, value in _fields(request))


def keep_outdated(request: HttpRequest) -> str:
    """The same for a form whose token is too old, where the browser says that it was sent from a page of ours.

    Without a token nothing else would tell it from a form that another site has filled in.
    """
    came = (request.headers.get("Sec-Fetch-Site"), request.headers.get("Sec-Fetch-Mode"))
    return keep(request) if came == ("same-origin", "navigate") else ""


def find(request: HttpRequest, key: str) -> KeptForm | None:
    """The form, for the person who typed it, while it is kept."""
    kept: dict[str, Any] | None = request.session.get(FORMS, {}).get(key)
    if kept is None or time.time() - kept["kept_at"] > KEPT:
        return None
    if kept["person"] != str(request.user.public_id):  # type: ignore[union-attr]
        return None
    fields = tuple(Field(name, value) for name, value in kept["fields"])
    return KeptForm(kept["path"], kept["page"], fields, kept["had_files"])


def forget(request: HttpRequest, key: str) -> None:
    """It has been sent again."""
    if key in request.session.get(FORMS, {}):
        request.session[FORMS] = {other: kept for other, kept in request.session[FORMS].items() if other != key}


def page_of(request: HttpRequest) -> str:
    """The page of ours that the form was on, or nothing; browsers tell it to this host alone."""
    try:
        told = urlsplit(request.headers.get("Referer", ""))
    except ValueError:
        return ""
    page = f"{told.path}?{told.query}" if told.query else told.path
    return page if told.netloc == request.get_host() and destinations.is_ours(page) else ""


def _last_person(request: HttpRequest) -> str:
    try:
        return signing.loads(request.COOKIES.get(_cookie_name(), ""), salt=SALT, max_age=_cookie_lifetime())
    except signing.BadSignature:
        return ""


def _fields(request: HttpRequest) -> list[tuple[str, str]]:
    if request.method != "POST" or request.content_type not in TYPES:
        return []
    return list(_texts(request))


def _texts(request: HttpRequest) -> Iterator[tuple[str, str]]:
    for name, values in request.POST.lists():
        if not NOT_KEPT.search(name) and name != SENT:
            yield from ((name, value) for value in values)


def _cookie_lifetime() -> int:
    return settings.SESSION_COOKIE_AGE + 86400


def _cookie_name() -> str:
    return f"{settings.COOKIE_PREFIX}last_person"
