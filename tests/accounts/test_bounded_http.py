"""What is asked of the provider ends in time and in size, whatever the provider does."""

import socket
import ssl
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from accounts import bounded_http
from accounts.bounded_http import Budget, NoAnswer, ask
from tests.accounts.lying import key
from tests.accounts.talking import answer, drips, says, talking
from tests.marketedge.serving import MuteServer, free_port

GOOD = answer(b'{"a": 1}')
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"


def reason(url: str, seconds: float = 2.0, **options: Any) -> str:
    with pytest.raises(NoAnswer) as failed:
        ask(url, Budget(seconds), **options).json_object()
    return str(failed.value)


def test_an_answer_has_status_and_body():
    with talking(says(GOOD)) as server:
        found = ask(f"{server.url}x?y=1", Budget(2))

    assert (found.status, found.json_object()) == (200, {"a": 1})
    assert server.heard[0].startswith(b"GET /x?y=1 HTTP/1.1\r\nHost: 127.0.0.1:")


def test_a_form_is_posted():
    with talking(says(GOOD)) as server:
        ask(server.url, Budget(2), form={"code": "a b&c"})

    assert server.heard[0].startswith(b"POST / HTTP/1.1\r\n")
    assert server.heard[0].endswith(b"\r\n\r\ncode=a+b%26c")


@pytest.mark.parametrize(
    "pieces",
    [
        [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b'4\r\n{"a"\r\n', b"4;x=y\r\n: 1}\r\n0\r\nTrailer: x\r\n\r\n"],
        [HEAD + b"\r\n", b'{"a"', b": 1}"],
        [HEAD[:20], HEAD[20:] + b"Content-Length: 8\r\n\r\n", b'{"a"', b": 1}"],
        [b"HTTP/1.1 100 Continue\r\n\r\n", GOOD],
    ],
    ids=["in chunks", "until it closes", "in pieces", "after a hundred"],
)
def test_an_answer_may_come_in_pieces(pieces):
    with talking(says(*pieces, pause=0.02)) as server:
        assert ask(server.url, Budget(2)).json_object() == {"a": 1}


@pytest.mark.parametrize(
    "conversation",
    [
        drips(b"", b"H"),
        drips(b"HTTP/1.1 200 OK\r\n", b"x"),
        drips(b"HTTP/1.1 200 OK\r\n", b"X-Slow: 1\r\n"),
        drips(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
        drips(HEAD + b"Content-Length: 100000\r\n\r\n", b" "),
        drips(HEAD + b"\r\n", b" "),
        drips(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"),
        drips(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
        says(GOOD[:-1], pause=5),
        says(b"", pause=5),
    ],
    ids=["status", "header", "headers", "hundreds", "body", "body to close", "chunks", "a chunk's size", "end", "mute"],
)
def test_one_byte_now_and_then_does_not_stretch_the_time(conversation):
    with talking(conversation) as server:
        began = time.monotonic()

        told = reason(server.url, seconds=0.5)

    assert (
        told in {"out of time", "TimeoutError", "LineTooLong", "HTTPException"},
        time.monotonic() - began < 2,
    ) == (
        True,
        True,
    )


@pytest.mark.parametrize(
    ("conversation", "told"),
    [
        (says(HEAD + b"Content-Length: 300000\r\n\r\n"), "the answer is too long"),
        (says(HEAD + b"Content-Length: 99999999999999999999\r\n\r\n"), "the answer is too long"),
        (drips(HEAD + b"\r\n", b" " * 9000, pause=0), "the answer is too long"),
        (
            drips(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"a0\r\n" + b" " * 160 + b"\r\n", 0),
            "the answer is too long",
        ),
        (says(HEAD + b"\r\n" + b'"' + b"x" * 280_000 + b'"'), "the answer is too long"),
        (says(b"HTTP/1.1 200 OK\r\n" + (b"X: " + b"y" * 60_000 + b"\r\n") * 6 + b"\r\n{}"), "the answer is too long"),
        (says(HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffff\r\n{}"), "IncompleteRead"),
        (says(answer(b'{"a": 1}')[:-3]), "the answer is cut off"),
        (says(HEAD + b'Transfer-Encoding: chunked\r\n\r\n8\r\n{"a"'), "IncompleteRead"),
        (says(HEAD + b'\r\n{"a"'), "the answer is not a JSON object"),
        (says(answer(b"{}", more=b"Content-Encoding: gzip\r\n")), "the answer is compressed, which was not asked for"),
        (says(answer(b"<html>", kind="text/html")), "the answer is not JSON"),
        (says(answer(b"{}", kind="text/plain")), "the answer is not JSON"),
        (says(answer(b"[]")), "the answer is not a JSON object"),
        (says(answer(b'{"a": 1, "a": 2}')), "the answer is not a JSON object"),
        (says(answer(b"\xff")), "the answer is not a JSON object"),
        (says(answer(b"")), "the answer is not a JSON object"),
        (says(answer(b"[" * 100_000)), "the answer is not a JSON object"),
        (says(b"nonsense\r\n\r\n"), "BadStatusLine"),
        (says(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n"), "HTTPException"),
        (says(b""), "RemoteDisconnected"),
    ],
)
def test_an_answer_that_makes_no_sense_is_none(conversation, told):
    with talking(conversation) as server:
        assert reason(server.url) == told


def test_where_an_answer_points_is_not_followed():
    with (
        talking(says(GOOD)) as other,
        talking(says(answer(b"", "302 Found", more=f"Location: {other.url}\r\n".encode()))) as server,
    ):
        status = ask(server.url, Budget(2)).status

    assert (status, other.heard) == (302, [])


def test_the_environment_has_no_say_in_where_secrets_go(monkeypatch, tmp_path):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    Path(tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b")
    with talking(says(GOOD)) as server:
        ask(server.url, Budget(2))

    assert b"authorization" not in server.heard[0].lower()


def test_nobody_at_the_address_is_said_at_once():
    assert reason(f"http://127.0.0.1:{free_port()}/") == "ConnectionRefusedError"


def test_a_name_service_that_does_not_answer_is_given_up(monkeypatch):
    released = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: released.wait(5) and [])
    began = time.monotonic()

    told = reason("http://provider.example/", seconds=0.3)

    released.set()
    assert (told, time.monotonic() - began < 2) == ("the name service does not answer", True)


def test_a_name_that_is_unknown_is_said_so(monkeypatch):
    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror("unknown")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)

    assert reason("http://provider.example/") == "gaierror"


def test_a_silent_address_leaves_time_for_the_next(monkeypatch):
    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    silent = [socket.create_connection(full.getsockname()) for _ in range(1)]
    with talking(says(GOOD)) as server:
        ways = [
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", full.getsockname()),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port)),
        ]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ways)

        status = ask("http://provider.example/", Budget(2)).status

    for line in [full, *silent]:
        line.close()
    assert status == 200


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody has vouched for, with its key."""
    private, name = key(), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "provider")])
    now = datetime.now(UTC)
    alternative = x509.SubjectAlternativeName([x509.IPAddress(bounded_http.ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(private.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(alternative, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(private, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    path.write_bytes(made.public_bytes(pem) + private.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return path


@pytest.fixture
def tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusting(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    bounded_http._tls.cache_clear()
    monkeypatch.setattr(bounded_http, "_tls", bounded_http._tls.__wrapped__)


def test_https_is_asked_of_those_whom_an_authority_vouches_for(tls, trusting):
    with talking(says(GOOD), tls) as server:
        assert ask(server.url, Budget(2)).json_object() == {"a": 1}


def test_nobody_else_is_asked_over_https(tls):
    with talking(says(GOOD), tls) as server:
        assert (reason(server.url), server.heard) == ("SSLCertVerificationError", [])


def test_a_certificate_for_another_name_is_refused(tls, trusting, monkeypatch):
    with talking(says(GOOD), tls) as server:
        way = (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", server.port))
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [way])

        assert reason(f"https://provider.example:{server.port}/") == "SSLCertVerificationError"


def test_dripping_over_https_ends_in_time_too(tls, trusting):
    with talking(drips(b"HTTP/1.1 200 OK\r\n", b"x"), tls) as server:
        began = time.monotonic()

        reason(server.url, seconds=0.5)

    assert time.monotonic() - began < 2


def test_a_server_that_never_greets_over_https_is_given_up():
    mute, began = MuteServer(), time.monotonic()

    told = reason(f"https://127.0.0.1:{mute.port}/", seconds=0.5)

    mute.close()
    assert (told, time.monotonic() - began < 2) == ("TimeoutError", True)


def test_a_budget_that_is_spent_asks_nobody():
    with talking(says(GOOD)) as server:
        budget = Budget(0.01)
        time.sleep(0.02)
        with pytest.raises(NoAnswer, match="out of time"):
            ask(server.url, budget)

    assert server.heard == []
