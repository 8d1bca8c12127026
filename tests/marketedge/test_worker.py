"""How a worker closes its port: what the kernel has accepted is taken, and nobody slips in between."""

import socket
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from marketedge.worker import accepted_or_close


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as made:
        made.setblocking(False)
        yield made


def test_all_that_wait_are_taken_and_then_it_is_closed(listener):
    address = listener.getsockname()
    callers = [socket.create_connection(address) for _ in range(3)]

    taken = list(iter(lambda: accepted_or_close(listener), None))

    assert [one.getpeername() for one in taken] == [one.getsockname() for one in callers]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)
    for one in (*callers, *taken):
        one.close()


def test_no_other_thread_has_its_turn_between_the_last_look_and_the_close(listener):
    turns, is_over, usual = [0], threading.Event(), sys.getswitchinterval()

    def work() -> None:
        while not is_over.is_set():
            turns[0] += 1

    other = threading.Thread(target=work)
    other.start()
    time.sleep(0.05)  # it works
    try:
        sys.setswitchinterval(0.5)  # seconds that we keep the processor, unless we let go
        before = turns[0]
        assert accepted_or_close(listener) is None
        after = turns[0]
    finally:
        sys.setswitchinterval(usual)
        is_over.set()
        other.join()

    assert after == before > 0
