"""Clients that others wrote, against the running product: OpenFeature for Python, and schemathesis by the protocol."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from openfeature import api
from openfeature.client import OpenFeatureClient
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from openfeature.exception import ErrorCode
from openfeature.flag_evaluation import Reason

from modules.flags.ladder import bucket
from tests.migrations.conftest import migrated  # noqa: F401 (a fixture)
from tests.migrations.databases import Database
from tests.modules.flags.ofrep.serving import Outside, serving

pytestmark = pytest.mark.served
OPENAPI = Path(__file__).with_name("openapi.yaml")
SOMEBODY = EvaluationContext(targeting_key="somebody")


@pytest.fixture(scope="module")
def outside(migrated: Database) -> Iterator[Outside]:  # noqa: F811
    with serving(migrated, "https://app.example") as running:
        yield running


@pytest.fixture
def connect(outside: Outside) -> Iterator[Callable[..., OpenFeatureClient]]:
    """A client of Lumen, or one with other headers."""

    def connected(headers: dict[str, str] | None = None) -> OpenFeatureClient:
        sent = {"Authorization": f"Bearer {outside.token}"} if headers is None else headers
        api.set_provider(OFREPProvider(outside.url, headers_factory=lambda: sent))
        return api.get_client()

    yield connected
    api.clear_providers()


DETAILS: dict[str, tuple[str, Any, Any, Reason, str]] = {
    "on": ("boolean", False, True, Reason.SPLIT, "on"),
    "off": ("boolean", True, False, Reason.DISABLED, "off"),
    "colour": ("string", "", "#f00", Reason.SPLIT, "red"),
    "limit": ("integer", 1, 30, Reason.SPLIT, "high"),
    "ratio": ("float", 1.0, 2.0, Reason.SPLIT, "whole"),
    "layout": ("object", {}, {"columns": 3, "names": ["a", "b"]}, Reason.SPLIT, "wide"),
}


@pytest.mark.parametrize("key", DETAILS)
@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
def test_the_python_client_reads_every_type_of_flag(connect, outside, key, header):
    value_type, default, value, reason, variant = DETAILS[key]
    client = connect({header: f"Bearer {outside.token}" if header == "Authorization" else outside.token})

    details = getattr(client, f"get_{value_type}_details")(key, default, SOMEBODY)

    assert (details.value, details.reason, details.variant, details.error_code) == (value, reason, variant, None)
    assert details.flag_metadata["rung"] in range(12)


def test_the_python_client_is_answered_for_whom_it_asks(connect, outside):
    client = connect()

    told = {
        (key, name): client.get_boolean_value(key, False, EvaluationContext(targeting_key=person))
        for key in ("bens", "iris")
        for name, person in (("ben", outside.ben), ("iris", outside.iris), ("x", "x"))
    }

    assert [asked for asked, is_on in told.items() if is_on] == [("bens", "ben")]


def test_the_python_client_finds_everybody_in_the_bucket_that_the_ladder_gives_them(connect):
    client, people = connect(), [f"visitor-{number}" for number in range(20)]

    told = [client.get_boolean_value("half", False, EvaluationContext(targeting_key=person)) for person in people]

    assert told == [bucket("half", person) < 50_000 for person in people]


@pytest.mark.parametrize(
    ("key", "context", "error"),
    [
        ("hidden", SOMEBODY, ErrorCode.FLAG_NOT_FOUND),
        ("unheard.of", SOMEBODY, ErrorCode.FLAG_NOT_FOUND),
        ("on", EvaluationContext(), ErrorCode.TARGETING_KEY_MISSING),
        ("on", EvaluationContext(attributes={"targetingKey": 7}), ErrorCode.INVALID_CONTEXT),
        ("colour", SOMEBODY, ErrorCode.TYPE_MISMATCH),
    ],
)
def test_the_python_client_understands_what_is_wrong(connect, key, context, error):
    details = connect().get_boolean_details(key, True, context)

    assert (details.value, details.reason, details.error_code) == (True, Reason.ERROR, error)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer mec_none"}])
def test_the_python_client_without_a_good_token_keeps_its_defaults(connect, headers):
    details = connect(headers).get_boolean_details("on", False, SOMEBODY)

    assert (details.value, details.error_code, details.error_message) == (False, ErrorCode.GENERAL, "unauthorized")


def test_what_is_changed_is_answered_within_a_second_and_a_half(connect, outside):
    from tests.modules.flags.test_processes import until

    client = connect()
    before = client.get_boolean_value("on", False, SOMEBODY)

    outside.kill("on")
    until(lambda: not client.get_boolean_value("on", False, SOMEBODY), within=1.5)

    assert before is True


def test_schemathesis_finds_nothing_that_the_protocol_does_not_say(outside, tmp_path):
    told = subprocess.run(
        [
            str(Path(sys.executable).with_name("schemathesis")),
            *("run", str(OPENAPI), "--url", outside.url),
            *("--header", f"Authorization: Bearer {outside.token}", "--header", f"X-API-Key: {outside.token}"),
            *("--checks", "all", "--max-examples", "40", "--generation-deterministic", "--no-color"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )

    assert told.returncode == 0, told.stdout + told.stderr
