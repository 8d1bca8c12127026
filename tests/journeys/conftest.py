"""The whole product for a browser: a database, the local identity provider and gunicorn, as `make run` starts them."""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from marketedge.environment import parse_database
from tests.environment import ROOT, SETTINGS
from tests.marketedge.serving import free_port

DATABASE = "marketedge_journeys"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@dataclass(frozen=True)
class Product:
    """Where it runs, and the environment for commands beside it."""

    url: str
    environment: dict[str, str]

    def manage(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "manage.py", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    web, provider = free_port(), free_port()
    environment = _environment(web, provider)
    _make_database()
    product = Product(f"http://127.0.0.1:{web}", environment)
    prepared = product.manage("prepare")
    assert prepared.returncode == 0, prepared.stdout + prepared.stderr
    started = [
        _start(environment, "manage.py", "local_identity_provider", "--port", str(provider)),
        _start(environment, "-m", "gunicorn", "-c", "marketedge/gunicorn.conf.py", "marketedge.wsgi"),
    ]
    try:
        _wait_for(f"{product.url}/healthz/ready")
        _wait_for(f"http://127.0.0.1:{provider}/.well-known/openid-configuration")
        yield product
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=40)


def _environment(web: int, provider: int) -> dict[str, str]:
    addresses = {
        name: os.environ[name].rsplit("/", 1)[0] + f"/{DATABASE}" for name in ("DATABASE_URL", "DATABASE_OWNER_URL")
    }
    return {
        "PATH": os.environ["PATH"],
        **SETTINGS,
        **addresses,
        "DEMONSTRATION": "on",
        "PORT": str(web),
        "PUBLIC_URL": f"http://127.0.0.1:{web}",
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECURE_COOKIES": "off",
        "OIDC_ISSUER": f"http://127.0.0.1:{provider}/",
    }


def _make_database() -> None:
    owner = parse_database(os.environ["DATABASE_OWNER_URL"])
    with psycopg.connect(
        host=owner["HOST"],
        port=owner["PORT"],
        user=owner["USER"],
        password=owner["PASSWORD"],
        dbname="postgres",
        autocommit=True,
    ) as administrator:
        administrator.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        administrator.execute(f"CREATE DATABASE {DATABASE}")


def _start(environment: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
    name = arguments[1] if arguments[0] != "-m" else "web"
    log = ROOT / ".local" / f"journeys-{name}{os.environ.get('PYTEST_XDIST_WORKER', '')}.log"
    log.parent.mkdir(exist_ok=True)
    with log.open("wb") as written:
        command = [sys.executable, *arguments]
        return subprocess.Popen(command, cwd=ROOT, env=environment, stdout=written, stderr=subprocess.STDOUT)


def _wait_for(url: str, seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 (loopback alone)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


@pytest.fixture(scope="module")  # while it is open, nothing else in this process may use the database
def browser() -> Iterator[Browser]:
    path = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("No Chromium here, and CI must not skip the journeys: `make chromium` installs it.")
        pytest.skip("SKIPPED: no Chromium on the PATH; `make chromium` says how to get one.")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=path, args=QUIET)
        yield opened
        opened.close()


@pytest.fixture
def faults() -> list[str]:
    """What browsers complained about: console errors, CSP violations, failed scripts. Must stay empty."""
    return []


@pytest.fixture
def open_page(product: Product, browser: Browser, faults: list[str]) -> Iterator:
    """Opens a fresh browser for each person: open_page() -> Page with the product's address as its base."""
    contexts: list[BrowserContext] = []

    def opened(**options: object) -> Page:
        context = browser.new_context(base_url=product.url, **options)  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"{page.url}: {error}"))
        page.on("console", lambda message: _note(faults, page, message))
        return page

    yield opened
    for context in contexts:
        context.close()
    assert faults == []


def _note(faults: list[str], page: Page, message: object) -> None:
    # An answer of 403 or 404 is logged by the browser itself; it is what some journeys are about.
    is_answer = "the server responded with a status of 40" in message.text  # type: ignore[attr-defined]
    if message.type in {"error", "warning"} and not is_answer:  # type: ignore[attr-defined]
        faults.append(f"{page.url}: {message.text}")  # type: ignore[attr-defined]


@pytest.fixture
def sign_in(open_page):
    """Signs somebody in through the provider's page, in a browser of their own: sign_in("Ben Castellan") -> Page."""

    def signed_in(name: str, path: str = "/", **options: object) -> Page:
        page = open_page(**options)
        page.goto(path)
        page.get_by_role("link", name="Sign in").or_(page.get_by_role("button", name="Sign in")).first.click()
        page.get_by_role("button", name=name).click()
        page.wait_for_load_state()
        return page

    return signed_in


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.journey)
