"""The last threads are not for ordinary requests."""

import socket
import threading
import time
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from accounts.turns import CROWDED
from marketedge.admission import DRAIN_SECONDS, REFUSED, Admission, SignInAdmission
from marketedge.worker import Clocked
from tenants.postgresql import deadline


class Answer(list[bytes]):
    """What a server iterates and closes."""

    was_closed = False

    def close(self) -> None:
        self.was_closed = True


def application(environ: dict[str, Any], start_response: Any) -> Answer:
    return Answer([b"refused" if environ.get(REFUSED) else b"served"])


def ask(admission: Admission) -> Any:
    return admission({}, lambda *_: None)


def test_all_but_two_threads_are_for_ordinary_requests():
    admission = Admission(application, threads=5)

    assert [ask(admission)[0] for _ in range(5)] == [b"served"] * 3 + [b"refused"] * 2


def test_a_place_is_free_again_when_the_answer_has_left():
    admission = Admission(application, threads=3)
    answer = ask(admission)
    assert ask(admission)[0] == b"refused"

    answer.close()

    assert (answer.was_closed, ask(admission)[0]) == (True, b"served")


def test_a_refusal_takes_no_place():
    admission = Admission(application, threads=3)
    answer = ask(admission)
    ask(admission).close()
    assert ask(admission)[0] == b"refused"

    answer.close()

    assert admission.inside == 0


@pytest.mark.parametrize("fault", [ZeroDivisionError, SystemExit])
def test_a_request_that_breaks_gives_its_place_back(fault):
    def broken(environ: Any, start_response: Any) -> Any:
        raise fault

    admission = Admission(broken, threads=3)

    with pytest.raises(fault):
        ask(admission)

    assert admission.inside == 0


def test_an_answer_that_cannot_be_closed_gives_its_place_back():
    class Stubborn(Answer):
        def close(self) -> None:
            raise OSError("the reader is gone")

    admission = Admission(lambda *_: Stubborn(), threads=3)

    with pytest.raises(OSError, match="gone"):
        ask(admission).close()

    assert admission.inside == 0


def crowd(environ: dict[str, Any], start_response: Any) -> Answer:
    return Answer([b"waits" if environ.get(CROWDED) else b"refused" if environ.get(REFUSED) else b"served"])


def sign_in(admission: Any, count: int = 1, path: str = "/oidc/callback/") -> list[bytes]:
    return [admission({"PATH_INFO": path}, lambda *_: None)[0] for _ in range(count)]


def test_those_who_sign_in_leave_places_for_others():
    admission = SignInAdmission(Admission(crowd, threads=16), calls=6)

    assert sign_in(admission, 50) == [b"served"] * 8 + [b"waits"] * 42
    assert sign_in(admission, 7, "/organisations/") == [b"served"] * 6 + [b"refused"]


@pytest.mark.parametrize("path", ["/sign-in/", "/oidc/authenticate/", "/oidc/callback/"])
def test_every_step_of_the_sign_in_counts_as_one(path):
    assert sign_in(SignInAdmission(Admission(crowd, threads=16), calls=1), 4, path)[2:] == [b"waits"] * 2


def test_a_place_of_the_sign_in_is_free_again_when_the_answer_has_left():
    admission = SignInAdmission(Admission(crowd, threads=16), calls=1)
    answers = [admission({"PATH_INFO": "/sign-in/"}, lambda *_: None) for _ in range(2)]
    for answer in answers:
        answer.close()  # type: ignore[attr-defined]

    assert sign_in(admission, 2) == [b"served"] * 2


def test_who_has_to_wait_sees_a_page_that_comes_again_and_asks_nothing(client: Client):
    response = client.get("/oidc/callback/?code=x&state=y", **{CROWDED: True})  # type: ignore[arg-type]

    assert (response.status_code, int(response.headers["Refresh"]) in {1, 2, 3}) == (200, True)
    assert ('href=""' in response.content.decode(), "code=" in response.content.decode()) == (True, False)
    assert "no-store" in response.headers["Cache-Control"]


def test_who_is_refused_learns_when_to_come_back(client: Client):
    response = client.get("/sign-in/", **{REFUSED: True})  # type: ignore[arg-type]

    assert (response.status_code, response.headers["Retry-After"], response.headers["Refresh"]) == (503, "5", "5")
    assert response.headers["X-Request-ID"] in response.content.decode()


def test_programs_are_refused_in_their_own_words(client: Client):
    response = client.get(
        "/api/v1/auth/auth0-url",
        headers={"Origin": "https://app.example"},
        **{REFUSED: True},  # type: ignore[arg-type]
    )

    assert (response.status_code, response.json()["code"]) == (503, "busy")
    assert response.json()["incident"] == response.headers["X-Request-ID"]
    assert response.headers["Access-Control-Allow-Origin"] == "https://app.example"


@pytest.mark.parametrize("path", ["/healthz/live", "/healthz/startup", "/healthz/ready", "/health"])
def test_health_is_never_refused(client: Client, path, monkeypatch):
    response = client.get(path, **{REFUSED: True})  # type: ignore[arg-type]

    assert "Too many" not in response.content.decode()


def test_a_whole_request_has_a_time_for_the_database(client: Client, settings, monkeypatch):
    left: list[float] = []

    def look(request: object) -> str:
        left.append(deadline.remaining() or 0)
        return ""

    monkeypatch.setattr("accounts.destinations.wanted", look)

    client.get("/sign-in/")

    assert 0 < left[0] <= settings.REQUEST_DEADLINE


def test_places_are_counted_right_by_many_threads():
    admission = Admission(application, threads=100)
    gate = threading.Barrier(8)

    def come_and_go() -> None:
        gate.wait()
        for _ in range(2_000):
            ask(admission).close()

    threads = [threading.Thread(target=come_and_go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert admission.inside == 0


class Sending:
    """A body whose caller stays silent, as gunicorn nests it: the clock decides how long one read waits."""

    def __init__(self) -> None:
        self.reader = SimpleNamespace(unreader=SimpleNamespace(sock=Clocked(socket.socket(), 60)))

    def read(self, size: int) -> bytes:
        raise TimeoutError


def test_what_a_refused_caller_still_sends_is_read_for_a_short_time_only():
    body = Sending()
    admission = Admission(application, threads=3)

    admission({"wsgi.input": body}, lambda *_: None).close()  # type: ignore[attr-defined]

    clock = body.reader.unreader.sock
    clock.sock.close()
    assert clock.ends_at - time.monotonic() <= DRAIN_SECONDS
    assert admission.inside == 0
