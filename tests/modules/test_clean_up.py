"""What is over goes, piece by piece; what is not stays."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import Invitation, PlatformAdminLink, Session
from modules import cleaning
from modules.market_edge_core.models import PriceUpload
from tenants import batches, scope
from tests.accounts.operating import APPLY, event, events, run, run_json
from tests.factories import as_owner, make_invitation, make_organisation
from tests.modules.market_edge_core.factories import make_upload

pytestmark = pytest.mark.django_db
NOW = timezone.now()
LONG_AGO, RECENTLY, LATER = NOW - timedelta(days=100), NOW - timedelta(days=5), NOW + timedelta(days=5)
BEFORE = NOW - timedelta(days=200)


@as_owner
def make_session(key: str, ends_at: Any) -> Session:
    return Session.objects.create(session_key=key, session_data="", expire_date=ends_at)


@as_owner
def make_link(token: str, ends_at: Any, used_at: Any = None) -> PlatformAdminLink:
    return PlatformAdminLink.objects.create(
        email="x@example.com", token_hash=token, created_at=BEFORE, expires_at=ends_at, used_at=used_at
    )


@pytest.fixture
def everything():
    """Of each kind some that is over and some that is not."""
    organisation = make_organisation("Lumen")
    for key, ends_at in (("a", LONG_AGO), ("b", RECENTLY), ("c", LATER)):
        make_session(f"session-{key}", ends_at)
        make_link(f"link-{key}", ends_at)
        make_invitation(organisation, f"{key}@example.com", created_at=BEFORE, expires_at=ends_at)
        make_upload(organisation, name=f"{key}.csv", created_at=BEFORE, expires_at=ends_at)
    make_link("link-used", LATER, used_at=LONG_AGO)
    make_invitation(organisation, "member@example.com", created_at=BEFORE, expires_at=LONG_AGO, accepted_at=LONG_AGO)
    make_upload(organisation, name="loaded.csv", created_at=BEFORE, expires_at=LONG_AGO, applied_at=LONG_AGO)


def left(model: Any, field: str) -> list[str]:
    with scope.login():
        return sorted(getattr(model, "unscoped", model.objects).values_list(field, flat=True))


def all_left() -> list[list[str]]:
    return [
        left(Session, "session_key"),
        left(PlatformAdminLink, "token_hash"),
        left(Invitation, "email"),
        left(PriceUpload, "name"),
    ]


def test_what_is_over_goes_and_what_is_not_stays(everything):
    told, code = run("clean_up", *APPLY)

    assert ("4 changes made." in told, code) == (True, 0)
    assert all_left() == [
        ["session-c"],
        ["link-b", "link-c"],
        ["b@example.com", "c@example.com", "member@example.com"],
        ["c.csv", "loaded.csv"],
    ]


def test_one_event_says_what_went(everything):
    run("clean_up", *APPLY)

    assert events() == [("platform.cleaned_up", "ops@example.com", "asked for it")]
    assert event("platform.cleaned_up").data == {
        "deleted": {
            "expired sessions": 2,
            "invitations that nobody accepted": 1,
            "used or expired platform admin links": 2,
            "previews of price files": 2,
        }
    }


def test_a_dry_run_counts_and_deletes_nothing(everything):
    before = all_left()

    answer = run_json("clean_up")

    assert (answer["deleted"]["expired sessions"], answer["exit"]) == (2, 4)
    assert (all_left(), events()) == (before, [])


def test_a_second_run_makes_0_changes_and_no_event(everything):
    run("clean_up", *APPLY)

    assert (run_json("clean_up", *APPLY)["changes"], len(events())) == ([], 1)


def test_how_long_what_ended_is_kept_is_a_setting(everything, settings):
    settings.ENDED_KEPT_DAYS = 1

    run("clean_up", *APPLY)

    assert left(Invitation, "email") == ["c@example.com", "member@example.com"]


def test_more_than_one_batch_goes_in_one_run(monkeypatch):
    monkeypatch.setattr(batches, "BATCH", 2)
    for number in range(5):
        make_session(f"old-{number}", LONG_AGO)

    run("clean_up", *APPLY)

    assert left(Session, "session_key") == []


def test_a_run_stops_at_its_limit_and_says_so(monkeypatch):
    monkeypatch.setattr(batches, "BATCH", 2)
    for number in range(5):
        make_session(f"old-{number}", LONG_AGO)

    told, _ = run("clean_up", "--limit", "3", *APPLY)

    assert (len(left(Session, "session_key")), "run it again" in told) == (2, True)


@pytest.mark.django_db(transaction=True)
def test_a_second_run_at_the_same_moment_neither_waits_nor_counts_the_same_rows():
    for number in range(4):
        make_session(f"old-{number}", LONG_AGO)

    with scope.login(), transaction.atomic():
        first = cleaning.clean_up(at=NOW, by=None, reason="x", limit=3)
        second = elsewhere(lambda: cleaning.clean_up(at=NOW, by=None, reason="x"))

    assert (first, second) == ({"expired sessions": 3}, {"expired sessions": 1})
    assert left(Session, "session_key") == []


def elsewhere(work: Callable[[], Any]) -> Any:
    """Do it in another database session."""

    def work_and_leave() -> Any:
        try:
            with scope.login():
                return work()
        finally:
            connection.close()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work_and_leave).result(timeout=20)
