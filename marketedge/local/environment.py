"""The environment of the one-command start: what is set counts, the rest gets values for this machine alone."""

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from marketedge.environment import read_dotenv
from marketedge.local import processes
from marketedge.local.kept import kept_secret

PORT = 8000
PROVIDER_PORT = 8001


class CannotStart(Exception):
    """Something is missing or wrong; the message says what, and what to do."""

    def __init__(self, problem: str, exit_code: int = 2) -> None:
        super().__init__(problem)
        self.exit_code = exit_code


@dataclass(frozen=True)
class Start:
    """What to start: `variables` are for every process, and None for the provider's port means somebody else's."""

    variables: dict[str, str]
    port: int
    provider_port: int | None
    has_own_database: bool


def plan_start(root: Path, given: Mapping[str, str]) -> Start:
    """Decide from the process environment and .env; raises CannotStart."""
    is_set = {name: value for name, value in {**_dotenv(root), **given}.items() if value.strip()}
    _refuse_half_a_database(is_set)
    _refuse_another_address(is_set)
    _refuse_malformed_workers(is_set)
    port = _free_port_of(is_set)
    provider_port = None if "OIDC_ISSUER" in is_set else _provider_port(port)
    defaults = {**_defaults(root, port), **(_sign_in(root, provider_port) if provider_port else {})}
    return Start({**defaults, **is_set}, port, provider_port, has_own_database="DATABASE_URL" in is_set)


def _dotenv(root: Path) -> dict[str, str]:
    try:
        return read_dotenv(root / ".env")
    except ImproperlyConfigured as broken:
        raise CannotStart(str(broken)) from None
    except OSError as unreadable:
        raise CannotStart(f".env cannot be read: {unreadable.strerror}.") from None


def _refuse_half_a_database(is_set: Mapping[str, str]) -> None:
    pair = {"DATABASE_URL", "DATABASE_OWNER_URL"}
    if len(missing := pair - is_set.keys()) == 1:
        raise CannotStart(f"Set {missing.pop()} too, or neither of the two: the web's login and the owner's.")


def _refuse_another_address(is_set: Mapping[str, str]) -> None:
    if "BIND" in is_set:
        raise CannotStart("BIND is for servers: this start listens on 127.0.0.1 alone. Remove it, or set PORT.")


def _refuse_malformed_workers(is_set: Mapping[str, str]) -> None:
    # gunicorn reads it before it reads our configuration, and shows a traceback.
    text = is_set.get("WEB_CONCURRENCY", "2").strip()
    if not text.isdecimal() or int(text) == 0:
        raise CannotStart("WEB_CONCURRENCY is malformed: expected a number of processes.")


def _free_port_of(is_set: Mapping[str, str]) -> int:
    text = is_set.get("PORT", str(PORT)).strip()
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise CannotStart("PORT is malformed: expected a number from 1 to 65535.")
    if not processes.is_free(int(text)):
        raise CannotStart(f"Port {int(text)} is taken or not allowed: choose another with `make run PORT=8080`.")
    return int(text)


def _provider_port(port: int) -> int:
    if port != PROVIDER_PORT and processes.is_free(PROVIDER_PORT):
        return PROVIDER_PORT
    return processes.free_port()


def _defaults(root: Path, port: int) -> dict[str, str]:
    return {
        "SECRET_KEY": kept_secret(root / ".local" / "secret-key"),
        "DEMONSTRATION": "on",
        "PORT": str(port),
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
        "ALLOWED_HOSTS": "127.0.0.1,localhost",
        "SECURE_COOKIES": "off",
        "SSL_REDIRECT": "off",
        "CONTACT": "support@zebra-associates.example",
        "CORS_ALLOWED_ORIGINS": "http://127.0.0.1:3000",
        "API_REDIRECT_URIS": "http://127.0.0.1:3000/callback",
        "RELEASE_COMMIT": _commit(root),
        "PYTHONUNBUFFERED": "1",
    }


def _sign_in(root: Path, provider_port: int) -> dict[str, str]:
    return {
        "OIDC_ISSUER": f"http://127.0.0.1:{provider_port}/",
        "OIDC_RP_CLIENT_ID": "marketedge-local",
        "OIDC_RP_CLIENT_SECRET": kept_secret(root / ".local" / "client-secret"),
    }


def _commit(root: Path) -> str:
    asked = ["git", "rev-parse", "--short", "HEAD"]
    try:
        said = subprocess.run(asked, cwd=root, capture_output=True, text=True, check=False, timeout=5)
    except (OSError, subprocess.TimeoutExpired):
        return "unknown"
    return said.stdout.strip() or "unknown"
