"""The product's addresses, and some that break in every way there is; each fault holds something to leak."""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

from marketedge.incidents import bad_request, forbidden, not_found, server_error
from marketedge.urls import urlpatterns as product

SECRET = "hunter2-hunter2"
LEAK = f"cannot reach postgres://web:{SECRET}@db.example/market for ann@lumen-cinemas.example"


@login_not_required
def breaks(request: HttpRequest) -> HttpResponse:
    raise ZeroDivisionError(LEAK)


@login_not_required
def is_away(request: HttpRequest) -> HttpResponse:
    raise OperationalError(LEAK)


@login_not_required
def streams(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[bytes]:
        yield b"the beginning"
        raise ZeroDivisionError(LEAK)

    return StreamingHttpResponse(parts())


@login_not_required
def works(request: HttpRequest) -> HttpResponse:
    return HttpResponse("fine")


@login_not_required
def ends_the_worker(request: HttpRequest) -> HttpResponse:
    raise SystemExit(1)


def fails_as_well(request: HttpRequest) -> HttpResponse:
    raise KeyError(LEAK)


urlpatterns: list[Any] = [
    *product,
    path("breaks/", breaks, name="breaks"),
    path("api/v1/breaks", breaks, name="api_breaks"),
    path("away/", is_away, name="is_away"),
    path("streams/", streams, name="streams"),
    path("works/", works, name="works"),
    path("ends/", ends_the_worker, name="ends_the_worker"),
]
handler400, handler403, handler404, handler500 = bad_request, forbidden, not_found, server_error
