"""Many callers at once, who write down how each request ended."""

import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException

SERVED = "served"
REFUSED = "refused"  # at the door: the caller knows that nothing was done, and can go to another replica
LOST = "lost"  # taken, and never answered
WRONG = "wrong"  # answered with something else than the page


def words_of(page: bytes) -> str:
    """What a page says, without its head and its marks: short enough for a failed test to show."""
    return " ".join(re.sub(r"<[^>]*>", " ", page.decode(errors="replace").rpartition("<h1>")[2]).split())[:300]


class Load:
    """`endings` counts how requests ended; each is one page asked by GET on a connection of its own, or a kept one."""

    def __init__(self, port: int, path: str, expects: bytes, cookie: str = "") -> None:
        self.port, self.path, self.expects = port, path, expects
        self.headers = {"Host": f"127.0.0.1:{port}", **({"Cookie": cookie} if cookie else {})}
        self.endings: Counter[str] = Counter()
        self.wrong_answers: list[str] = []
        self._lock = threading.Lock()
        self._stop = threading.Event()

    @contextmanager
    def running(self, callers: int, keep_alive: bool = False) -> Iterator["Load"]:
        threads = [threading.Thread(target=self._call, args=[keep_alive], daemon=True) for _ in range(callers)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(30)

    def _call(self, keep_alive: bool) -> None:
        connection: HTTPConnection | None = None
        while not self._stop.is_set():
            is_new = connection is None
            connection = connection or HTTPConnection("127.0.0.1", self.port, timeout=20)
            ending = self._ask(connection, is_new)
            with self._lock:
                self.endings[ending] += 1
            if ending is not SERVED or not keep_alive or connection.sock is None:
                connection.close()
                connection = None
            if ending is REFUSED:
                time.sleep(0.02)
        if connection:
            connection.close()

    def _ask(self, connection: HTTPConnection, is_new: bool) -> str:
        try:
            if is_new:
                connection.connect()
                connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        except ConnectionRefusedError:
            return REFUSED
        except OSError:
            return LOST
        try:
            connection.request("GET", self.path, headers=self.headers)
            response = connection.getresponse()
            body = response.read()
        except (OSError, HTTPException):
            return LOST
        if response.status == 200 and self.expects in body:
            return SERVED
        self.wrong_answers.append(f"{response.status}: {words_of(body)}")
        return WRONG
