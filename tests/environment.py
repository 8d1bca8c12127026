"""The environment of the tests: production's rules, an embedded PostgreSQL unless TEST_DATABASE_* name another.

A pytest plugin (see pyproject.toml), since settings are read before any conftest.py.
"""

import os
import secrets
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
SETTINGS = {
    "SECRET_KEY": secrets.token_urlsafe(64),
    "DEBUG": "off",
    "DEMONSTRATION": "off",
    "PUBLIC_URL": "https://marketedge.example",
    "ALLOWED_HOSTS": "marketedge.example,testserver",
    "CONTACT": "support@zebra-associates.example",
    "SECURE_COOKIES": "on",
    "SSL_REDIRECT": "off",
    "STATIC_HASHED": "off",
    "OIDC_ISSUER": "https://issuer.example/",
    "OIDC_RP_CLIENT_ID": "marketedge-tests",
    "OIDC_RP_CLIENT_SECRET": secrets.token_urlsafe(48),
    "CORS_ALLOWED_ORIGINS": "https://app.example",
    "API_REDIRECT_URIS": "https://app.example/callback",
    "FLAGS_FORCED": "",
    "FLAGS_FILE": "",
    "RELEASE_COMMIT": "0000000",
    "LOG_FORMAT": "json",
    "REQUEST_LOG": "on",
    "METRICS_TOKEN": "",
    "SENTRY_DSN": "",
}
_servers: list[Any] = []


def _database_addresses() -> dict[str, str]:
    if "TEST_DATABASE_OWNER_URL" in os.environ:
        return {
            "DATABASE_URL": os.environ["TEST_DATABASE_URL"],
            "DATABASE_OWNER_URL": os.environ["TEST_DATABASE_OWNER_URL"],
        }
    from marketedge.local.postgres import EmbeddedPostgres, EmbeddedPostgresError

    # Roles belong to a whole server, so each of several test processes has a server of its own.
    process = os.environ.get("PYTEST_XDIST_WORKER", "")
    server = EmbeddedPostgres(ROOT / ".local" / f"test-postgres{process and f'-{process}'}", durable=False)
    try:
        server.start()
    except EmbeddedPostgresError as problem:
        pytest.exit(str(problem), returncode=2)
    _servers.append(server)
    return {"DATABASE_URL": server.web_url("marketedge"), "DATABASE_OWNER_URL": server.owner_url("marketedge")}


def pytest_unconfigure(config: pytest.Config) -> None:
    while _servers:
        _servers.pop().stop()


os.environ.update({**SETTINGS, **_database_addresses()})
