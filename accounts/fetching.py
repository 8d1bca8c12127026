"""Asks an address once, for checks, and tells all that came back; bounded as a whole as `bounded_http` bounds it."""

import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.client import HTTPException, HTTPMessage, HTTPResponse
from socket import gaierror, socket
from urllib.parse import SplitResult, urlsplit

from accounts.bounded_http import Budget, NoAnswer, Reader, connected

PIECE = 8192


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
    began, parts = time.time(), urlsplit(url)
    ends_at = time.monotonic() + within
    try:
        budget = Budget(within)
        with connected(parts, budget) as line:
            certificate_ends_at = _end_of_certificate(line)
            line.settimeout(budget.left())
            line.sendall(_question(parts, method, body.encode(), headers or {}))
            status, told, content = _read(line, budget, method)
    except ssl.SSLCertVerificationError as fault:
        raise Untrusted(f"its certificate is not to be trusted: {fault.verify_message}") from None
    except (NoAnswer, OSError, HTTPException) as fault:
        is_late = time.monotonic() >= ends_at or isinstance(fault, TimeoutError)
        raise Unreachable(f"no whole answer within {within:.3g} seconds" if is_late else _words(fault)) from None
    took = time.time() - began
    return Answer(status, told, content, took, began + took / 2, certificate_ends_at)


def _words(fault: Exception) -> str:
    if isinstance(fault, NoAnswer):
        return str(fault)
    if isinstance(fault, ConnectionRefusedError):
        return "the connection is refused: nothing listens there"
    if isinstance(fault, ssl.SSLError):
        return "TLS could not be agreed upon"
    if isinstance(fault, ConnectionError):
        return "it ended the connection"
    if isinstance(fault, gaierror):
        return "its host name is unknown"
    if isinstance(fault, OSError):
        return f"it cannot be reached: {fault.strerror or type(fault).__name__}"
    return "the answer is not HTTP"


def _question(parts: SplitResult, method: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    sent = {"Host": parts.netloc, "Accept-Encoding": "identity", "Connection": "close", **headers}
    if body or method == "POST":
        sent["Content-Length"] = str(len(body))
    path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


def _read(line: socket, budget: Budget, method: str) -> tuple[int, HTTPMessage, bytes]:
    response = HTTPResponse(Reader(line, budget), method=method)  # type: ignore[arg-type]
    try:
        response.begin()
        promised, content = response.length, b""
        while piece := response.read1(PIECE):
            content += piece
        if promised is not None and len(content) < promised:
            raise NoAnswer("the answer is cut off")
        return response.status, response.headers, content
    finally:
        response.close()


def _end_of_certificate(line: socket) -> datetime | None:
    told = line.getpeercert() if isinstance(line, ssl.SSLSocket) else None
    ends = told.get("notAfter") if told else None
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(ends), UTC) if isinstance(ends, str) else None
