"""In which time zone does somebody read and type times in the admin site? Times are stored in UTC.

The browser names its zone in a cookie. A form carries the zone that it was shown in and is read in that one, whatever
the cookie says by then; one that carries none was shown in UTC.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

COOKIE = "editors_zone"
FIELD = "_zone"
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+-]{0,31}(/[A-Za-z0-9_+-]{1,32}){0,2}")


class EditorsZoneMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(reverse("admin:index")):
            return self.get_response(request)
        with timezone.override(zone_of(request)):
            return self.get_response(request)


def zone_of(request: HttpRequest) -> tzinfo:
    if request.method != "POST":
        return zone_named(request.COOKIES.get(COOKIE, "")) or UTC
    named = request.POST.get(FIELD, "UTC")
    zone = zone_named(named)
    if zone is None:
        raise BadRequest("The form was shown in a time zone that is not known here. Open its page again.")
    return zone


def zone_named(name: str) -> tzinfo | None:
    """None for what is no zone here."""
    if name == "UTC":
        return UTC
    if not NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return None


def zone_words(at: datetime | None = None) -> str:
    """The zone in use, with its distance from UTC at a moment or now: "Europe/London, UTC+1 then"."""
    name = timezone.get_current_timezone_name()
    local = timezone.localtime(at)
    if name == "UTC":
        return name
    offset = f"{local:%z}"
    minutes = "" if offset[3:5] == "00" else f":{offset[3:5]}"
    return f"{name}, UTC{offset[0]}{int(offset[1:3])}{minutes} {'then' if at else 'now'}"
