"""One question to a server outside: bounded in time and size as a whole, and sent nowhere else.

Libraries bound each read; a server that sends one byte a second stretches those for ever. Here one clock runs from
the name's look-up to the last byte. No redirect, proxy, .netrc or compression has a say.
"""

import io
import ipaddress
import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException, HTTPResponse
from typing import Any
from urllib.parse import SplitResult, urlencode, urlsplit

from accounts import strict_json

BODY_LIMIT = 256 * 1024
ALL_LIMIT = BODY_LIMIT + 64 * 1024  # with headers, and what chunks add
PIECE = 8192
MOST_ADDRESSES = 4


class NoAnswer(Exception):
    """The server could not be asked, or did not answer in time and in form; the text says which, for the log."""


class Budget:
    """Seconds for everything that is asked with it, from now on."""

    def __init__(self, seconds: float) -> None:
        self.ends_at = time.monotonic() + seconds

    def left(self) -> float:
        left = self.ends_at - time.monotonic()
        if left <= 0:
            raise NoAnswer("out of time")
        return left

    def at_most(self, seconds: float) -> "Budget":
        return Budget(min(seconds, self.left()))


@dataclass(frozen=True)
class Answer:
    status: int
    content_type: str
    body: bytes

    def json_object(self) -> dict[str, Any]:
        """The body, when it is a JSON object and says so; else NoAnswer."""
        kind = self.content_type.partition(";")[0].strip().lower()
        if kind != "application/json" and not (kind.startswith("application/") and kind.endswith("+json")):
            raise NoAnswer("the answer is not JSON")
        try:
            return strict_json.read_object(self.body)
        except ValueError as fault:
            raise NoAnswer("the answer is not a JSON object") from fault


def ask(url: str, budget: Budget, *, form: Mapping[str, str] | None = None) -> Answer:
    """GET the address, or POST the form to it; an answer of any status, or NoAnswer."""
    parts = urlsplit(url)
    try:
        with connected(parts, budget) as connection:
            connection.settimeout(budget.left())
            connection.sendall(_question(parts, form))
            return _read(connection, budget)
    except (OSError, HTTPException) as fault:
        raise NoAnswer(type(fault).__name__) from fault


def _question(parts: SplitResult, form: Mapping[str, str] | None) -> bytes:
    body = b"" if form is None else urlencode(form).encode()
    lines = [
        f"{'GET' if form is None else 'POST'} {parts.path or '/'}{'?' if parts.query else ''}{parts.query} HTTP/1.1",
        f"Host: {parts.netloc}",
        "User-Agent: MarketEdge",
        "Accept: application/json",
        "Accept-Encoding: identity",
        "Connection: close",
    ]
    if form is not None:
        lines += ["Content-Type: application/x-www-form-urlencoded", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


class Reader(io.RawIOBase):
    """Reads what has come, looking at the clock and at the sum before every piece."""

    def __init__(self, connection: socket.socket, budget: Budget) -> None:
        self.connection, self.budget, self.allowed = connection, budget, ALL_LIMIT

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self.connection.settimeout(self.budget.left())
        read = self.connection.recv_into(buffer)
        self.allowed -= read
        if self.allowed < 0:
            raise NoAnswer("the answer is too long")
        return read

    def makefile(self, mode: str) -> io.BufferedReader:
        """What HTTPResponse asks of a socket."""
        return io.BufferedReader(self, PIECE)


def _read(connection: socket.socket, budget: Budget) -> Answer:
    response = HTTPResponse(Reader(connection, budget))  # type: ignore[arg-type]
    try:
        response.begin()
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise NoAnswer("the answer is compressed, which was not asked for")
        return Answer(response.status, response.headers.get("Content-Type", ""), _body(response))
    finally:
        response.close()


def _body(response: HTTPResponse) -> bytes:
    promised = response.length
    if promised is None and not response.chunked and "Content-Length" in response.headers:
        raise NoAnswer("the answer's length is none")
    if promised is not None and promised > BODY_LIMIT:
        raise NoAnswer("the answer is too long")
    body = b""
    while promised is None or len(body) < promised:
        piece = response.read1(PIECE)
        if not piece:
            break
        body += piece
        if len(body) > BODY_LIMIT:
            raise NoAnswer("the answer is too long")
    if promised is not None and len(body) < promised:
        raise NoAnswer("the answer is cut off")
    return body


def connected(parts: SplitResult, budget: Budget) -> socket.socket:
    if parts.hostname is None:
        raise NoAnswer("the address names no host")
    is_secure = parts.scheme == "https"
    connection = _reached(_addresses(parts.hostname, parts.port or (443 if is_secure else 80), budget), budget)
    if not is_secure:
        return connection
    try:
        connection.settimeout(budget.left())
        return _tls().wrap_socket(connection, server_hostname=parts.hostname)
    except BaseException:
        connection.close()
        raise


def _addresses(host: str, port: int, budget: Budget) -> list[Any]:
    """Look the name up in a thread of its own: the system's resolver cannot be told to stop."""
    if _is_number(host):
        return _look_up(host, port)
    found: queue.SimpleQueue[list[Any] | OSError] = queue.SimpleQueue()
    threading.Thread(target=_note, args=[found, _look_up, host, port], name="look-up", daemon=True).start()
    try:
        addresses = found.get(timeout=budget.left())
    except queue.Empty:
        raise NoAnswer("the name service does not answer") from None
    if isinstance(addresses, OSError):
        raise addresses
    return addresses


def _look_up(host: str, port: int) -> list[Any]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[:MOST_ADDRESSES]


def _note(found: queue.SimpleQueue[Any], look_up: Callable[[str, int], list[Any]], host: str, port: int) -> None:
    try:
        found.put(look_up(host, port))
    except OSError as fault:
        found.put(fault)


def _is_number(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _reached(addresses: list[Any], budget: Budget) -> socket.socket:
    """The first address that answers; each gets its share of the time, so that a silent one leaves some."""
    fault: OSError = OSError("the name has no address")
    for position, (family, kind, protocol, _, address) in enumerate(addresses):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.settimeout(budget.left() / (len(addresses) - position))
            connection.connect(address)
        except OSError as refused:
            connection.close()
            fault = refused
        except NoAnswer:
            connection.close()
            raise
        else:
            return connection
    raise fault


@cache
def _tls() -> ssl.SSLContext:
    """The system's authorities (SSL_CERT_FILE names others), or certifi's where the system has none."""
    context = ssl.create_default_context()
    system = ssl.get_default_verify_paths()
    if not (system.cafile or system.capath):
        import certifi

        context.load_verify_locations(certifi.where())
    return context
