"""No secret leaves in text: not those of the settings, and nothing that looks like one."""

import json
import time
from datetime import UTC, datetime

import pytest
from django.conf import settings

from tenants import redaction
from tenants.redaction import anonymise, anonymise_value, redact

JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJhdXRoMHwxIn0.c2lnbmF0dXJl-_x"


@pytest.mark.parametrize(
    ("text", "without"),
    [
        ("GET /oidc/callback/?code=abc123&state=def456 HTTP", "GET /oidc/callback/?code=[hidden]&state=[hidden] HTTP"),
        (f"id_token: {JWT}", "id_token: [hidden]"),
        (f"the provider sent {JWT} back", "the provider sent [hidden] back"),
        ("Authorization: Bearer abcdefgh.ijkl", "Authorization: [hidden]"),
        ("sent Bearer abcdefgh.ijkl along", "sent Bearer [hidden] along"),
        ("{'HTTP_COOKIE': 'sessionid=abc; csrftoken=def', 'PATH': '/'}", "{'HTTP_COOKIE': '[hidden]', 'PATH': '/'}"),
        ("Cookie: sessionid=abc; theme=dark\nnext line", "Cookie: [hidden]\nnext line"),
        ("sessionid=abc; csrfmiddlewaretoken=def", "sessionid=[hidden]; csrfmiddlewaretoken=[hidden]"),
        ("postgres://web:p4ss@db.example/market", "postgres://web:[hidden]@db.example/market"),
        ("postgres://web:p@ss/word@db.example/market", "postgres://web:[hidden]@db.example/market"),
        ("redis://:p4ss@cache.example/0", "redis://:[hidden]@cache.example/0"),
        ("connect(password='correct horse battery', user='web')", "connect(password='[hidden]', user='web')"),
        (r"{'password': 'it\'s long', 'user': 'web'}", "{'password': '[hidden]', 'user': 'web'}"),
        ('{"client_secret": "abc", "n": 3}', '{"client_secret": "[hidden]", "n": 3}'),
        ("AUTH0_CLIENT_SECRET=abc", "AUTH0_CLIENT_SECRET=[hidden]"),
        ("X-CSRF-Token: abc", "X-CSRF-Token: [hidden]"),
        ("Not Found: /claim/Ab-12_cd/", "Not Found: /claim/[hidden]/"),
        ("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----\nnext", "[hidden]\nnext"),
        ("-----BEGIN PRIVATE KEY-----\nabc", "[hidden]"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(text, without):
    assert redact(text) == without


@pytest.mark.parametrize(
    "text",
    [
        "GET market_edge_core:markets 200 in 12.5 ms",
        "status_code=503",
        "The flag market_edge_v2 is unknown: its default False holds.",
        "http://127.0.0.1:8000/healthz/live did not answer",
        "a basic plan",
        "marketedge@0.1.0+abc1234",
    ],
)
def test_what_is_no_secret_stays(text):
    assert anonymise(text) == text


def test_the_secrets_of_the_settings_are_hidden_wherever_they_stand():
    secrets = [settings.SECRET_KEY, settings.OIDC_RP_CLIENT_SECRET, settings.DATABASES["default"]["PASSWORD"]]

    told = redact(" and ".join(secrets))

    assert told == "[hidden] and [hidden] and [hidden]"


def test_a_secret_is_also_hidden_as_addresses_spell_it(monkeypatch, settings):
    monkeypatch.setattr(redaction, "_known", None)
    settings.METRICS_TOKEN = "p@ss/wörd-0123456789"

    assert redact("GET /x?p%40ss%2Fw%C3%B6rd-0123456789") == "GET /x?[hidden]"


def test_before_there_are_settings_what_looks_like_a_secret_is_hidden(monkeypatch):
    class NoSettings:
        configured = False

    monkeypatch.setattr(redaction, "_known", None)
    monkeypatch.setattr(redaction, "settings", NoSettings())

    assert redact("password=abc") == "password=[hidden]"


def test_addresses_of_people_are_only_hidden_where_nobody_decides_who_reads():
    text = "Key (email)=(ann.o'neill+x@lumen-cinemas.example) already exists"

    assert redact(text) == text
    assert anonymise(text) == "Key (email)=([address]) already exists"


def test_values_are_gone_through_in_depth():
    given = {
        "password": 12345,
        "statements": 4,
        "has_token": True,
        "headers": [{"Cookie": "a=b", "Accept": "text/html"}],
        "at": datetime(2026, 11, 25, tzinfo=UTC),
        "url": "https://x.example/?code=abc",
        "count": 3,
        "nothing": None,
        "other": {1},
    }

    assert anonymise_value("given", given) == {
        "password": "[hidden]",
        "statements": 4,
        "has_token": True,
        "headers": [{"Cookie": "[hidden]", "Accept": "text/html"}],
        "at": "2026-11-25T00:00:00+00:00",
        "url": "https://x.example/?code=[hidden]",
        "count": 3,
        "nothing": None,
        "other": [1],
    }


def test_json_stays_json():
    told = json.dumps({"token": "abc", "cookie": 'a="b"', "authorization": "Basic abc", "list": ["password=x"]})

    assert json.loads(redact(told)) == {
        "token": "[hidden]",
        "cookie": "[hidden]",
        "authorization": "[hidden]",
        "list": ["password=[hidden]"],
    }


@pytest.mark.parametrize(
    "text",
    [
        "x" * 20_000,
        "password='" * 2_000,
        "token" * 4_000,
        "code" + " " * 20_000,
        "a://" * 5_000,
        "a@" * 10_000,
        "eyJ" * 7_000,
        "-----BEGIN PRIVATE KEY" * 900,
        "a." * 10_000 + "@",
        "a@" + "a." * 10_000,
    ],
)
def test_no_text_makes_it_slow(text):
    began = time.perf_counter()

    anonymise(text)

    assert time.perf_counter() - began < 1
