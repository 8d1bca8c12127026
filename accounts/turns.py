"""How many may wait for the identity provider at once? The other threads of a worker stay free for everybody else."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

CROWDED = "marketedge.crowded"  # set by the server for those who are too many


class Turns:
    """Places for so many; who finds none is told so at once, instead of keeping a thread waiting."""

    def __init__(self, places: int) -> None:
        self._places = threading.BoundedSemaphore(places)

    @contextmanager
    def taken(self, wait: float = 0.0) -> Iterator[bool]:
        """Whether a place was free, within `wait` seconds; it is kept until the block ends."""
        is_ours = self._places.acquire(timeout=wait) if wait else self._places.acquire(blocking=False)
        try:
            yield is_ours
        finally:
            if is_ours:
                self._places.release()


def waiting(request: HttpRequest) -> HttpResponse:
    """Others are being signed in: this page comes again by itself, with the same code, which nobody has spent."""
    seconds = random.randint(1, 3)  # noqa: S311 (those who wait should not come back all at once)
    response = render(request, "accounts/waiting.html")
    response.headers["Refresh"] = response.headers["Retry-After"] = str(seconds)
    response.headers["Referrer-Policy"] = "no-referrer"
    add_never_cache_headers(response)
    return response
