"""/metrics, for Prometheus alone: answered ahead of everything else, as health is, and only to who has the token."""

import hmac
from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse

from marketedge import incidents, metrics

PATH = "/metrics"
FORMAT = "text/plain; version=0.0.4; charset=utf-8"


class MetricsMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info != PATH:
            return self.get_response(request)
        if not may_read(request):
            # As at an address where nothing is, with whatever method.
            return incidents.not_found(request, Http404())
        if request.method not in {"GET", "HEAD"}:
            return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
        headers = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        return HttpResponse(metrics.instruments().text(), content_type=FORMAT, headers=headers)


def may_read(request: HttpRequest) -> bool:
    """Does the caller show the token? Nobody does where none is set."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    expected = settings.METRICS_TOKEN
    if not expected or scheme.lower() != "bearer":
        return False
    # A server hands on the bytes of a header as Latin-1, whatever they were.
    return hmac.compare_digest(token.strip().encode("latin-1", "replace"), expected.encode())
