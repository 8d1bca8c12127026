"""What every request and every answer gets, whatever they are about: one encoding, and nothing private in a cache."""

from collections.abc import Callable
from typing import Any

from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.utils.cache import has_vary_header
from django.utils.http import parse_header_parameters


class Utf8Request(WSGIRequest):
    """Always UTF-8. Django takes any codec that the caller names, some of which do not even make text."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))


class PrivateByDefaultMiddleware:
    """An answer that depends on the session is not kept by anybody, unless it says otherwise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if has_vary_header(response, "Cookie") and not response.has_header("Cache-Control"):
            response.headers["Cache-Control"] = "private, no-store"
        return response
