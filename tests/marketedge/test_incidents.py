"""When something goes wrong, the page carries an id and nothing else; the log has the rest under it."""

import errno
from typing import Any

import psycopg
import pytest
from django.db import InterfaceError, InternalError, OperationalError
from django.test import Client

from accounts.models import Session
from tests.factories import make_member, make_organisation


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The sign-in page raises this fault."""

    def breaks_with(fault: Exception) -> Client:
        def view(*arguments: Any, **options: Any) -> None:
            raise fault

        monkeypatch.setattr("accounts.destinations.wanted", view)
        return Client(raise_request_exception=False, headers={"X-Forwarded-Proto": "https"})

    return breaks_with


@pytest.mark.filterwarnings("default")
def test_a_fault_shows_its_incident_id_and_nothing_of_the_fault(broken, caplog):
    response = broken(ZeroDivisionError("secret detail")).get("/sign-in/")

    page = response.content.decode()
    assert (response.status_code, response.headers["X-Request-ID"] in page, "secret detail" in page) == (
        500,
        True,
        False,
    )
    assert "secret detail" in caplog.text


@pytest.mark.parametrize("fault", [OperationalError("host"), InterfaceError("host")])
def test_a_database_that_does_not_answer_is_a_calm_503(broken, fault):
    response = broken(fault).get("/sign-in/")

    page = response.content.decode()
    assert (response.status_code, response.headers["Retry-After"], "host" in page) == (503, "10", False)
    assert response.headers["X-Request-ID"] in page


class Enveloped(InternalError):
    """As Django raises it, around what psycopg said."""

    def __init__(self, cause: Exception) -> None:
        super().__init__("host")
        self.__cause__ = cause


@pytest.mark.parametrize(
    ("fault", "words", "retry_after"),
    [
        (Enveloped(psycopg.errors.ReadOnlySqlTransaction()), "can be read, but nothing can be changed", "60"),
        (Enveloped(psycopg.errors.DiskFull()), "A disk of MarketEdge is full", "300"),
        (OSError(errno.ENOSPC, "host"), "A disk of MarketEdge is full", "300"),
    ],
)
def test_each_outage_is_said_in_its_own_words(broken, fault, words, retry_after):
    response = broken(fault).get("/sign-in/")

    page = response.content.decode()
    assert (response.status_code, response.headers["Retry-After"], words in page) == (503, retry_after, True)
    assert "host" not in page


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("fault", [OSError(errno.EACCES, "x"), Enveloped(psycopg.errors.DuplicateTable())])
def test_what_is_our_own_fault_is_not_called_an_outage(broken, fault):
    assert broken(fault).get("/sign-in/").status_code == 500


@pytest.mark.parametrize("path", ["/sign-in/", "/signed-out/", "/nothing/", "/api/v1/nothing"])
def test_every_answer_has_a_strict_policy(client, path):
    policy = client.get(path).headers["Content-Security-Policy"]

    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_an_old_form_says_what_to_do(db):
    strict = Client(enforce_csrf_checks=True, headers={"X-Forwarded-Proto": "https"})

    response = strict.post("/sign-out/")

    assert (response.status_code, "reload" in response.content.decode().lower()) == (403, True)


def test_an_address_that_is_no_page_says_so(client, db):
    response = client.get("/sign-out/")

    page = response.content.decode()
    assert (response.status_code, response.headers["Allow"], "This address is no page" in page) == (405, "POST", True)
    assert response.headers["Content-Length"] == str(len(response.content))


def test_who_was_signed_out_meanwhile_is_not_told_that_nothing_was_done(db, monkeypatch):
    browser = Client(raise_request_exception=False, headers={"X-Forwarded-Proto": "https"})
    browser.force_login(make_member(make_organisation("Lumen")))
    monkeypatch.setattr("tenants.middleware.note_acting", lambda *_: Session.objects.all().delete())

    response = browser.get("/o/lumen/")

    page = response.content.decode()
    assert (response.status_code, "may have been saved" in page, "/sign-in/" in page) == (400, True, True)
