"""How programs are answered when something is wrong: JSON in one shape for every status, and what their views share."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import Resolver404, ResolverMatch, resolve

from tenants import ofrep

PREFIX = "/api/"
View = Callable[..., HttpResponse]


def is_api(request: HttpRequest) -> bool:
    return is_for_programs(request.path_info)


def is_for_programs(path: str) -> bool:
    return path.startswith((PREFIX, ofrep.PREFIX))


def error(
    path: str, status: int, code: str, detail: str, *, incident: str = "", headers: dict[str, str] | None = None
) -> Any:
    """`detail` is for people and always a text, `code` for programs; an `incident` goes with faults of ours.

    The path decides whose words are used: our API's, or those of the protocol that is spoken there.
    """
    if path.startswith(ofrep.PREFIX):
        body = ofrep.fault(path, status, code, detail, incident)
    else:
        body = {"detail": detail, "code": code, **({"incident": incident} if incident else {})}
    return JsonResponse(body, status=status, headers={"Cache-Control": "no-store", **(headers or {})})


class Problem(Exception):
    """Ends an API call with this error."""

    def __init__(self, status: int, code: str, detail: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.headers = status, code, detail, headers

    def response(self, request: HttpRequest) -> HttpResponse:
        return error(request.path_info, self.status, self.code, self.detail, headers=self.headers)


def methods(*allowed: str) -> Callable[[View], View]:
    """Answers other methods with 405, and OPTIONS with the list; GET brings HEAD along."""
    known = [*allowed, *(["HEAD"] if "GET" in allowed else []), "OPTIONS"]
    told = {"Allow": ", ".join(known)}

    def decorate(view: View) -> View:
        @wraps(view)
        def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if request.method not in known:
                words = f"This address answers {told['Allow']} alone."
                return error(request.path_info, 405, "method_not_allowed", words, headers=told)
            if request.method == "OPTIONS":
                return HttpResponse(status=204, headers=told)
            return view(request, *args, **kwargs)

        return answered

    return decorate


def organisation_not_required(view: View) -> View:
    """Marks a view that also answers people without an organisation, and about a suspended one."""
    view.organisation_required = False  # type: ignore[attr-defined]
    return view


def for_client_tokens(view: View) -> View:
    """Marks a view that answers an organisation's clients too; all others answer people alone."""
    view.takes_client_tokens = True  # type: ignore[attr-defined]
    return view


def read_object(request: HttpRequest) -> dict[str, Any]:
    """The object in a request's JSON body; Problem when it is something else."""
    if request.content_type != "application/json":
        raise Problem(415, "unsupported_media_type", "Send the body as JSON, with Content-Type: application/json.")
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError):
        raise Problem(400, "malformed", "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise Problem(422, "invalid", "The body must be a JSON object.")
    return body


def match_of(request: HttpRequest) -> ResolverMatch | None:
    """Which view the address leads to, before Django calls it; None when there is none."""
    if not hasattr(request, "_api_match"):
        try:
            request._api_match = resolve(request.path_info)  # type: ignore[attr-defined]
        except Resolver404:
            request._api_match = None  # type: ignore[attr-defined]
    return request._api_match  # type: ignore[attr-defined]
