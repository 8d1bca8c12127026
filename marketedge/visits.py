"""Which request is being answered, by whom, inside which organisation? For log lines, metrics and reports of faults."""

import time
import uuid
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import Resolver404, resolve
from django.utils.functional import LazyObject, empty

from tenants import request_id
from tenants.postgresql.waits import Spent

METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
OWN_ADDRESSES = {"/health", "/healthz/live", "/healthz/ready", "/healthz/startup", "/metrics"}
UNMATCHED = "unmatched"
STATIC = "static"


@dataclass(slots=True)
class Visit:
    """One request from its first line of ours until the last byte of its answer has left.

    `callers_id` is what the caller calls it; `incident` is ours, and no other request's. `leave` ends it, once.
    """

    request: HttpRequest
    callers_id: str = ""
    incident: str = field(default_factory=lambda: uuid.uuid4().hex)
    began: float = field(default_factory=time.perf_counter)
    spent: Spent = field(default_factory=Spent)
    has_broken_off: bool = False
    leave: Callable[[], None] = lambda: None

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began

    @property
    def method(self) -> str:
        method = self.request.method or ""
        return method if method in METHODS else "other"

    @property
    def route(self) -> str:
        """The name of the address, never the address itself: those are without number, and may hold secrets."""
        match = self.request.resolver_match
        return match.view_name if match else self._unresolved_route()

    def _unresolved_route(self) -> str:
        """Of what was answered before anybody looked for a view."""
        path = self.request.path_info
        if path in OWN_ADDRESSES:
            return path
        if path.startswith(settings.STATIC_URL):
            return STATIC
        try:
            return resolve(path).view_name
        except Resolver404:
            return UNMATCHED

    @property
    def is_probe(self) -> bool:
        return self.request.path_info in OWN_ADDRESSES

    @property
    def person(self) -> str:
        """The public id of who is signed in, as far as somebody has asked already: a log line asks no database."""
        user = self.request.__dict__.get("user")
        if user is None or (isinstance(user, LazyObject) and user._wrapped is empty):
            return ""
        return str(getattr(user, "public_id", ""))

    @property
    def organisation(self) -> str:
        """The slug of the organisation that the request happens in."""
        return getattr(self.request.__dict__.get("organisation"), "slug", "")

    @property
    def flags(self) -> int | None:
        """The release of the flags that answered here, if somebody asked."""
        pinned = getattr(self.request, "flags", None)
        return pinned.version if pinned else None


current: ContextVar[Visit | None] = ContextVar("visit", default=None)


def whereabouts() -> dict[str, Any]:
    """What is known of the running request, in words for a log line; None for what there is none of."""
    visit = current.get()
    if visit is None:
        return {"request_id": request_id.current.get() or None, "organisation": None, "person": None}
    known = {
        "request_id": visit.incident,
        "organisation": visit.organisation or None,
        "person": visit.person or None,
    }
    further = {"callers_request_id": visit.callers_id or None, "flags": visit.flags}
    return known | {name: value for name, value in further.items() if value is not None}
