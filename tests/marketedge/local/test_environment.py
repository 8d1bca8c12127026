"""What is set counts, the rest gets values for this machine, and what is wrong is said in one line."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from marketedge.local import processes
from marketedge.local.environment import CannotStart, plan_start


@pytest.fixture
def port() -> str:
    return str(processes.free_port())


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".local").mkdir()
    return tmp_path


def problem(root: Path, **given: str) -> str:
    with pytest.raises(CannotStart) as refusal:
        plan_start(root, given)
    assert refusal.value.exit_code == 2
    return str(refusal.value)


def test_without_any_setting_it_is_the_demonstration_on_this_machine(root: Path, port: str) -> None:
    variables = plan_start(root, {"PORT": port}).variables

    assert variables["DEMONSTRATION"] == "on"
    assert variables["PUBLIC_URL"] == f"http://127.0.0.1:{port}"
    assert variables["ALLOWED_HOSTS"] == "127.0.0.1,localhost"


def test_the_process_environment_beats_the_file_which_beats_the_defaults(root: Path, port: str) -> None:
    (root / ".env").write_text("CONTACT=file@example.com\nALLOWED_HOSTS=localhost\n")

    variables = plan_start(root, {"PORT": port, "CONTACT": "process@example.com"}).variables

    assert (variables["CONTACT"], variables["ALLOWED_HOSTS"]) == ("process@example.com", "localhost")


def test_an_empty_value_is_as_good_as_none(root: Path, port: str) -> None:
    (root / ".env").write_text("CONTACT=\n")

    assert plan_start(root, {"PORT": port}).variables["CONTACT"] == "support@zebra-associates.example"


def test_secrets_are_generated_once_and_kept_for_their_owner_alone(root: Path, port: str) -> None:
    first = plan_start(root, {"PORT": port}).variables
    second = plan_start(root, {"PORT": port}).variables

    assert first["SECRET_KEY"] == second["SECRET_KEY"]
    assert first["SECRET_KEY"] != first["OIDC_RP_CLIENT_SECRET"]
    assert {path.stat().st_mode & 0o777 for path in (root / ".local").iterdir()} == {0o600}


def test_the_local_provider_is_the_issuer(root: Path, port: str) -> None:
    start = plan_start(root, {"PORT": port})

    assert start.variables["OIDC_ISSUER"] == f"http://127.0.0.1:{start.provider_port}/"


def test_another_issuer_needs_no_local_provider_and_gets_no_made_up_client(root: Path, port: str) -> None:
    start = plan_start(root, {"PORT": port, "OIDC_ISSUER": "https://issuer.example/"})

    assert start.provider_port is None
    assert "OIDC_RP_CLIENT_ID" not in start.variables


def test_a_broken_line_in_the_file_is_named_without_its_value(root: Path) -> None:
    (root / ".env").write_text("CONTACT=a@example.com\nhunter2\n")

    assert problem(root) == ".env line 2 is not NAME=value."


def test_a_taken_port_gets_the_remedy(root: Path, taken_port: int) -> None:
    expected = f"Port {taken_port} is taken or not allowed: choose another with `make run PORT=8080`."

    assert problem(root, PORT=str(taken_port)) == expected


@pytest.mark.parametrize("text", ["http", "0", "65536", "-1", "8000.0"])
def test_a_port_that_is_none_is_refused_without_its_value(root: Path, text: str) -> None:
    assert problem(root, PORT=text) == "PORT is malformed: expected a number from 1 to 65535."


def test_half_a_database_is_refused(root: Path, port: str) -> None:
    address = "postgres://web:hunter2@127.0.0.1/marketedge"

    assert problem(root, PORT=port, DATABASE_URL=address) == (
        "Set DATABASE_OWNER_URL too, or neither of the two: the web's login and the owner's."
    )
    assert problem(root, PORT=port, DATABASE_OWNER_URL=address) == (
        "Set DATABASE_URL too, or neither of the two: the web's login and the owner's."
    )


def test_it_does_not_listen_elsewhere(root: Path, port: str) -> None:
    assert problem(root, PORT=port, BIND="0.0.0.0:8000").startswith("BIND is for servers")


def test_a_number_of_workers_that_is_none_is_refused(root: Path, port: str) -> None:
    assert problem(root, PORT=port, WEB_CONCURRENCY="many") == (
        "WEB_CONCURRENCY is malformed: expected a number of processes."
    )
