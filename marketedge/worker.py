"""gunicorn's threaded worker, for callers who are slow, silent or gone: they cost no thread, and nobody waits for them.

A thread begins with a request when its head has arrived whole, and its body where that is short. From then on the
caller has a limited time to send the rest, and for each read and write. The loop that serves all connections never
waits for one of them. Answers do not say what serves them.
"""

import ctypes
import errno
import re
import selectors
import socket
import time
from contextlib import suppress
from functools import partial
from typing import Any

from gunicorn.http import wsgi
from gunicorn.workers.gthread import TConn, ThreadWorker

HEAD_ENDS = b"\r\n\r\n"
HEAD_LIMIT = 64 * 1024  # bytes; gunicorn refuses a head of such a size when it reads it
HEAD_SECONDS = 5.0  # from the connection, or the first piece on a kept one, until a thread begins
SHORT_BODY = re.compile(rb"\r\ncontent-length:[ \t]*([0-9]{1,5})[ \t]*(?:\r\n|$)", re.IGNORECASE)
EXPECTS = re.compile(rb"\r\nexpect:", re.IGNORECASE)
READ_AT_ONCE = 64 * 1024
# Unlike Python's own calls, these let no other thread run in between.
_libc = ctypes.PyDLL(None, use_errno=True)


class Clocked:
    """A socket to read from until a moment has come, however slowly its other end sends."""

    def __init__(self, sock: socket.socket, seconds: float) -> None:
        self.sock = sock
        self.ends_at = time.monotonic() + seconds

    def recv(self, size: int) -> bytes:
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise TimeoutError("The caller took too long to send its request.")
        usual = self.sock.gettimeout()
        self.sock.settimeout(left)
        try:
            return self.sock.recv(size)
        finally:
            self.sock.settimeout(usual)

    def shorten(self, seconds: float) -> None:
        """At most so much longer from now on."""
        self.ends_at = min(self.ends_at, time.monotonic() + seconds)


class Connection(TConn):
    """What has arrived is gathered in the loop, and given to the parser when a thread begins."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.received = b""
        self.data_ready = True

    def gather(self) -> bool:
        """Take what is there. Whether a thread should begin: with a whole head, one too long, or the end."""
        try:
            data = self.sock.recv(READ_AT_ONCE)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        self.received += data
        return not data or self.is_whole()

    def take_what_was_read_ahead(self) -> bool:
        """Who sends several requests at once may have sent a part of the next. As `gather`."""
        ahead = self.parser.unreader.take_buffered() if self.parser else b""
        self.received += ahead
        return not ahead or self.is_whole()

    def is_whole(self) -> bool:
        """With its body, where that is short: those who stay in the middle of one would take the threads of others."""
        head, end, body = self.received.partition(HEAD_ENDS)
        if not end:
            return len(self.received) > HEAD_LIMIT
        promised = SHORT_BODY.search(head)
        # Who waits for our word before sending the body gets it in a thread.
        return not promised or len(body) >= int(promised[1]) or EXPECTS.search(head) is not None

    def init(self) -> None:
        """Asked before each request, in its thread."""
        super().init()
        # Also for each write; gunicorn makes the socket wait without end just before.
        self.sock.settimeout(self.cfg.timeout)
        self.parser.unreader.sock = Clocked(self.sock, self.cfg.timeout)
        if self.received:
            self.parser.unreader.unread(self.received)
            self.received = b""

    def close(self, graceful: bool = False) -> None:
        """Without waiting for the other end: gunicorn's own holds up everybody for seconds."""
        with suppress(OSError):
            if graceful:
                self.sock.setblocking(False)
                self.sock.shutdown(socket.SHUT_WR)
                self.sock.recv(READ_AT_ONCE)
        self.sock.close()


class Answer(wsgi.Response):
    """Without the Server header: it helps nobody but those who look for a version to attack."""

    def default_headers(self) -> list[str]:
        return [line for line in super().default_headers() if not line.startswith("Server:")]


wsgi.Response = Answer  # gunicorn has no setting for it


class Worker(ThreadWorker):
    def accept(self, listener: Any) -> None:
        """Take a connection; it waits in the loop until its first request has arrived."""
        try:
            client, address = listener.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return
        self._take(client, address)

    def _take(self, client: socket.socket, address: Any) -> None:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = Connection(self.cfg, client, address, client.getsockname())
        self.nr_conns += 1
        self._await_head(connection)

    def enqueue_req(self, conn: Connection) -> None:
        if conn.take_what_was_read_ahead():
            super().enqueue_req(conn)
        else:
            self._await_head(conn)

    def _await_head(self, connection: Connection) -> None:
        connection.sock.setblocking(False)
        connection.timeout = time.monotonic() + HEAD_SECONDS
        self.pending_conns.append(connection)
        callback = partial(self.on_pending_socket_readable, connection)
        self.poller.register(connection.sock, selectors.EVENT_READ, callback)

    def on_pending_socket_readable(self, conn: Connection, client: Any) -> None:
        if conn.gather():
            super().on_pending_socket_readable(conn, client)

    def on_client_socket_readable(self, conn: Connection, client: Any) -> None:
        """A kept connection says something again: that may be a part of a head, as on a new one."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        if conn.gather():
            self.enqueue_req(conn)
        else:
            self._await_head(conn)

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        # Whoever wanted the rest of the body has read it: no thread waits here for what nobody wants.
        conn.parser.unreader.sock.shorten(0)
        return super()._keepalive_after(conn, keepalive)

    def is_parent_alive(self) -> bool:
        # Only ever taken away here: a signal may take it away at any moment.
        if not super().is_parent_alive():
            self.alive = False
        return self.alive

    def set_accept_enabled(self, enabled: bool) -> None:
        super().set_accept_enabled(enabled)
        if not self.alive:
            self._take_the_last()

    def _take_the_last(self) -> None:
        """What the kernel has accepted for us is answered; who comes later is refused at once and can go elsewhere."""
        for listener in self.sockets:
            while client := accepted_or_close(listener.sock):
                try:
                    self._take(client, client.getpeername())
                except OSError:  # gone already
                    client.close()


def accepted_or_close(listener: socket.socket) -> socket.socket | None:
    """A connection that the kernel has accepted. Where there is none, the listener is closed in the same breath: who
    came after the last look, while other threads had their turn, would lose a request."""
    while (number := _libc.accept(listener.fileno(), None, None)) < 0:
        if ctypes.get_errno() not in (errno.EINTR, errno.ECONNABORTED):
            _libc.close(listener.detach())
            return None
    return socket.socket(fileno=number)
