"""Asks an address once, for checks: bounded in all, with no redirect followed and no proxy of the environment."""

import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPMessage
from urllib.parse import urlsplit

from tenants.postgresql.names import NameNotResolved, addresses_of

BODY_LIMIT = 1_000_000  # bytes
CHUNK = 65_536


class Unreachable(Exception):
    """There was no whole answer; the message says why, in a few words."""


class Untrusted(Unreachable):
    """Somebody answered, with a certificate that proves nothing."""


@dataclass(frozen=True)
class Answer:
    """What came back. `seconds` is how long it took; `asked_at` is the middle of that, since 1970."""

    status: int
    headers: HTTPMessage
    body: bytes
    seconds: float
    asked_at: float
    certificate_ends_at: datetime | None = None

    @property
    def text(self) -> str:
        return self.body.decode(errors="replace")

    @property
    def skew(self) -> float | None:
        """Seconds that the other clock is ahead of ours, to about one; None when it does not say."""
        try:
            told = parsedate_to_datetime(self.headers.get("Date", ""))
        except ValueError:
            return None
        return told.timestamp() + 0.5 - self.asked_at


def fetch(
    url: str, *, within: float, method: str = "GET", body: str = "", headers: Mapping[str, str] | None = None
) -> Answer:
    """The answer of whatever status, after at most `within` seconds in all. Raises Unreachable."""
    began, deadline = time.time(), time.monotonic() + within
    try:
        with _Line(url, deadline) as line:
            status, told, content = line.ask(method, body, headers or {})
    except NameNotResolved:
        raise Unreachable("its host name is unknown, or the name servers do not answer") from None
    except ssl.SSLCertVerificationError as fault:
        raise Untrusted(f"its certificate is not to be trusted: {fault.verify_message}") from None
    except (OSError, HTTPException) as fault:
        is_late = time.monotonic() >= deadline or isinstance(fault, TimeoutError)
        raise Unreachable(f"no whole answer within {within:.3g} seconds" if is_late else _words(fault)) from None
    took = time.time() - began
    return Answer(status, told, content, took, began + took / 2, line.certificate_ends_at)


def _words(fault: Exception) -> str:
    if isinstance(fault, ConnectionRefusedError):
        return "the connection is refused: nothing listens there"
    if isinstance(fault, ssl.SSLError):
        return "TLS could not be agreed upon"
    if isinstance(fault, ConnectionError):
        return "it ended the connection"
    return f"the answer could not be read ({type(fault).__name__})"


class _Line:
    """One connection. When its time is over it is shut down, so that an answer that drips does not stretch it."""

    def __init__(self, url: str, deadline: float) -> None:
        self.parts = urlsplit(url)
        self.deadline = deadline
        self.certificate_ends_at: datetime | None = None

    def __enter__(self) -> "_Line":
        self.socket = self._connected()
        self.timer = threading.Timer(self._left(), self._shut_down)
        self.timer.daemon = True
        self.timer.start()
        if self.parts.scheme == "https":
            self._begin_tls()
        return self

    def __exit__(self, *_: object) -> None:
        self.timer.cancel()
        self.socket.close()

    def ask(self, method: str, body: str, headers: Mapping[str, str]) -> tuple[int, HTTPMessage, bytes]:
        connection = HTTPConnection(self.parts.netloc)
        connection.sock = self.socket
        path = f"{self.parts.path or '/'}{f'?{self.parts.query}' if self.parts.query else ''}"
        with suppress(BrokenPipeError):  # who refuses a request early may still have answered it
            connection.request(method, path, body.encode() or None, {"Connection": "close", **headers})
        with connection.getresponse() as response:
            content = b""
            while chunk := response.read1(CHUNK):
                content += chunk
                self._require_time_and_room(content)
            self._require_time_and_room(content)
            if response.length:
                raise ConnectionError("cut off")
            return response.status, response.headers, content

    def _require_time_and_room(self, content: bytes) -> None:
        if time.monotonic() >= self.deadline:
            raise TimeoutError
        if len(content) > BODY_LIMIT:
            raise HTTPException("too large")

    def _connected(self) -> socket.socket:
        host = self.parts.hostname or ""
        port = self.parts.port or (443 if self.parts.scheme == "https" else 80)
        *others, last = addresses_of(host, within=self._left()) or [host]
        for address in others:
            with suppress(OSError):
                return socket.create_connection((address, port), timeout=self._left() / 2)
        return socket.create_connection((last, port), timeout=self._left())

    def _begin_tls(self) -> None:
        # The same authorities as the sign-in trusts.
        import certifi

        context = ssl.create_default_context(cafile=certifi.where())
        self.socket = secured = context.wrap_socket(self.socket, server_hostname=self.parts.hostname)
        ends = (secured.getpeercert() or {}).get("notAfter")
        if isinstance(ends, str):
            self.certificate_ends_at = datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC)

    def _left(self) -> float:
        left = self.deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left

    def _shut_down(self) -> None:
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
