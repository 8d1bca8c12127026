"""A whole running product with every line to the outside in our hands: database, identity provider, processes."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import requests

from accounts.local_provider.provider import Provider, ProviderSettings
from accounts.local_provider.server import serve_in_thread
from marketedge.local.postgres import EmbeddedPostgres
from tests.environment import ROOT
from tests.faults import names
from tests.faults.proxy import Line
from tests.marketedge.serving import free_port

DATABASE = "marketedge"
HERE = "/o/lumen-cinemas/"
SUBJECT = "demonstration|cinema-viewer"
# Shorter than in production, in the same order, so that each fault is seen through in seconds.
LIMITS = {
    "CONNECT_TIMEOUT": "2",
    "STATEMENT_TIMEOUT": "3000",
    "CLIENT_DEADLINE": "4",
    "REQUEST_DEADLINE": "5",
    "OIDC_TIMEOUT": "3",
    "WEB_THREADS": "8",
}
# The program itself: `python -m gunicorn` cannot start itself again when it is told to.
GUNICORN = Path(sys.executable).with_name("gunicorn")
PAGE_LIMIT = 6.5  # seconds: a page's deadline and what it takes to say so


class World:
    """`line` leads to the database, `provider_line` to the identity provider."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres = EmbeddedPostgres(folder / "postgres", durable=False)
        self.port = free_port()
        self.log = folder / "web.log"
        self.web: subprocess.Popen[bytes] | None = None
        self.output: IO[bytes] | None = None  # where the web writes instead of into the log

    @contextmanager
    def running(self) -> Iterator["World"]:
        with ExitStack() as stops:
            self.postgres.start()
            stops.callback(self.postgres.stop)
            self.postgres.ensure_database(DATABASE)
            self.names = names.Names(self.folder)
            self.line = Line(self.postgres.port)
            stops.callback(self.line.close)
            self._run_provider(stops)
            self.manage("prepare")
            yield self

    def _run_provider(self, stops: ExitStack) -> None:
        address = f"{self.url}/oidc/callback/"
        self.provider = Provider(ProviderSettings("", "us", "a-made-up-secret", (address,), (f"{self.url}/",)))
        issuer = stops.enter_context(serve_in_thread(self.provider))
        self.provider_line = Line(int(issuer.rstrip("/").rpartition(":")[2]))
        stops.callback(self.provider_line.close)
        self.provider.settings = replace(self.provider.settings, issuer=self.issuer)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def issuer(self) -> str:
        return f"http://127.0.0.1:{self.provider_line.port}/"

    @property
    def environment(self) -> dict[str, str]:
        """Of the web and of commands: the database through the line, nothing of ours."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": os.environ.get("HOME", "/"),
            "SECRET_KEY": "only-for-tests-0123456789-abcdefghijklmnopqrstuvwxyz-0123456789",
            "DEMONSTRATION": "on",
            "PORT": str(self.port),
            "PUBLIC_URL": self.url,
            "ALLOWED_HOSTS": "127.0.0.1,localhost",
            "SECURE_COOKIES": "off",
            "SSL_REDIRECT": "off",
            "CONTACT": "support@zebra-associates.example",
            "CORS_ALLOWED_ORIGINS": "https://app.example",
            "API_REDIRECT_URIS": "https://app.example/callback",
            "OIDC_ISSUER": self.issuer,
            "OIDC_RP_CLIENT_ID": "us",
            "OIDC_RP_CLIENT_SECRET": "a-made-up-secret",
            "DATABASE_URL": self._through_line(self.postgres.web_url(DATABASE)),
            "PYTHONUNBUFFERED": "1",
            **LIMITS,
        }

    def _through_line(self, url: str) -> str:
        host = names.HOST if names.can_be_taken_away() else "127.0.0.1"
        return url.replace(f"127.0.0.1:{self.postgres.port}/", f"{host}:{self.line.port}/")

    def manage(self, *arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
        """A command beside the web; it fails loudly, unless it is asked about by its exit code (`changes` is given)."""
        told = subprocess.run(
            self.names.seen_by([sys.executable, "manage.py", *arguments]),
            cwd=ROOT,
            env={**self.environment, "DATABASE_OWNER_URL": self.postgres.owner_url(DATABASE), **changes},
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert changes or told.returncode == 0, told.stdout + told.stderr
        return told

    @contextmanager
    def serving(self, workers: int = 1, **changes: str) -> Iterator["World"]:
        """The web processes, as they are deployed; ends with SIGTERM."""
        self.start(workers, **changes)
        try:
            yield self
        finally:
            self.stop()

    def start(self, workers: int = 1, **changes: str) -> None:
        with self.log.open("ab") as log:
            self.web = subprocess.Popen(
                self.names.seen_by([str(GUNICORN), "-c", "marketedge/gunicorn.conf.py"]),
                cwd=ROOT,
                env={**self.environment, "WEB_CONCURRENCY": str(workers), **changes},
                stdout=self.output or log,
                stderr=self.output or log,
            )

    def stop(self) -> int:
        assert self.web
        self.web.send_signal(signal.SIGTERM)
        return self.web.wait(timeout=40)

    def workers(self) -> list[int]:
        assert self.web
        told = subprocess.run(["pgrep", "-P", str(self.web.pid)], capture_output=True, text=True, check=False)
        return [int(pid) for pid in told.stdout.split()]

    def as_superuser(self, statement: str) -> None:
        with self.postgres._superuser() as connection:
            connection.execute(statement)

    def get(self, path: str, timeout: float = 20.0, **options: Any) -> requests.Response:
        return requests.get(f"{self.url}{path}", timeout=timeout, allow_redirects=False, **options)


def seconds_until(is_so: Callable[[], bool], limit: float) -> float:
    """How long until it is so; AssertionError when it is not within `limit` seconds."""
    began = time.monotonic()
    while time.monotonic() - began < limit:
        try:
            if is_so():
                return time.monotonic() - began
        except requests.RequestException:
            pass
        time.sleep(0.05)
    raise AssertionError(f"not so within {limit} seconds")


def sign_in(world: World, subject: str = SUBJECT) -> requests.Session:
    """A browser of sorts in which somebody has signed in, through the real flow."""
    browser = requests.Session()
    page = browser.get(f"{world.url}/oidc/authenticate/?next={HERE}", timeout=20)
    pending = re.search(r'name="pending" value="([^"]+)"', page.text)
    assert pending, page.text
    answer = browser.post(f"{world.issuer}authorize", data={"pending": pending[1], "subject": subject}, timeout=20)
    assert answer.status_code == 200, answer.text
    return browser
