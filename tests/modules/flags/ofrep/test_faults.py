"""Whatever a client does wrong, or we do, is told in the protocol's words and is never a crash."""

import json
from typing import Any

import pytest
from django.db import OperationalError

from marketedge.admission import REFUSED
from marketedge.incidents import last_resort
from tests.factories import make_client_token, make_organisation
from tests.modules.flags.ofrep.conftest import ALL, ANYBODY

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.usefixtures("released"),
    pytest.mark.filterwarnings("default"),
]
APP = "https://app.example"
GOOD = b'{"context": {"targetingKey": "x"}}'
UNREADABLE: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"{",
    "more than JSON": GOOD + b"}",
    "bytes of no text": b"\xff\xfe\xfa",
    "bytes of a torn text": b'{"context": {"targetingKey": "\xc3"}}',
    "a null byte": b"\x00",
    "a list": b"[]",
    "a text": b'"context"',
    "null": b"null",
    "a number that JSON does not know": b'{"context": {"targetingKey": "x", "age": NaN}}',
    "infinity": b'{"context": {"targetingKey": "x", "age": -Infinity}}',
    "a number without end": b'{"context": {"targetingKey": "x", "age": ' + b"9" * 5000 + b"}}",
    "lists in lists": b"[" * 100_000,
    "objects in objects": b'{"context":' * 50_000 + b"1" + b"}" * 50_000,
}
NO_CONTEXT: dict[str, bytes] = {
    "no context": b"{}",
    "a context that is null": b'{"context": null}',
    "a context that is a list": b'{"context": []}',
    "a context that is a text": b'{"context": "targetingKey"}',
    "a key that is null": b'{"context": {"targetingKey": null}}',
    "a key that is a number": b'{"context": {"targetingKey": 7}}',
    "a key that is an object": b'{"context": {"targetingKey": {}}}',
    "a key that is true": b'{"context": {"targetingKey": true}}',
    "a key with half a character": b'{"context": {"targetingKey": "\\ud800"}}',
}


def told(response: Any, key: str | None) -> tuple[int, str]:
    """Status and code; the rest of the shape is required here."""
    body = response.json()
    expected = {"errorCode", "errorDetails"} | ({"key"} if key is not None else set())
    assert set(body) - {"incident"} == expected
    assert ("incident" in body) is (response.status_code >= 500)
    assert body.get("incident", "") in body["errorDetails"]
    assert "secret" not in body["errorDetails"]
    assert body.get("key") == key
    assert response.headers["Cache-Control"] == "no-store"
    return response.status_code, body["errorCode"]


@pytest.mark.parametrize("key", ["shown", "hidden", ""])
@pytest.mark.parametrize("what", UNREADABLE)
def test_a_body_that_cannot_be_read(send, what, key):
    assert told(send(UNREADABLE[what], key=key), key or None) == (400, "PARSE_ERROR")


@pytest.mark.parametrize("key", ["shown", ""])
@pytest.mark.parametrize("what", NO_CONTEXT)
def test_a_context_that_is_none(send, what, key):
    assert told(send(NO_CONTEXT[what], key=key), key or None) == (400, "INVALID_CONTEXT")


@pytest.mark.parametrize("key", ["shown", ""])
def test_a_context_that_says_not_whom(send, key):
    assert told(send(b'{"context": {"email": "x@example.com"}}', key=key), key or None) == (
        400,
        "TARGETING_KEY_MISSING",
    )


@pytest.mark.parametrize(
    "content_type", ["text/plain", "", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "é"]
)
def test_a_body_of_another_type(send, content_type):
    assert told(send(GOOD, content_type=content_type), "shown") == (400, "PARSE_ERROR")


@pytest.mark.parametrize(
    "body",
    [
        GOOD,
        b"\xef\xbb\xbf" + GOOD,
        b'{"context": {"targetingKey": ""}}',
        b'{"context": {"targetingKey": "\\u0000"}}',
        b'{"context": {"targetingKey": "x", "deep": ' + b"[" * 500 + b"]" * 500 + b'}, "more": 1e400}',
        json.dumps({"context": {"targetingKey": "x", **{f"a{n}": n for n in range(5000)}}}).encode(),
    ],
)
@pytest.mark.parametrize("key", ["shown", ""])
def test_a_body_that_can_be_read(send, body, key):
    assert send(body, key=key, content_type="application/json; charset=utf-8").status_code == 200


def test_a_body_that_is_too_large_is_no_error_of_ours(send, caplog):
    assert told(send(b'{"context": "' + b"a" * (3 * 1024 * 1024)), "shown") == (413, "GENERAL")
    assert "ERROR" not in {record.levelname for record in caplog.records}


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("flagConfigEtag=x&flagConfigLastModified=1771622898", 200),
        ("flagConfigLastModified=2026-02-20T21:28:18Z", 200),
        ("flagConfigLastModified=2026-02-20T21:28:18.5%2B01:00", 200),
        ("flagConfigLastModified=yesterday", 400),
        ("flagConfigLastModified=-1", 400),
        ("flagConfigLastModified=", 400),
        ("flagConfigEtag=x&flagConfigEtag=y", 400),
        ("%00=%FF&else=1", 200),
    ],
)
def test_the_query_of_a_bulk_call(ask, query, status):
    assert ask(query=f"?{query}").status_code == status


# Who may not


@pytest.mark.parametrize("key", ["shown", "hidden", "unheard.of", ""])
@pytest.mark.parametrize(
    ("header", "status"),
    [
        ({}, 401),
        ({"Authorization": "Bearer mec_none"}, 401),
        ({"Authorization": "Basic eDp5"}, 401),
        ({"Authorization": "Bearer a b"}, 400),
        ({"X-API-Key": "none"}, 401),
    ],
)
def test_nobody_learns_anything_without_a_credential(client, lumen, header, status, key):
    address = f"{ALL}/{key}" if key else ALL

    response = client.post(address, ANYBODY, content_type="application/json", headers=header)

    assert told(response, key or None) == (status, "GENERAL")
    assert response.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_suspended_organisation(ask):
    token = make_client_token(make_organisation("Abbey", status="suspended"))

    assert told(ask("shown", token=token), "shown") == (403, "GENERAL")


def test_a_client_that_asks_too_often(ask, settings):
    settings.CLIENT_TOKEN_RATE = (60, 1)
    ask("shown")

    refused = ask("shown")

    assert (told(refused, "shown"), refused.headers["Retry-After"]) == ((429, "GENERAL"), "1")


# What is not there, and what fails


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head", "trace"])
def test_another_method(client, lumen, method):
    headers = {"Authorization": f"Bearer {make_client_token(lumen)}"}

    for address in (ALL, f"{ALL}/shown"):
        response = getattr(client, method)(address, headers=headers)
        assert (response.status_code, response.headers["Allow"]) == (405, "POST, OPTIONS")


@pytest.mark.parametrize("address", ["/ofrep/", "/ofrep/v1", "/ofrep/v1/configuration", "/ofrep/v2/evaluate/flags"])
def test_an_address_that_is_none(client, address):
    assert told(client.post(address), None) == (404, "GENERAL")


def test_no_key_at_all_is_no_flag_and_no_redirect(client):
    assert told(client.post(f"{ALL}/"), "") == (404, "FLAG_NOT_FOUND")


def test_a_host_that_is_not_ours(client):
    assert told(client.post(f"{ALL}/shown", headers={"Host": "evil.example"}), "shown") == (400, "GENERAL")


def test_too_many_requests_at_once(client):
    response = client.post(f"{ALL}/shown", **{REFUSED: True})

    assert (told(response, "shown"), response.headers["Retry-After"]) == ((503, "GENERAL"), "5")


def test_the_database_away(ask, monkeypatch):
    def breaks(*_: Any) -> None:
        raise OperationalError("a secret")

    monkeypatch.setattr("accounts.client_tokens.usable", breaks)

    response = ask("shown")

    assert (told(response, "shown"), response.headers["Retry-After"]) == ((503, "GENERAL"), "10")


def test_a_fault_within_a_middleware(ask, monkeypatch):
    def breaks(*_: Any) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("accounts.door.match_of", breaks)

    assert told(ask("shown"), "shown") == (500, "GENERAL")


def test_the_answer_of_the_last_resort():
    told = json.loads(last_resort(f"{ALL}/shown").content)

    assert (told["errorCode"], told["key"]) == ("GENERAL", "shown")


# From browsers


def test_a_page_of_the_listed_origin_may_send_what_the_client_sends_and_read_the_answer(client, ask):
    asked = {
        "Origin": APP,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type,if-none-match,x-api-key",
    }

    preflight = client.options(ALL, headers=asked)
    answer = ask(Origin=APP)

    allowed = set(preflight.headers["Access-Control-Allow-Headers"].split(", "))
    assert (preflight.status_code, preflight.headers["Access-Control-Allow-Origin"]) == (200, APP)
    assert {"authorization", "content-type", "if-none-match", "x-api-key"} <= allowed
    assert answer.headers["Access-Control-Allow-Origin"] == APP
    assert {"etag", "retry-after"} <= set(answer.headers["Access-Control-Expose-Headers"].split(", "))


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "https://app.example.evil.example"])
def test_other_origins_get_no_permission(client, ask, origin):
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}

    for response in (client.options(ALL, headers=asked), ask(Origin=origin), ask("unheard.of", Origin=origin)):
        assert [name for name in response.headers if name.startswith("Access-Control")] == []
