"""A server that says exactly what a test wants, as slowly as it wants."""

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

Conversation = Callable[[socket.socket], None]


class Talker:
    """Each caller gets the conversation; `heard` holds what they asked."""

    def __init__(self, conversation: Conversation, tls: ssl.SSLContext | None = None) -> None:
        self.conversation, self.tls = conversation, tls
        self.heard: list[bytes] = []
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=50)
        self.port = self.socket.getsockname()[1]

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self.port}/"

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=[connection], daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        try:
            with connection if self.tls is None else self.tls.wrap_socket(connection, server_side=True) as line:
                line.settimeout(10)
                self.heard.append(line.recv(65536))
                self.conversation(line)
        except OSError:
            # The caller has hung up, which is what many tests are about.
            return


@contextmanager
def talking(conversation: Conversation, tls: ssl.SSLContext | None = None) -> Iterator[Talker]:
    talker = Talker(conversation, tls)
    threading.Thread(target=talker.accept, daemon=True).start()
    try:
        yield talker
    finally:
        talker.socket.shutdown(socket.SHUT_RDWR)
        talker.socket.close()


def says(*pieces: bytes, pause: float = 0.0) -> Conversation:
    """The pieces one after the other, with a pause after each."""

    def conversation(line: socket.socket) -> None:
        for piece in pieces:
            line.sendall(piece)
            time.sleep(pause)

    return conversation


def drips(beginning: bytes, endless: bytes, pause: float = 0.05) -> Conversation:
    """After the beginning, the same piece again and again: never silent for long, and not done for five seconds."""

    def conversation(line: socket.socket) -> None:
        line.sendall(beginning)
        ends_at = time.monotonic() + 5
        while time.monotonic() < ends_at:
            line.sendall(endless)
            time.sleep(pause)

    return conversation


def answer(body: bytes, status: str = "200 OK", kind: str = "application/json", more: bytes = b"") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n".encode()
    return head + more + b"\r\n" + body
