"""The provider as a process: on loopback, in the demonstration alone, and it stops when told."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import requests
from django.core.management import CommandError, call_command

from accounts.local_provider.server import listen, serve_in_thread
from accounts.local_provider.tokens import Faults
from tests.environment import ROOT, SETTINGS
from tests.marketedge.serving import free_port


@dataclass(frozen=True)
class Running:
    url: str
    process: subprocess.Popen[str]


@pytest.fixture
def running() -> Iterator[Running]:
    """The command as `make run` starts it; its database address leads nowhere."""
    port = free_port()
    url = f"http://127.0.0.1:{port}/"
    command = [sys.executable, "manage.py", "local_identity_provider", "--port", str(port)]
    environment = {
        "PATH": os.environ["PATH"],
        **SETTINGS,
        "DEMONSTRATION": "on",
        "PUBLIC_URL": "http://127.0.0.1:8000",
        "ALLOWED_HOSTS": "127.0.0.1",
        "SECURE_COOKIES": "off",
        "OIDC_ISSUER": url,
        "DATABASE_URL": "postgres://nobody:nothing@127.0.0.1:1/nowhere",
    }
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        yield Running(url, process)
        process.kill()


def wait_for(url: str, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 (loopback alone)
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


@pytest.mark.served
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_serves_without_a_database_and_stops_when_told(running, number):
    wait_for(f"{running.url}.well-known/openid-configuration")

    running.process.send_signal(number)
    said, _ = running.process.communicate(timeout=15)

    expected = f"The local identity provider listens at {running.url} (Ctrl-C stops it).\nStopped.\n"
    assert (running.process.returncode, said) == (0, expected)


@pytest.fixture
def taken_port() -> Iterator[int]:
    """Where nobody can listen, so that a command that should have refused ends, too."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        yield taken.getsockname()[1]


def test_the_command_refuses_outside_the_demonstration(settings, taken_port):
    settings.DEMONSTRATION = False

    with pytest.raises(CommandError, match=r"^Set DEMONSTRATION=on"):
        call_command("local_identity_provider", port=taken_port)


def test_the_command_refuses_to_be_anything_but_local(settings, taken_port):
    settings.DEMONSTRATION, settings.OIDC_ISSUER = True, "https://issuer.example/"

    with pytest.raises(CommandError, match=r"^OIDC_ISSUER must be a loopback address"):
        call_command("local_identity_provider", port=taken_port)


def test_the_command_says_that_the_port_is_taken(settings, taken_port):
    settings.DEMONSTRATION, settings.OIDC_ISSUER = True, "http://127.0.0.1:8001/"
    words = rf"^Cannot listen on 127\.0\.0\.1:{taken_port} \(Address already in use\)"

    with pytest.raises(CommandError, match=words):
        call_command("local_identity_provider", port=taken_port)


@pytest.mark.parametrize("port", ["0", "70000", "eight", "-1"])
def test_the_command_says_what_a_port_is(port):
    with pytest.raises(CommandError, match="expected a number from 1 to 65535"):
        call_command("local_identity_provider", f"--port={port}")


def test_it_listens_on_loopback_alone_and_asks_no_name_service(provider, monkeypatch):
    monkeypatch.setattr(socket, "getfqdn", lambda name="": pytest.fail("asked the name service"))

    with listen(provider, 0) as server:
        assert (server.server_address[0], server.server_name) == ("127.0.0.1", "127.0.0.1")


def test_in_a_thread_it_is_the_issuer_of_where_it_listens(provider):
    with serve_in_thread(provider) as issuer:
        document = requests.get(f"{issuer}.well-known/openid-configuration", timeout=5).json()

    assert (document["issuer"], issuer.startswith("http://127.0.0.1:")) == (issuer, True)


@pytest.mark.parametrize("faults", [Faults(is_mute=True), Faults(seconds_late=5)])
def test_a_provider_that_is_mute_or_late_leaves_its_callers_waiting(provider, faults):
    provider.faults = faults

    with serve_in_thread(provider) as issuer, pytest.raises(requests.ReadTimeout):
        requests.get(f"{issuer}userinfo", timeout=0.2)


def test_one_slow_caller_does_not_hold_up_the_next(provider):
    with serve_in_thread(provider) as issuer:
        port = int(issuer.rsplit(":", 1)[1].rstrip("/"))
        with socket.create_connection(("127.0.0.1", port)):
            answered = requests.get(f"{issuer}style.css", timeout=2)

    assert answered.status_code == 200
