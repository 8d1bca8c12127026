"""The sign-in page says when the provider does not answer, and does not wait for it."""

import time

import pytest

from accounts import availability
from accounts.bounded_http import Answer
from accounts.local_provider.provider import Provider, ProviderSettings
from accounts.local_provider.server import serve_in_thread
from tenants.probing import Prober
from tests.accounts.conftest import CALLBACK, point_at
from tests.marketedge.serving import MuteServer

NOTICE = "The sign-in service does not answer just now"


@pytest.fixture
def asked(monkeypatch):
    """The real question, with a fresh memory."""
    prober = Prober(availability.ask_provider, deadline=availability.WAIT, kept=10, late=False, failed=False)
    monkeypatch.setattr(availability, "prober", prober)


def test_the_page_says_nothing_while_the_provider_answers(client, settings, asked):
    with serve_in_thread(Provider(ProviderSettings("", "us", "secret", (CALLBACK,), ()))) as issuer:
        point_at(settings, issuer)

        page = client.get("/sign-in/").content.decode()

    assert NOTICE not in page


def test_the_page_says_that_nothing_listens_at_the_providers_address(client, settings, asked):
    point_at(settings, "http://127.0.0.1:1/")

    page = client.get("/sign-in/").content.decode()

    assert NOTICE in page
    assert "/oidc/authenticate/" in page


def test_the_page_does_not_wait_for_a_mute_provider(client, settings, asked):
    mute = MuteServer()
    point_at(settings, f"http://127.0.0.1:{mute.port}/")
    began = time.monotonic()

    page = client.get("/sign-in/").content.decode()

    assert (NOTICE in page, time.monotonic() - began < 2) == (True, True)
    mute.close()


@pytest.mark.parametrize(("status", "answers"), [(200, True), (404, True), (500, False), (503, False)])
def test_a_provider_that_is_broken_does_not_count_as_answering(monkeypatch, status, answers):
    monkeypatch.setattr("accounts.bounded_http.ask", lambda *_: Answer(status, "", b""))

    assert availability.ask_provider() is answers
