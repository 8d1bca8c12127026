"""The settings tell every problem at once, never a value, and refuse an unsafe production."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from marketedge.environment import Environment, parse_database, read_dotenv
from tests.environment import SETTINGS

ROOT = Path(__file__).resolve().parents[2]
REQUIRED = [
    "SECRET_KEY",
    "PUBLIC_URL",
    "ALLOWED_HOSTS",
    "CONTACT",
    "DATABASE_URL",
    "OIDC_ISSUER",
    "OIDC_RP_CLIENT_ID",
    "OIDC_RP_CLIENT_SECRET",
]


def manage(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run manage.py with the tests' environment and these changes; an empty value is as good as none."""
    inherited = {"PATH": os.environ["PATH"], "DATABASE_URL": "postgres://web:pw@127.0.0.1:1/marketedge"}
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=ROOT,
        env={**inherited, **SETTINGS, **changes},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_the_settings_of_the_tests_are_accepted():
    assert manage("check").returncode == 0


def test_every_missing_variable_is_named_at_once():
    started = time.monotonic()

    told = manage("check", **dict.fromkeys(REQUIRED, ""))

    assert (told.returncode, time.monotonic() - started < 3) == (2, True)
    assert [name for name in REQUIRED if f"{name} is not set: expected" in told.stderr] == REQUIRED


def test_malformed_values_are_named_and_not_shown():
    bad = {"PUBLIC_URL": "hunter2-a", "DATABASE_URL": "hunter2-b", "DEBUG": "hunter2-c", "LOCK_TIMEOUT": "hunter2-d"}

    told = manage("check", **bad)

    assert told.returncode == 2
    assert [name for name in bad if f"{name} is malformed: expected" in told.stderr] == list(bad)
    assert "hunter2" not in told.stderr + told.stdout


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"DEBUG": "on"}, "DEBUG must be off"),
        ({"SECRET_KEY": "short"}, "SECRET_KEY is too short"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS must name each host"),
        ({"ALLOWED_HOSTS": ".example"}, "ALLOWED_HOSTS must name each host"),
        ({"SECURE_COOKIES": "off"}, "SECURE_COOKIES must be on"),
        ({"PUBLIC_URL": "http://marketedge.example"}, "PUBLIC_URL must begin with https://"),
        ({"OIDC_ISSUER": "http://issuer.example/"}, "OIDC_ISSUER must begin with https://"),
        ({"DEMONSTRATION": "on"}, "PUBLIC_URL must be a loopback address"),
        ({"CORS_ALLOWED_ORIGINS": "https://app.example/path"}, "CORS_ALLOWED_ORIGINS is malformed"),
        ({"CORS_ALLOWED_ORIGINS": "*"}, "CORS_ALLOWED_ORIGINS is malformed"),
        ({"FLAGS_FORCED": "nonsense"}, "FLAGS_FORCED is malformed"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT is malformed: expected json or text."),
        ({"METRICS_TOKEN": "short"}, "METRICS_TOKEN is too short"),
        ({"SENTRY_DSN": "https://sentry.example/1"}, "SENTRY_DSN is malformed"),
        ({"SENTRY_DSN": "https://key@sentry.example/project"}, "SENTRY_DSN is malformed"),
    ],
)
def test_an_unsafe_production_is_refused(change, words):
    told = manage("check", **change)

    assert (told.returncode, words in told.stderr) == (2, True)


def test_the_demonstration_is_refused_for_hosts_off_loopback():
    told = manage("check", DEMONSTRATION="on", PUBLIC_URL="http://127.0.0.1:8000", ALLOWED_HOSTS="marketedge.example")

    assert (told.returncode, "ALLOWED_HOSTS may only hold loopback hosts" in told.stderr) == (2, True)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_both_spellings_of_the_scheme_are_read(scheme):
    assert parse_database(f"{scheme}://me:pw@db.example:5433/market")["HOST"] == "db.example"


def test_a_password_may_hold_escaped_characters():
    assert parse_database("postgres://me:p%40ss%2Fword@db.example/market")["PASSWORD"] == "p@ss/word"


def test_the_process_environment_has_the_last_word():
    env = Environment({"A": "1"})

    assert (env.number("A", "a number", default=7), env.number("B", "a number", default=7)) == (1, 7)


@pytest.mark.parametrize(("line", "words"), [("no sense", "line 2 is not NAME=value"), ("=x", "line 2 is not")])
def test_a_broken_line_of_the_file_is_named(tmp_path, line, words):
    path = tmp_path / ".env"
    path.write_text(f"A=1\n{line}\n")

    with pytest.raises(Exception, match=words):
        read_dotenv(path)


def test_the_example_has_a_line_for_each_variable():
    named = {line.split("=")[0] for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line}
    read = set()
    for source in ("settings.py", "gunicorn.conf.py"):
        text = (ROOT / "marketedge" / source).read_text()
        read |= {name for name in named if f'"{name}"' in text or f"'{name}'" in text}

    assert named == read


def test_comments_beside_values_are_left_out(tmp_path):
    path = tmp_path / ".env"
    path.write_text("# first\nA=1   # one\nexport B=two\nC=       # nothing\n")

    assert read_dotenv(path) == {"A": "1", "B": "two", "C": ""}
