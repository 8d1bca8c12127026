"""A line to a server that can be cut, silenced or slowed while it is in use."""

import socket
import threading
import time
from contextlib import suppress

CHUNK = 65_536


class Line:
    """Listens on a loopback port and passes everything on to `target`, as long as nothing else is said.

    Each fault holds for connections that are there and for new ones; `heal` ends it.
    """

    def __init__(self, target: int) -> None:
        self.target = target
        self.seconds_late = 0.0
        self._flows = threading.Event()
        self._flows.set()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        self._fillers: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self._listener.getsockname()[1]
        self._accept_from(self._listener)

    def mute(self) -> None:
        """Connections stay, new ones are accepted, and nothing comes through."""
        self._flows.clear()

    def accept_and_be_mute(self) -> None:
        """As `mute`, with the connections that were there gone."""
        self._end_connections()
        self.mute()

    def slow(self, seconds: float) -> None:
        """Each message to the server waits so long."""
        self.seconds_late = seconds

    def cut(self) -> None:
        """Connections end and new ones are refused."""
        self._stop_listening()
        self._end_connections()

    def swallow(self) -> None:
        """New connections are neither accepted nor refused, as behind a firewall that drops what comes."""
        self.cut()
        self._listener = self._bound(backlog=0)
        # The kernel answers nobody once the queue of connections that wait to be accepted is full.
        for _ in range(3):
            filler = socket.socket()
            filler.setblocking(False)
            with suppress(BlockingIOError):
                filler.connect(("127.0.0.1", self.port))
            self._fillers.append(filler)

    def heal(self) -> None:
        self.seconds_late = 0.0
        while self._fillers:
            self._fillers.pop().close()
        if self._listener.fileno() == -1 or self._thread is None:
            self._stop_listening()
            self._listener = self._bound(backlog=64)
            self._accept_from(self._listener)
        if not self._flows.is_set():
            # What was under way when silence fell never arrives, as when a link comes back after its senders gave up.
            self._end_connections()
            self._flows.set()

    def close(self) -> None:
        self.heal()
        self.cut()

    def _bound(self, backlog: int) -> socket.socket:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(backlog)
        return listener

    def _stop_listening(self) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        if self._thread:
            self._thread.join()
        self._thread: threading.Thread | None = None

    def _end_connections(self) -> None:
        while self._pairs:
            for end in self._pairs.pop():
                with suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def _accept_from(self, listener: socket.socket) -> None:
        self._thread = threading.Thread(target=self._accept, args=[listener], daemon=True)
        self._thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                caller = listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._connect, args=[caller], daemon=True).start()

    def _connect(self, caller: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self.target))
        except OSError:
            caller.close()
            return
        self._pairs.append((caller, server))
        threading.Thread(target=self._pass_on, args=[caller, server, True], daemon=True).start()
        threading.Thread(target=self._pass_on, args=[server, caller, False], daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, is_to_server: bool) -> None:
        with suppress(OSError):
            while data := source.recv(CHUNK):
                self._flows.wait()
                if is_to_server and self.seconds_late:
                    time.sleep(self.seconds_late)
                target.sendall(data)
        for end in (source, target):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
