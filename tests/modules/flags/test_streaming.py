"""Pages that are made while they are sent: their pieces see the flags of their request, and nobody else does."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from django.http import HttpRequest, StreamingHttpResponse

from modules.flags import evaluation
from modules.middleware import ModuleGateMiddleware
from tests.modules.flags.documents import body, document, override

FOR_ME = body(enabled=False, overrides=[override(target={"person": "me"})])


@pytest.fixture(autouse=True)
def released(flag_store):
    flag_store._adopt(5, document(for_me=FOR_ME))
    flag_store._look = lambda: True


def pieces() -> Iterator[str]:
    for _ in range(2):
        yield f"{evaluation.is_on('for_me')} "


@pytest.fixture
def page() -> Any:
    request: Any = HttpRequest()
    request.user = SimpleNamespace(public_id="me")
    return ModuleGateMiddleware(lambda request: StreamingHttpResponse(pieces()))(request)  # type: ignore[arg-type, return-value]


def test_what_is_streamed_is_for_whom_the_request_is(page):
    assert page.getvalue() == b"True True "


def test_a_release_in_the_middle_of_a_page_does_not_change_its_rest(page, flag_store):
    sent = iter(page)
    first = next(sent)

    flag_store._adopt(6, document(for_me={**FOR_ME, "killed": True}))

    assert (first, next(sent)) == (b"True ", b"True ")


def test_between_two_pieces_the_request_is_not_asked_for(page):
    next(iter(page))

    assert evaluation.pinned() is None
