"""What is asked of the provider, how often, and what an answer that makes no sense does."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from wsgiref.simple_server import make_server

import pytest

from accounts import provider as calls
from accounts.local_provider.server import Quiet, ThreadingServer
from accounts.refusals import BAD_TOKEN, PROVIDER_DOWN, PROVIDER_REFUSED, Refusal, Refused
from tests.marketedge.serving import free_port

KEY = {"kid": "first", "kty": "RSA"}


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Answers of the provider's key address, the next one first; an exception is raised."""
    waiting: list[Any] = []

    def call(method: str, url: str, **options: Any) -> Any:
        answer = waiting.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(calls, "_call", call)
    return waiting


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(calls.time, "monotonic", lambda: now[0])
    return now


def refusal_of(store: calls.KeyStore, kid: str) -> Refusal:
    with pytest.raises(Refused) as refused:
        store.key(kid)
    return refused.value.refusal


def test_keys_are_kept_for_ten_minutes(answers, clock):
    answers += [{"keys": [KEY]}, {"keys": []}]
    store = calls.KeyStore()

    assert [store.key("first"), store.key("first")] == [KEY, KEY]
    clock[0] += 601
    assert refusal_of(store, "first") == BAD_TOKEN


def test_a_new_key_is_found_but_not_asked_for_more_often_than_every_half_minute(answers, clock):
    answers += [{"keys": [KEY]}, {"keys": [KEY, {**KEY, "kid": "second"}]}]
    store = calls.KeyStore()
    store.key("first")

    assert refusal_of(store, "second") == BAD_TOKEN
    clock[0] += 31
    assert store.key("second")["kid"] == "second"


def test_people_who_wait_for_a_dead_provider_do_not_wait_one_after_the_other(answers, clock):
    answers += [Refused(PROVIDER_DOWN), {"keys": [KEY]}]
    store = calls.KeyStore()

    assert [refusal_of(store, "first"), refusal_of(store, "first")] == [PROVIDER_DOWN, PROVIDER_DOWN]
    clock[0] += 6
    assert store.key("first") == KEY


@pytest.mark.parametrize("keys", [None, 5, "first", ["first"], [{"kid": 5}], {"kid": "first"}])
def test_keys_that_make_no_sense_are_no_keys(answers, keys):
    answers.append({"keys": keys})

    assert refusal_of(calls.KeyStore(), "first") == BAD_TOKEN


class Answering:
    """The provider's place on the network, giving one answer to everything."""

    def __init__(self, status: int, body: bytes) -> None:
        self.status, self.body, self.asked = status, body, 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.asked += 1
        start_response(f"{self.status} Answer", [("Location", "/elsewhere"), ("Content-Length", str(len(self.body)))])
        return [self.body]


@contextmanager
def serving(answering: Answering) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, answering, ThreadingServer, Quiet)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("status", "body", "refusal"),
    [
        (200, b"<html>", PROVIDER_DOWN),
        (200, b"[]", PROVIDER_DOWN),
        (200, b"{}", BAD_TOKEN),
        (200, b'{"id_token": 5}', BAD_TOKEN),
        (200, b'{"id_token": "\\ud800"}', BAD_TOKEN),
        (302, b"", PROVIDER_REFUSED),
        (401, b"{}", PROVIDER_REFUSED),
        (502, b"", PROVIDER_DOWN),
    ],
)
def test_one_question_and_a_reason_for_every_bad_answer(settings, status, body, refusal):
    answering = Answering(status, body)
    with serving(answering) as address:
        settings.OIDC_OP_TOKEN_ENDPOINT = f"{address}oauth/token"

        with pytest.raises(Refused) as refused:
            calls.exchange("code", "verifier")

    assert (refused.value.refusal, answering.asked) == (refusal, 1)


def test_a_proxy_of_the_environment_is_not_told_our_secrets(settings, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{free_port()}")
    with serving(Answering(200, b'{"id_token": "t"}')) as address:
        settings.OIDC_OP_TOKEN_ENDPOINT = f"{address}oauth/token"

        assert calls.exchange("code", "verifier") == "t"
