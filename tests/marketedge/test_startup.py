"""It always starts: with a database that accepts and never answers, and commands that never ask one."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from tests.environment import ROOT
from tests.marketedge.serving import MuteServer, ask, gunicorn, wait_for

pytestmark = [pytest.mark.served, pytest.mark.alone]


@pytest.fixture
def mute() -> Iterator[MuteServer]:
    server = MuteServer()
    yield server
    server.close()


@pytest.mark.parametrize(
    "command", [["check"], ["--help"], ["migrate", "--help"], ["database_roles"], ["whois", "--help"]]
)
def test_a_command_does_not_touch_the_database(mute, command):
    told = subprocess.run(
        [sys.executable, "manage.py", *command],
        cwd=ROOT,
        env=mute.environment,
        capture_output=True,
        timeout=20,
        check=False,
    )

    assert (told.returncode, mute.accepted) == (0, []), told.stderr


def test_static_files_are_collected_without_the_database(mute, tmp_path):
    (tmp_path / "elsewhere.py").write_text(
        f"from marketedge.settings import *\nSTATIC_ROOT = {str(tmp_path / 'collected')!r}\n"
    )
    variables = {
        **mute.environment,
        "STATIC_HASHED": "on",
        "PYTHONPATH": f"{tmp_path}:{ROOT}",
        "DJANGO_SETTINGS_MODULE": "elsewhere",
    }

    told = subprocess.run(
        [sys.executable, "manage.py", "collectstatic", "--no-input"],
        cwd=ROOT,
        env=variables,
        capture_output=True,
        timeout=60,
        check=False,
    )

    assert (told.returncode, mute.accepted) == (0, []), told.stderr
    assert (tmp_path / "collected" / "staticfiles.json").exists()


def test_with_a_mute_database_it_listens_lives_and_says_what_is_wrong(mute):
    with gunicorn(mute.environment) as address:
        assert wait_for(f"{address}/healthz/live", seconds=5) < 5

        started = time.monotonic()
        ready, told, _ = ask(f"{address}/healthz/ready")
        status, summary, _ = ask(f"{address}/health")

        assert (ready, json.loads(told)["problems"].keys()) == (503, {"database"})
        assert (status, json.loads(summary)["database_ready"]) == (200, False)
        assert time.monotonic() - started < 8


def test_with_a_mute_database_pages_say_so_calmly_and_the_sign_in_address_is_given(mute):
    with gunicorn(mute.environment) as address:
        wait_for(f"{address}/healthz/live", seconds=5)

        page, body, headers = ask(f"{address}/o/somewhere/", Cookie="__Host-sessionid=abcdefghijklmnop")
        api, told, _ = ask(f"{address}/api/v1/auth/auth0-url?redirect_uri=https://app.example/callback")

        odd, _, _ = ask(f"{address}/sign-in/?next=/x", **{"Content-Type": "text/plain; charset=hex"})

        assert odd == 200
        assert (page, headers["Retry-After"], "Incident" in body) == (503, "10", True)
        assert (api, "auth_url" in json.loads(told)) == (200, True)


def test_the_identity_provider_is_not_asked_while_the_product_starts(mute):
    provider = MuteServer()
    address = f"https://127.0.0.1:{provider.port}/"
    with gunicorn({**mute.environment, "OIDC_ISSUER": address}) as url:
        wait_for(f"{url}/healthz/live", seconds=15)

        asked = len(provider.accepted)

    provider.close()
    assert asked == 0


def test_a_broken_environment_ends_the_server_with_clear_lines(mute):
    told = subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", "marketedge/gunicorn.conf.py", "marketedge.wsgi"],
        cwd=ROOT,
        env={**mute.environment, "SECRET_KEY": ""},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )

    assert (told.returncode, "SECRET_KEY is not set" in told.stderr, "Traceback" in told.stderr) == (2, True, False)
