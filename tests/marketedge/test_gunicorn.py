"""gunicorn starts whole or not at all: no start that hangs, no half-open port, no demonstration for the network."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.environment import ROOT
from tests.marketedge.serving import environment, gunicorn, wait_for

pytestmark = [pytest.mark.served, pytest.mark.alone]
CONFIGURATION = ROOT / "marketedge" / "gunicorn.conf.py"
BASE = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)}


def impatient(folder: Path, *lines: str, seconds: int = 1) -> Path:
    """The configuration with so few seconds to boot, and these lines at its end."""
    text = CONFIGURATION.read_text()
    assert "int(_limit) else 30" in text
    copy = folder / "impatient.conf.py"
    copy.write_text("\n".join([text.replace("int(_limit) else 30", f"int(_limit) else {seconds}"), *lines]))
    return copy


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**environment(), **BASE},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def serve(configuration: Path, folder: Path, **changes: str) -> subprocess.CompletedProcess[str]:
    """What a server says that ends by itself."""
    return subprocess.run(
        [sys.executable, "-m", "gunicorn", "-c", str(configuration)],
        cwd=folder,
        env={**environment(**changes), **BASE},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_a_start_that_hangs_ends_with_the_stack_of_what_it_waits_for(tmp_path):
    (tmp_path / "stuck.py").write_text("import time\ndef wait_for_nobody():\n    time.sleep(60)\nwait_for_nobody()\n")

    # Seconds enough to come as far as the application, which then hangs.
    configuration = impatient(tmp_path, 'wsgi_app = "stuck:application"', seconds=5)
    told = serve(configuration, tmp_path, BIND="127.0.0.1:0")

    assert told.returncode == 1
    assert "wait_for_nobody" in told.stderr


def test_a_broken_import_ends_the_server_before_the_port_opens(tmp_path):
    (tmp_path / "broken.py").write_text("import nothing_of_this_name\n")

    told = serve(impatient(tmp_path, 'wsgi_app = "broken:application"'), tmp_path, BIND="127.0.0.1:0")

    assert told.returncode != 0
    assert "nothing_of_this_name" in told.stderr
    assert "Listening" not in told.stderr


def test_once_it_is_ready_the_time_to_boot_no_longer_counts(tmp_path):
    code = f"""
import runpy, time
runpy.run_path({str(impatient(tmp_path))!r})["when_ready"](None)
time.sleep(1.5)
"""

    assert python(code, tmp_path).returncode == 0


def test_a_reload_of_a_serving_process_is_not_taken_for_a_start_that_hangs(tmp_path):
    code = f"""
import runpy, sys, time
sys.modules["marketedge.wsgi"] = sys
runpy.run_path({str(impatient(tmp_path))!r})
time.sleep(1.5)
"""

    assert python(code, tmp_path).returncode == 0


@pytest.mark.parametrize("address", ["0.0.0.0:8000", "127.0.0.1:8000,192.0.2.1:8000", "unix:/tmp/socket"])
def test_the_demonstration_is_refused_off_loopback(address):
    demonstration = {"DEMONSTRATION": "on", "PUBLIC_URL": "http://127.0.0.1:8000", "ALLOWED_HOSTS": "localhost"}

    told = serve(CONFIGURATION, ROOT, **demonstration, BIND=address)

    assert told.returncode == 2
    assert told.stderr == (
        "MarketEdge cannot start with these settings:\n"
        "DEMONSTRATION lets anybody in as anybody: BIND may only name loopback addresses while it is on.\n"
    )


def test_a_malformed_port_is_named():
    told = serve(CONFIGURATION, ROOT, PORT="eighty")

    assert told.returncode == 2
    assert told.stderr == "MarketEdge cannot start with these settings:\nPORT is malformed: expected a number.\n"


def test_it_listens_on_this_machine_alone_unless_told_otherwise():
    with gunicorn(environment()) as address:
        wait_for(f"{address}/healthz/live", seconds=20)
        port = int(address.rpartition(":")[2])

        with socket.socket() as elsewhere:
            # Free, which it would not be had the server taken the port on every address.
            elsewhere.bind(("127.0.0.2", port))


def test_no_header_says_where_the_product_begins():
    said = b"GET /healthz/live HTTP/1.1\r\nHost: a\r\nSCRIPT_NAME: /elsewhere\r\nConnection: close\r\n\r\n"
    with gunicorn(environment()) as address:
        wait_for(f"{address}/healthz/live", seconds=20)
        host, _, port = address.removeprefix("http://").partition(":")
        with socket.create_connection((host, int(port)), timeout=10) as caller:
            caller.sendall(said)

            assert caller.recv(1000).startswith(b"HTTP/1.1 200 OK")


@pytest.mark.parametrize(("files", "connections"), [(256, 128), (1024, 896), (4096, 1000)])
def test_a_worker_takes_no_more_connections_than_it_may_open_files(tmp_path, files, connections):
    code = f"""
import resource, runpy
resource.setrlimit(resource.RLIMIT_NOFILE, ({files}, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
print(runpy.run_path({str(CONFIGURATION)!r})["worker_connections"])
"""

    assert python(code, tmp_path).stdout == f"{connections}\n"
