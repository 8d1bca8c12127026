"""`check_idp`: each way in which the provider can be unfit or away, told by asking a real one that lies."""

import json
import ssl
import subprocess
import sys
import time
from wsgiref.handlers import format_date_time

import pytest

from accounts import bounded_http, provider_check
from accounts.local_provider.messages import Answer, redirect
from accounts.local_provider.provider import Provider
from accounts.local_provider.server import serve_in_thread
from accounts.local_provider.tokens import Faults
from tests.accounts.conftest import point_at
from tests.accounts.unfit import DOCUMENT, SMALL_KEY, Lying, dripping, secured, self_signed
from tests.environment import ROOT
from tests.marketedge.serving import MuteServer, environment

ALGORITHMS = "id_token_signing_alg_values_supported"


def found(settings, provider: Provider, within: float = 5.0) -> list[str]:
    """What is held against it."""
    with serve_in_thread(provider) as issuer:
        point_at(settings, issuer)
        report = provider_check.examine(within=within)
    bad = [finding for finding in report.findings if finding.state not in {"ok", "note"}]
    return [f"{finding.state} {finding.subject}: {finding.says}".replace(issuer, "HERE/") for finding in bad]


def test_an_honest_provider_is_fit(settings):
    with serve_in_thread(Lying()) as issuer:
        point_at(settings, issuer)
        report = provider_check.examine(within=5)

    assert [(finding.state, finding.subject) for finding in report.findings] == [
        ("ok", "identity provider"),
        ("ok", "provider's clock"),
        ("ok", "document"),
        ("ok", "keys"),
    ]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"issuer": "https://elsewhere/"}, "its issuer is 'https://elsewhere/', ours is 'HERE/'"),
        (
            {"token_endpoint": "https://elsewhere/t"},
            "token_endpoint is 'https://elsewhere/t', we use 'HERE/oauth/token'",
        ),
        ({"jwks_uri": None}, "jwks_uri is missing"),
        (
            {"id_token_signing_alg_values_supported": ["HS256"]},
            "id_token_signing_alg_values_supported does not hold RS256",
        ),
        ({"code_challenge_methods_supported": ["plain"]}, "code_challenge_methods_supported does not hold S256"),
        ({"code_challenge_methods_supported": None}, "code_challenge_methods_supported does not hold S256"),
    ],
)
def test_a_document_that_is_not_ours_is_said(settings, change, words):
    assert found(settings, Lying(document=lambda told: {**told, **change})) == [f"problem document: {words}"]


def test_an_issuer_without_its_slash_is_another_one(settings):
    wrong = found(settings, Lying(document=lambda told: {**told, "issuer": told["issuer"].rstrip("/")}))

    assert len(wrong) == 1


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (lambda told: {"keys": []}, ["none of 0 can be used"]),
        (lambda told: {"keys": "nonsense"}, ["none of 0 can be used"]),
        (lambda told: {"keys": [{"kty": "EC", "kid": "x"}]}, ["none of 1 can be used"]),
        (lambda told: {"keys": [*told["keys"], SMALL_KEY]}, ["the key small has 1024 bits, fewer than 2048"]),
        (
            lambda told: {"keys": [{**told["keys"][0], "kid": "twin"}] * 2},
            ["2 keys are called twin"],
        ),
        (
            lambda told: {"keys": [{**told["keys"][0], "kid": ""}]},
            ["a key has no name (kid)", "none of 1 can be used"],
        ),
    ],
)
def test_keys_that_cannot_be_used_are_said(settings, keys, words):
    assert found(settings, Lying(keys=keys)) == [f"problem keys: {says}" for says in words]


def test_a_key_of_another_kind_beside_ours_is_no_problem(settings):
    assert found(settings, Lying(keys=lambda told: {"keys": [*told["keys"], {"kty": "EC", "kid": "x"}]})) == []


def answering(answer: Answer) -> Provider:
    provider = Lying()
    provider.routes[DOCUMENT]["GET"] = lambda _: answer
    return provider


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(500, "out of order", "text/plain"), "openid-configuration answers with status 500"),
        (Answer(404, "no", "text/plain"), "openid-configuration answers with status 404"),
        (Answer(200, "<html>", "text/html"), "openid-configuration is not JSON"),
        (Answer(200, "[" * 50_000), "openid-configuration is not JSON"),
        (Answer(200, "[]", "application/json"), "openid-configuration is not an object"),
        (
            redirect("https://elsewhere.example/", {}),
            "openid-configuration is redirected, which the sign-in does not follow",
        ),
    ],
)
def test_an_answer_that_is_no_document_is_said(settings, answer, words):
    assert found(settings, answering(answer)) == [f"problem identity provider: {words}"]


def test_an_answer_that_never_ends_is_not_read_to_its_end(settings):
    huge = Answer(200, "x" * (bounded_http.ALL_LIMIT + 100_000), "application/json")

    assert found(settings, answering(huge)) == ["unknown identity provider: the answer is too long"]


def test_a_slow_provider_is_said_with_its_time(settings, monkeypatch):
    monkeypatch.setattr(provider_check, "SLOW_AFTER", 0.2)
    provider = Lying()
    provider.faults = Faults(seconds_late=0.3)

    assert found(settings, provider)[0].startswith("problem identity provider: is slow: 0.3 s for one answer")


@pytest.mark.parametrize(("ahead", "words"), [(60, "behind the provider's"), (-60, "ahead of the provider's")])
def test_a_clock_that_is_wrong_is_said(settings, ahead, words):
    date = format_date_time(time.time() + ahead)
    provider = Lying()
    honest = provider.routes[DOCUMENT]["GET"]
    provider.routes[DOCUMENT]["GET"] = lambda request: Answer(
        200, honest(request).body, "application/json", headers={"Date": date}
    )

    wrong = found(settings, provider)

    assert (len(wrong), words in wrong[0]) == (1, True)


@pytest.mark.parametrize(
    ("issuer", "words"),
    [
        ("http://127.0.0.1:1/", "the connection is refused: nothing listens there"),
        ("http://no-such-host.invalid/", "its host name is unknown"),
    ],
)
def test_a_provider_that_is_not_there_is_unknown(settings, issuer, words):
    point_at(settings, issuer)

    report = provider_check.examine(within=5)

    assert [(finding.state, finding.says) for finding in report.findings] == [("unknown", words)]


def test_a_mute_provider_is_given_up_in_time(settings):
    mute = MuteServer()
    point_at(settings, f"http://127.0.0.1:{mute.port}/")
    began = time.monotonic()

    report = provider_check.examine(within=0.5)

    assert (report.findings[0].says, time.monotonic() - began < 1.5) == ("no whole answer within 0.5 seconds", True)
    mute.close()


def test_an_answer_that_drips_is_given_up_in_time(settings):
    with dripping() as port:
        point_at(settings, f"http://127.0.0.1:{port}/")
        began = time.monotonic()

        report = provider_check.examine(within=0.5)

    assert (report.findings[0].state, time.monotonic() - began < 1.5) == ("unknown", True)


@pytest.mark.parametrize(("days", "state"), [(60, "ok"), (3, "problem")])
def test_a_certificate_that_ends_soon_is_said(settings, monkeypatch, tmp_path, days, state):
    path = self_signed(tmp_path, days)
    trusting = ssl.create_default_context(cafile=path)
    monkeypatch.setattr(bounded_http, "_tls", lambda: trusting)
    with secured(path) as issuer:
        point_at(settings, issuer)
        report = provider_check.examine(within=5)

    told = [(finding.state, finding.says) for finding in report.findings if finding.subject == "certificate"]
    assert [(told_state, f"in {days} days" in says) for told_state, says in told] == [(state, True)]


def test_a_certificate_that_proves_nothing_is_said(settings, tmp_path):
    with secured(self_signed(tmp_path, 60)) as issuer:
        point_at(settings, issuer)
        report = provider_check.examine(within=5)

    assert [(finding.state, finding.says) for finding in report.findings] == [
        ("problem", "its certificate is not to be trusted: self-signed certificate")
    ]


def test_the_command_needs_no_database_and_its_exit_code_tells():
    ended = subprocess.run(
        [sys.executable, "manage.py", "check_idp", "--json", "--timeout", "5"],
        cwd=ROOT,
        env=environment(
            DATABASE_URL="postgres://web:pw@127.0.0.1:1/x", DATABASE_OWNER_URL="", OIDC_ISSUER="https://127.0.0.1:1/"
        ),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (ended.returncode, json.loads(ended.stdout)["exit"]) == (3, 3)
