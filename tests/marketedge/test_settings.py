"""The settings tell every problem at once, never a value, and refuse an unsafe production."""

import os
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from marketedge.environment import A_DAY, Environment, parse_bind, parse_database, parse_dsn, read_dotenv
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
    ("name", "value"),
    [
        ("SESSION_HOURS", "99999999999999999999"),
        ("TCP_TIMEOUT", "2147483648"),
        ("CLIENT_DEADLINE", "9999999"),
        ("WEB_THREADS", "1000000"),
        ("TRUSTED_PROXIES", "99999"),
    ],
)
def test_a_number_that_would_only_fail_later_is_refused_at_once(name, value):
    changes = {"REQUEST_DEADLINE": "99999999"} if name == "CLIENT_DEADLINE" else {}

    told = manage("check", **changes, **{name: value})

    assert (told.returncode, "Traceback" in told.stderr) == (2, False)
    assert f"{name} is too large: expected " in told.stderr


@pytest.mark.parametrize("raw", ["1_0", "+5", "٣", "1.5", "-1", "9" * 5000])
def test_a_number_is_written_in_plain_digits(raw):
    env = Environment({"LIMIT": raw})

    env.number("LIMIT", "seconds", 30, most=A_DAY)

    assert env.problems == ["LIMIT is malformed: expected seconds."]


@pytest.mark.parametrize(
    "raw",
    [
        "https://host:b",
        "https://host:99999",
        "https://host:0",
        "https://ho st",
        "https://ho\nst",
        "https://somebody:hunter2@host",
        "https://[::1",
    ],
)
def test_an_address_that_leads_nowhere_or_tells_a_password_is_malformed(raw):
    env = Environment({"PUBLIC_URL": raw})

    env.url("PUBLIC_URL", "an address")

    assert env.problems == ["PUBLIC_URL is malformed: expected an address."]


@pytest.mark.parametrize("option", ["nonsense=1", "sslmode=requir", "isolation_level=9"])
def test_an_option_that_no_connection_would_take_is_malformed(option):
    with pytest.raises(ValueError):  # noqa: PT011 - there are no words; the setting is named by who reads it
        parse_database(f"postgres://web:pw@host/marketedge?{option}")


def test_the_port_of_a_sentry_project_is_one():
    with pytest.raises(ValueError, match="Port"):
        parse_dsn("https://key@host:abc/1")


@pytest.mark.parametrize("raw", ["127.0.0.1:99999", "127.0.0.1:x", "::1", "[::1", "127.0.0.1:1 127.0.0.1:2"])
def test_where_nothing_can_listen_is_malformed(raw):
    with pytest.raises(ValueError):  # noqa: PT011 - whichever part says so
        parse_bind(raw)


@pytest.mark.parametrize("raw", ["0.0.0.0:8000", "[::]:8000,127.0.0.1:0", ":8000", "unix:/run/web.sock", "fd://3"])
def test_addresses_to_listen_at_are_read_as_the_server_reads_them(raw):
    assert parse_bind(raw) == raw.split(",")


def test_a_host_that_is_none_is_told_in_one_line():
    told = manage("check", ALLOWED_HOSTS="[::1", DEMONSTRATION="on")

    assert (told.returncode, "Traceback" in told.stderr) == (2, False)
    assert "ALLOWED_HOSTS may only hold loopback hosts" in told.stderr


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

    read = partial(env.number, expected="a number", default=7, most=9)

    assert (read("A"), read("B")) == (1, 7)


@pytest.mark.parametrize(("line", "words"), [("no sense", "line 2 is not NAME=value"), ("=x", "line 2 is not")])
def test_a_broken_line_of_the_file_is_named(tmp_path, line, words):
    path = tmp_path / ".env"
    path.write_text(f"A=1\n{line}\n")

    with pytest.raises(Exception, match=words):
        read_dotenv(path)


def test_the_example_has_a_line_for_each_variable():
    named = {line.split("=")[0] for line in (ROOT / ".env.example").read_text().splitlines() if "=" in line}
    read = set()
    for source in ("settings.py", "environment.py"):
        text = (ROOT / "marketedge" / source).read_text()
        read |= {name for name in named if f'"{name}"' in text or f"'{name}'" in text}

    assert named == read


def test_bytes_that_are_no_text_are_malformed():
    env = Environment({"CONTACT": "caf\udce9@example.com"})

    env.text("CONTACT", "an address")

    assert env.problems == ["CONTACT is malformed: expected an address."]


def test_what_editors_do_to_a_file_loses_no_line(tmp_path):
    file = tmp_path / ".env"
    file.write_bytes(b"\xef\xbb\xbfA=1\r\n  B=2\n\tC='3#3'\n")

    assert read_dotenv(file) == {"A": "1", "B": "2", "C": "3#3"}


def test_a_value_that_a_comment_would_cut_is_refused_and_not_shown(tmp_path):
    file = tmp_path / ".env"
    file.write_text("A=1 # one\nB=hunter#2\n")

    with pytest.raises(
        ImproperlyConfigured, match=r"^\.env line 2 has a # in its value, .*: put it in single quotes\.$"
    ):
        read_dotenv(file)


@pytest.mark.parametrize("raw", ["# who may be asked", "hunter2  # the password", '"hunter2"', "'hunter2'", '"hunter2'])
def test_what_another_reader_of_the_file_passed_on_is_refused_and_not_shown(raw):
    env = Environment({"CONTACT": raw})

    env.text("CONTACT", "an address")

    assert env.problems == ["CONTACT holds a comment or quotation marks, as part of its value: leave them out."]


def test_comments_beside_values_are_left_out(tmp_path):
    path = tmp_path / ".env"
    path.write_text("# first\nA=1   # one\nexport B=two\nC=       # nothing\n")

    assert read_dotenv(path) == {"A": "1", "B": "two", "C": ""}
