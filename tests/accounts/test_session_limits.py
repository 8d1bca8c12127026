"""How long a session lives, and that using it does not write to the database each time."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Session
from accounts.sessions import SIGNED_IN_AT, SessionStore

pytestmark = pytest.mark.django_db
BEN = "demonstration|cinema-analyst"


@pytest.fixture
def browser(sign_in: Any, known: Any) -> Any:
    known(BEN)
    sign_in(BEN)
    return sign_in.client


def row() -> Session:
    return Session.objects.get()


def is_in(browser: Any) -> bool:
    return browser.get("/organisations/").status_code == 200


def shift(seconds: float) -> None:
    """As if the last visit that was noted had been so many seconds earlier."""
    Session.objects.update(expire_date=row().expire_date - timedelta(seconds=seconds))


def signed_in_ago(browser: Any, **ago: float) -> None:
    session = browser.session
    session[SIGNED_IN_AT] = (timezone.now() - timedelta(**ago)).isoformat()
    session.save()


def minutes_left() -> float:
    return (row().expire_date - timezone.now()) / timedelta(minutes=1)


def test_an_hour_without_a_request_ends_a_session(browser):
    shift(3590)
    assert is_in(browser)

    shift(3610)
    assert not is_in(browser)


def test_being_at_work_keeps_a_session(browser):
    shift(1800)

    browser.get("/organisations/")

    assert 59 < minutes_left() <= 60


def test_eight_hours_end_a_session_whatever_its_person_does(browser):
    signed_in_ago(browser, hours=7, minutes=50)
    assert (is_in(browser), 9 < minutes_left() <= 10) == (True, True)
    shift(400)

    assert (is_in(browser), minutes_left() <= 10) == (True, True)
    signed_in_ago(browser, hours=8, minutes=1)
    assert not is_in(browser)


def test_writing_to_a_session_does_not_lengthen_it(browser):
    signed_in_ago(browser, hours=7, minutes=50)
    session = browser.session
    session["anything"] = "x"
    session.save()

    assert minutes_left() <= 10


def test_the_limits_are_settings(browser, settings):
    settings.SESSION_HOURS, settings.SESSION_IDLE_MINUTES = 2, 10
    signed_in_ago(browser, minutes=1)

    assert 9 < minutes_left() <= 10
    signed_in_ago(browser, hours=2, minutes=1)
    assert not is_in(browser)


def test_a_visit_is_not_written_down_each_time(browser):
    shift(200)
    with CaptureQueriesContext(connection) as asked:
        browser.get("/organisations/")

    assert [query["sql"] for query in asked if query["sql"].startswith("UPDATE")] == []


def test_noting_a_visit_leaves_the_contents_of_the_session(browser, monkeypatch):
    before = row().session_data
    shift(1800)
    browser.get("/organisations/")

    assert row().session_data == before


def test_a_page_can_be_read_while_nothing_can_be_written(browser, monkeypatch, caplog):
    def refuse(_: SessionStore) -> None:
        raise DatabaseError("cannot execute UPDATE in a read-only transaction")

    monkeypatch.setattr(SessionStore, "note_visit", refuse)

    assert (is_in(browser), "A visit could not be noted" in caplog.text) == (True, True)


def test_the_sessions_cookie_is_for_this_host_and_ends_with_the_session(browser, settings):
    cookie = browser.cookies[settings.SESSION_COOKIE_NAME]

    kept = {name: cookie[name] for name in ("path", "domain", "secure", "httponly", "samesite")}
    assert cookie.key == "__Host-sessionid"
    assert kept == {"path": "/", "domain": "", "secure": True, "httponly": True, "samesite": "Lax"}
    assert 8 * 3600 - 60 < cookie["max-age"] <= 8 * 3600


def test_the_forms_cookie_is_for_this_host(browser, settings):
    browser.get("/organisations/")

    cookie = browser.cookies[settings.CSRF_COOKIE_NAME]
    assert (cookie.key, cookie["secure"], cookie["httponly"], cookie["path"]) == ("__Host-csrftoken", True, True, "/")


def test_a_session_from_before_the_sign_in_is_not_the_one_after(sign_in, known):
    known(BEN)
    planted = SessionStore()
    planted["anything"] = "x"
    planted.save()
    sign_in.client.cookies["__Host-sessionid"] = planted.session_key

    sign_in(BEN)

    keys = list(Session.objects.values_list("session_key", flat=True))
    assert (sign_in.is_signed_in, planted.session_key in keys) == (True, False)
    assert datetime.fromisoformat(sign_in.client.session[SIGNED_IN_AT]) <= timezone.now()
