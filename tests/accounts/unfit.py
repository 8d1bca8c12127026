"""Providers that are unfit: their document and keys changed, their answers dripping, their certificate at its end."""

import ipaddress
import json
import socket
import ssl
import threading
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from wsgiref.simple_server import make_server

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from accounts.local_provider.messages import as_json
from accounts.local_provider.provider import Provider, ProviderSettings
from accounts.local_provider.server import Quiet, ThreadingServer
from tests.accounts.conftest import CALLBACK

DOCUMENT, KEYS = "/.well-known/openid-configuration", "/.well-known/jwks.json"
SMALL_KEY = {"kty": "RSA", "kid": "small", "e": "AQAB", "n": urlsafe_b64encode(b"\xff" * 128).rstrip(b"=").decode()}


class Lying(Provider):
    """A provider that changes what it says of itself by `document` and `keys`."""

    def __init__(self, document: Callable = dict, keys: Callable = dict) -> None:
        super().__init__(ProviderSettings("", "us", "secret", (CALLBACK,), ()))
        tell = self.routes[DOCUMENT]["GET"]
        self.routes[DOCUMENT]["GET"] = lambda request: as_json(document(json.loads(tell(request).body)))
        self.routes[KEYS]["GET"] = lambda _: as_json(keys(self.signer.jwks()))


@contextmanager
def dripping() -> Iterator[int]:
    """The port of a server that answers a byte in a tenth of a second."""
    listener = socket.create_server(("127.0.0.1", 0))

    def drip() -> None:
        caller = listener.accept()[0]
        with suppress(OSError):
            for byte in b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b" " * 1000:
                caller.sendall(bytes([byte]))
                time.sleep(0.1)
        caller.close()

    thread = threading.Thread(target=drip, daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.close()
    thread.join(5)


def self_signed(folder: Path, days: int) -> Path:
    """A certificate for 127.0.0.1 that ends after so many days, and its key."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=90))
        .not_valid_after(now + timedelta(days=days, hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    encoded = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    path = folder / "both.pem"
    path.write_bytes(encoded + made.public_bytes(serialization.Encoding.PEM))
    return path


@contextmanager
def secured(path: Path) -> Iterator[str]:
    """An honest provider over https."""
    provider = Lying()
    server = make_server("127.0.0.1", 0, provider, ThreadingServer, Quiet)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    issuer = f"https://127.0.0.1:{server.server_port}/"
    provider.settings = replace(provider.settings, issuer=issuer)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield issuer
    server.shutdown()
    server.server_close()
    thread.join()
