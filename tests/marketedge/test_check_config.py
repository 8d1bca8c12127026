"""`check_config`: what does not fit together is named, no value is told, and the database is not needed."""

import json
import subprocess
import sys

import pytest

from marketedge import capacity, configuration
from marketedge.environment import Environment
from marketedge.settings import env
from tests.environment import ROOT, SETTINGS
from tests.marketedge.serving import environment

SECRET = SETTINGS["SECRET_KEY"]


def problems(report) -> list[str]:
    return [f"{finding.subject}: {finding.says}" for finding in report.findings if finding.state == "problem"]


@pytest.fixture(autouse=True)
def tidy(monkeypatch, settings):
    """A process environment of ours alone; in tests the two logins are one."""
    settings.OWNER_DATABASE = None
    for name in ("DATABSE_URL", "GUNICORN_CMD_ARGS"):
        monkeypatch.delenv(name, raising=False)


def test_the_settings_of_the_tests_fit_together():
    assert problems(configuration.examine(env)) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"LOCK_TIMEOUT": 15_000}, "limits: LOCK_TIMEOUT does not end before STATEMENT_TIMEOUT"),
        ({"STATEMENT_TIMEOUT": 21_000}, "limits: STATEMENT_TIMEOUT does not end before CLIENT_DEADLINE"),
        ({"CLIENT_DEADLINE": 24}, "limits: CLIENT_DEADLINE does not end before REQUEST_DEADLINE"),
        ({"SERVER_TIMEOUT": 24}, "limits: REQUEST_DEADLINE does not end before SERVER_TIMEOUT"),
        ({"OIDC_TIMEOUT": 40}, "limits: OIDC_TIMEOUT does not end before SERVER_TIMEOUT"),
        ({"CONNECT_TIMEOUT": 1}, "limits: CONNECT_TIMEOUT is shorter than the driver can keep"),
        ({"ALLOWED_HOSTS": ["other.example"]}, "addresses: the host of PUBLIC_URL is not in ALLOWED_HOSTS"),
        ({"PUBLIC_URL": "https://marketedge.example/x"}, "addresses: PUBLIC_URL has a path"),
        (
            {"SESSION_COOKIE_SECURE": False},
            "addresses: SECURE_COOKIES is off while PUBLIC_URL begins with https://",
        ),
        ({"SESSION_COOKIE_HTTPONLY": False}, "addresses: the session cookie can be read by scripts"),
        (
            {"API_REDIRECT_URIS": ["https://elsewhere.example/callback"]},
            "single-page app: an address of API_REDIRECT_URIS at elsewhere.example is at no origin of"
            " CORS_ALLOWED_ORIGINS",
        ),
        (
            {"API_REDIRECT_URIS": []},
            "single-page app: CORS_ALLOWED_ORIGINS is set and API_REDIRECT_URIS is not",
        ),
        (
            {"CORS_ALLOWED_ORIGINS": ["http://app.example"], "API_REDIRECT_URIS": ["http://app.example/callback"]},
            "single-page app: app.example is allowed over http://",
        ),
        (
            {"OIDC_ISSUER": "https://tenant.eu.auth0.com"},
            "identity provider: OIDC_ISSUER is Auth0's and has no slash at the end",
        ),
        (
            {"OIDC_ISSUER": "https://marketedge.example/oidc/"},
            "identity provider: OIDC_ISSUER is at PUBLIC_URL",
        ),
        ({"SECURE_HSTS_SECONDS": 0}, "deployment checks: security.W004"),
        ({"OIDC_USE_PKCE": False}, "deployment checks: accounts.E001"),
    ],
)
def test_what_does_not_fit_is_said(settings, changes, words):
    for name, value in changes.items():
        setattr(settings, name, value)

    assert any(problem.startswith(words) for problem in problems(configuration.examine(env)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"SECURE_SSL_REDIRECT": True}, "SSL_REDIRECT is on while PUBLIC_URL begins with http://"),
        ({"SESSION_COOKIE_SECURE": True}, "SECURE_COOKIES is on while PUBLIC_URL begins with http://"),
    ],
)
def test_a_site_without_tls_is_not_told_to_use_it(settings, changes, words):
    settings.PUBLIC_URL, settings.SESSION_COOKIE_SECURE = "http://marketedge.example", False
    for name, value in changes.items():
        setattr(settings, name, value)

    assert f"addresses: {words}" in problems(configuration.examine(env))


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"PORT": "99999"}, "PORT is too large: expected 65535 at most"),
        ({"BIND": "127.0.0.1:x"}, "BIND is malformed: expected host:port"),
        ({"WEB_CONCURRENCY": "two"}, "WEB_CONCURRENCY is malformed: expected a number of processes"),
    ],
)
def test_what_the_server_would_not_start_with_is_said(variables, words):
    assert f"server: {words}" in problems(configuration.examine(Environment(variables)))


def test_an_empty_number_of_processes_is_said(monkeypatch):
    monkeypatch.setenv("WEB_CONCURRENCY", "")

    assert "server: WEB_CONCURRENCY is empty" in problems(configuration.examine(Environment({})))


def test_a_start_that_is_ended_too_early_is_said():
    given = Environment({"BOOT_LIMIT": "5"})

    assert "limits: BOOT_LIMIT ends starts after less than 10 s" in problems(configuration.examine(given))


@pytest.mark.parametrize(
    ("web", "owner", "words"),
    [
        ({"USER": "web"}, {"USER": "web"}, "DATABASE_URL and DATABASE_OWNER_URL are one login"),
        ({"NAME": "a"}, {"NAME": "b"}, "DATABASE_URL and DATABASE_OWNER_URL name two databases"),
        ({"HOST": "db.example", "OPTIONS": {}}, {"HOST": "db.example"}, "DATABASE_URL does not require TLS"),
    ],
)
def test_logins_that_do_not_fit_are_said(settings, monkeypatch, web, owner, words):
    base = {"USER": "web", "HOST": "127.0.0.1", "PORT": 5432, "NAME": "a", "OPTIONS": {}}
    monkeypatch.setitem(settings.DATABASES, "default", {**base, **web})
    settings.OWNER_DATABASE = {**base, "USER": "owner", **owner}

    assert f"database logins: {words}" in problems(configuration.examine(env))


@pytest.mark.parametrize("name", ["DATABSE_URL", "OIDC_ISUER", "allowed_hosts", "SECRETKEY"])
def test_a_variable_that_is_mistyped_is_said(monkeypatch, name):
    monkeypatch.setenv(name, "x")

    assert f"names: {name} is read by nobody" in problems(configuration.examine(env))


@pytest.mark.parametrize(
    "name", ["PATH", "HOSTNAME", "LANG", "TEST_DATABASE_OWNER_URL", "PYTHONPATH", "KUBERNETES_PORT"]
)
def test_variables_of_others_are_theirs(monkeypatch, name):
    monkeypatch.setenv(name, "x")

    assert problems(configuration.examine(env)) == []


def test_what_the_file_says_and_the_process_overrides_is_said(monkeypatch):
    monkeypatch.setattr(configuration, "read_dotenv", lambda _: {"CONTACT": "other@example.com", "LEFT_OVER": "1"})

    report = configuration.examine(env)

    assert ".env is overridden by the process environment for CONTACT" in [
        f"{f.subject} {f.says}" for f in report.findings
    ]
    assert problems(report) == ["names: LEFT_OVER of .env is read by nobody"]


def test_each_setting_is_told_by_its_state():
    told = configuration.examine(env).data["settings"]

    assert (told["SECRET_KEY"], told["FLAGS_FORCED"], told["LOCK_TIMEOUT"]) == (
        {"state": "set", "from": "environment"},
        {"state": "empty", "from": "environment"},
        {"state": "default", "from": "default"},
    )


def test_every_variable_of_the_example_is_told():
    lines = (ROOT / ".env.example").read_text().splitlines()

    assert {line.split("=")[0] for line in lines if "=" in line} <= set(configuration.examine(env).data["settings"])


def test_the_demonstration_may_be_what_production_must_not_be(settings):
    settings.SECURE_HSTS_SECONDS, settings.SECRET_KEY = 0, "short"

    in_production = problems(configuration.examine(env))
    settings.DEMONSTRATION = True
    in_demonstration = problems(configuration.examine(env))

    assert (len(in_production) > 1, in_demonstration) == (True, [])


def test_what_holds_in_any_mode_holds_in_the_demonstration_too(settings):
    settings.DEMONSTRATION, settings.OIDC_USE_PKCE = True, False

    assert len(problems(configuration.examine(env))) == 1


def test_modes_that_somebody_should_know_of_are_told(settings, monkeypatch):
    settings.DEMONSTRATION, settings.FLAGS_FORCED, settings.RELEASE_COMMIT = True, {"x": False}, "unknown"
    monkeypatch.setenv("GUNICORN_CMD_ARGS", "--threads 1")

    report = configuration.examine(env)

    assert len([finding for finding in report.findings if finding.subject == "mode"]) == 4


@pytest.mark.django_db
def test_threads_are_held_against_the_connections_that_the_database_allows(settings):
    allowed = capacity.examine(Environment({"WEB_CONCURRENCY": "1"}), within=5)
    refused = capacity.examine(Environment({"WEB_CONCURRENCY": "1000"}), within=5)

    assert ([finding.state for finding in allowed.findings], problems(refused)[0].split(",")[0]) == (
        ["ok"],
        f"connections: 1000 workers of {settings.WEB_THREADS} threads may hold {1000 * (settings.WEB_THREADS + 2)}",
    )


def run(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    dead = {"DATABASE_URL": "postgres://web:hunter2-of-the-web@127.0.0.1:1/x", "DATABASE_OWNER_URL": ""}
    return subprocess.run(
        [sys.executable, "manage.py", "check_config", *arguments],
        cwd=ROOT,
        env=environment(**{**dead, **changes}),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_without_the_database_the_rest_is_told():
    ended = run("--json")

    bad = [f for f in json.loads(ended.stdout)["findings"] if f["state"] in {"problem", "unknown"}]
    assert (ended.returncode, [finding["subject"] for finding in bad]) == (3, ["connections"])


def test_offline_the_database_is_not_asked():
    assert run("--offline").returncode == 0


@pytest.mark.parametrize("arguments", [[], ["--json"]])
def test_no_value_is_told(arguments):
    ended = run("--offline", *arguments, OIDC_RP_CLIENT_SECRET="hunter2-hunter2", CONTACT="hunter2@example.com")

    assert [word for word in (SECRET, "hunter2") if word in ended.stdout + ended.stderr] == []
