"""What every request and every answer gets, whatever they are about: one encoding, one set of rules for browsers."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.utils.cache import has_vary_header
from django.utils.http import parse_header_parameters


class Utf8Request(WSGIRequest):
    """Always UTF-8. Django takes any codec that the caller names, some of which do not even make text."""

    def _set_content_type_params(self, meta: dict[str, Any]) -> None:
        try:
            self.content_type, self.content_params = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except ValueError:
            # Its parameters may be in a codec that does not exist: then the body is of no type that anybody reads.
            self.content_type, self.content_params = "", {}


class BrowserRulesMiddleware:
    """Tells browsers the same on every answer, also where the product answers early: health, files, redirects."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.rules = rules()
        self.transport = transport_security()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        for name, value in self.rules.items():
            response.headers.setdefault(name, value)
        # RFC 6797 7.2: never over http, where anybody on the way could have written it.
        if self.transport and request.is_secure():
            response.headers.setdefault("Strict-Transport-Security", self.transport)
        return response


def rules() -> dict[str, str]:
    return {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": settings.X_FRAME_OPTIONS,
        "Referrer-Policy": settings.SECURE_REFERRER_POLICY,
        "Cross-Origin-Opener-Policy": settings.SECURE_CROSS_ORIGIN_OPENER_POLICY,
        # Holds for images, scripts and frames of other sites. What CORS allows is asked another way, and is not held.
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": ", ".join(f"{feature}=()" for feature in settings.FEATURES_WITHHELD),
        # Every page is behind the sign-in, or is the sign-in.
        "X-Robots-Tag": "noindex, nofollow",
    }


def transport_security() -> str:
    """The value of Strict-Transport-Security; "" where the settings want none."""
    if not settings.SECURE_HSTS_SECONDS:
        return ""
    parts = [f"max-age={settings.SECURE_HSTS_SECONDS}"]
    parts += ["includeSubDomains"] if settings.SECURE_HSTS_INCLUDE_SUBDOMAINS else []
    return "; ".join(parts + (["preload"] if settings.SECURE_HSTS_PRELOAD else []))


class PrivateByDefaultMiddleware:
    """An answer that depends on the session is not kept by anybody, unless it says otherwise."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if has_vary_header(response, "Cookie") and not response.has_header("Cache-Control"):
            response.headers["Cache-Control"] = "private, no-store"
        return response
