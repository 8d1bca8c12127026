"""Callers who say nothing, little, or too much, or do not listen: everybody else is answered meanwhile."""

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from marketedge.admission import DRAIN_SECONDS
from tests.faults.test_crowd import THREADS, time_to_live
from tests.faults.world import World, seconds_until

pytestmark = [pytest.mark.served, pytest.mark.alone]
LIMIT = 6  # seconds that a caller has; as short as the limits before it allow
HEAD = b"GET /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\n"
POST = b"POST /sign-out/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-www-form-urlencoded\r\n"


@pytest.fixture(scope="module")
def product(world: World) -> Iterator[World]:
    with world.serving(1, SERVER_TIMEOUT=str(LIMIT)):
        seconds_until(lambda: world.get("/healthz/ready").status_code == 200, 20)
        yield world


@contextmanager
def callers(world: World, count: int, says: bytes) -> Iterator[list[socket.socket]]:
    sockets = [socket.create_connection(("127.0.0.1", world.port)) for _ in range(count)]
    for one in sockets:
        one.sendall(says)
    try:
        yield sockets
    finally:
        for one in sockets:
            one.close()


@contextmanager
def dripping(sockets: list[socket.socket]) -> Iterator[None]:
    """Each caller sends a byte now and then."""
    stop = threading.Event()

    def drip() -> None:
        while not stop.wait(0.2):
            for one in sockets:
                with suppress(OSError):
                    one.sendall(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def page_time(world: World) -> float:
    began = time.monotonic()
    assert world.get("/sign-in/", timeout=10).status_code == 200
    return time.monotonic() - began


BEGINNINGS = {
    "nothing": b"",
    "half a line": b"GET /sign-in/ HT",
    "half a head": HEAD,
    "half a second head": b"GET /healthz/live HTTP/1.1\r\nHost: a\r\n\r\n" + HEAD,
}


@pytest.mark.parametrize("says", BEGINNINGS.values(), ids=BEGINNINGS)
def test_callers_whose_head_never_ends_take_no_thread_and_are_let_go(product, says):
    with callers(product, 5 * THREADS, says) as sockets, dripping(sockets if says else []):
        live = max(time_to_live(product) for _ in range(10))
        page = page_time(product)
        let_go = seconds_until(lambda: all(map(is_closed, sockets)), LIMIT + 4)

    assert (live < 1, page < 1, let_go < LIMIT + 4) == (True, True, True)


def is_closed(one: socket.socket) -> bool:
    one.setblocking(False)
    try:
        return one.recv(1000) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_callers_whose_body_never_ends_leave_health_alone_and_are_let_go(product):
    says = POST + b"Content-Length: 100000\r\n\r\ncsrf"
    with callers(product, 3 * THREADS, says) as sockets, dripping(sockets):
        live = max(time_to_live(product) for _ in range(10))
        answered = seconds_until(lambda: sum(map(has_answer, sockets)) == len(sockets), LIMIT + 4)
        page = seconds_until(lambda: product.get("/sign-in/").status_code == 200, DRAIN_SECONDS + 1)

    assert (live < 1, answered < LIMIT + 4, page < DRAIN_SECONDS + 1) == (True, True, True)


def test_callers_who_stay_in_the_middle_of_a_short_body_take_no_place(product):
    says = POST + b"Content-Length: 1000\r\n\r\ncsrf"
    with callers(product, 3 * THREADS, says) as sockets:
        page = max(page_time(product) for _ in range(5))
        let_go = seconds_until(lambda: all(map(is_closed, sockets)), LIMIT + 4)

    assert (page < 1, let_go < LIMIT + 4) == (True, True)


def test_a_short_body_that_comes_in_pieces_is_read(product):
    with callers(product, 1, POST + b"Content-Length: 8\r\n\r\nab=") as (one,):
        time.sleep(0.2)
        one.sendall(b"cdefg")

        assert one.recv(1000).startswith(b"HTTP/1.1 403")


def test_who_waits_for_our_word_before_the_body_gets_it(product):
    with callers(product, 1, POST + b"Content-Length: 8\r\nExpect: 100-continue\r\n\r\n") as (one,):
        one.settimeout(3)
        first = one.recv(1000)
        one.sendall(b"ab=cdefg")

        assert first.startswith((b"HTTP/1.1 100 Continue", b"HTTP/1.1 403"))


def has_answer(one: socket.socket) -> bool:
    one.setblocking(False)
    try:
        one.recv(1, socket.MSG_PEEK)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def test_callers_who_do_not_listen_leave_health_alone(product):
    many = HEAD.replace(b"/sign-in/", b"/static/marketedge/marketedge.css") + b"\r\n"
    with callers(product, THREADS, many * 200):
        live = max(time_to_live(product) for _ in range(10))
        # They hold the places of ordinary requests until they are let go: a page may be refused until then.
        page = seconds_until(lambda: product.get("/sign-in/").status_code == 200, LIMIT + 2)

    assert (live < 1, page < LIMIT + 2) == (True, True)


def test_a_head_that_comes_in_pieces_is_read(product):
    with callers(product, 1, b"GET /healthz/live HTTP/1.1\r\n") as (one,):
        for piece in (b"Host: 127.0.0.1\r", b"\nX-Piece: 1\r\n", b"\r\n"):
            time.sleep(0.1)
            one.sendall(piece)

        assert all_of(one).startswith(b"HTTP/1.1 200 OK")


def test_a_second_head_on_a_kept_connection_may_come_in_pieces_too(product):
    with callers(product, 1, b"GET /healthz/live HTTP/1.1\r\nHost: a\r\n\r\n") as (one,):
        assert b"live" in all_of(one)
        one.sendall(b"GET /healthz/live HTTP/1.1\r\n")
        time.sleep(0.2)
        one.sendall(b"Host: a\r\n\r\n")

        assert all_of(one).startswith(b"HTTP/1.1 200 OK")


def all_of(one: socket.socket) -> bytes:
    """A whole answer of /healthz/live, in however many pieces it comes."""
    one.settimeout(5)
    answer = b""
    while not answer.endswith(b'"live"}'):
        answer += one.recv(1000)
    return answer


def test_two_requests_sent_at_once_are_both_answered(product):
    with callers(product, 1, 2 * b"GET /healthz/live HTTP/1.1\r\nHost: a\r\n\r\n") as (one,):
        time.sleep(0.5)

        assert one.recv(10_000).count(b"HTTP/1.1 200 OK") == 2


def test_a_large_body_that_is_refused_is_read_so_that_the_answer_arrives(product):
    connection = http.client.HTTPConnection("127.0.0.1", product.port, timeout=20)
    connection.request("POST", "/nothing/", body=b"x" * 8_000_000, headers={"Host": f"127.0.0.1:{product.port}"})

    response = connection.getresponse()

    assert (response.status, b"</html>" in response.read()) == (404, True)
    connection.close()


def test_a_caller_who_stays_connected_after_the_end_holds_nobody_up(product):
    closing = HEAD.replace(b"/sign-in/", b"/healthz/live") + b"Connection: close\r\n\r\n"
    with callers(product, 10, closing):
        time.sleep(0.2)

        assert max(time_to_live(product) for _ in range(10)) < 0.5
