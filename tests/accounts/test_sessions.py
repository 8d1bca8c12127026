"""Sessions know whose they are, so that a person can be signed out everywhere."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import actions
from accounts.models import Session
from accounts.sessions import SessionStore, note_sign_in
from tenants import ownership, privileges, scope
from tenants.models import AuditEvent
from tests.factories import make_superuser, make_user

pytestmark = pytest.mark.django_db
BEN = "demonstration|cinema-analyst"


def signed_in(person: Any, browsers: int = 1) -> list[Client]:
    clients = [Client(headers={"X-Forwarded-Proto": "https"}) for _ in range(browsers)]
    for client in clients:
        client.force_login(person)
    return clients


def session_count(person: Any) -> int:
    return Session.objects.filter(person=person).count()


def apply(action: Callable[..., Any], person: Any, **options: Any) -> Any:
    with scope.login():
        return action(person, by=None, **options)


def event(action: str) -> AuditEvent:
    with scope.login():
        return AuditEvent.objects.get(action=action)


def test_signing_in_leaves_one_session_that_names_the_person_and_the_time(sign_in, known):
    person = known(BEN)

    sign_in(BEN)

    session = Session.objects.get()
    assert (session.person, len(session.provider_session) > 8) == (person, True)
    assert session.signed_in_at
    assert timezone.now() - session.signed_in_at < timedelta(minutes=1)


def test_a_sign_in_under_way_needs_no_session(sign_in):
    sign_in.begin()

    assert Session.objects.count() == 0


def test_the_providers_name_for_a_session_finds_it(rf):
    request: HttpRequest = rf.get("/")
    request.session = SessionStore()

    note_sign_in(request, provider_session="sid-1")
    request.session.save()

    assert Session.objects.get(provider_session="sid-1").session_key == request.session.session_key


def test_a_session_that_is_written_again_keeps_the_time_it_began():
    session = SessionStore()
    session.create()
    began = Session.objects.get().created_at

    session["seen"] = "yes"
    session.save()

    row = Session.objects.get()
    assert (row.created_at, row.get_decoded()) == (began, {"seen": "yes"})


def test_ending_a_persons_sessions_signs_them_out_everywhere_and_nobody_else():
    ann, bob = make_user(), make_user()
    browsers, [neighbour] = signed_in(ann, 2), signed_in(bob)

    ended = apply(actions.end_sessions, ann, reason="a lost laptop")

    assert (ended, session_count(ann), session_count(bob)) == (2, 0, 1)
    assert [browser.get("/").headers["Location"] for browser in browsers] == ["/sign-in/?next=/"] * 2
    assert "_auth_user_id" in neighbour.session
    assert (event("person.sessions_ended").data, event("person.sessions_ended").reason) == (
        {"person": ann.email, "sessions": 2},
        "a lost laptop",
    )


def test_ending_sessions_takes_one_statement_whatever_their_number():
    person = make_user()
    signed_in(person, 3)

    with CaptureQueriesContext(
        connection,
    ) as asked:
        apply(actions.end_sessions, person, reason="x")

    assert len([query for query in asked if "accounts_session" in query["sql"]]) == 1


def test_deactivating_somebody_ends_their_sessions_in_the_same_event():
    person = make_user()
    signed_in(person, 2)

    apply(actions.deactivate_person, person, reason="left")

    assert (session_count(person), event("person.deactivated").data["sessions"]) == (0, 2)


def test_somebody_who_is_reactivated_has_to_sign_in_again():
    person = make_user()
    [browser] = signed_in(person)

    apply(actions.deactivate_person, person, reason="left")
    apply(actions.reactivate_person, person, reason="came back")

    assert browser.get("/").headers["Location"] == "/sign-in/?next=/"


def test_a_session_that_came_just_after_the_deactivation_does_not_come_back_with_the_person():
    person = make_user()
    apply(actions.deactivate_person, person, reason="left")
    signed_in(person)

    apply(actions.reactivate_person, person, reason="came back")

    assert session_count(person) == 0


def test_taking_the_tick_from_active_in_the_admin_site_ends_the_sessions_too(client):
    person = make_user()
    signed_in(person)
    client.force_login(make_superuser())

    client.post(f"/admin/accounts/user/{person.pk}/change/", {"name": "", "reason": "left"})

    person.refresh_from_db()
    assert (person.is_active, session_count(person)) == (False, 0)


def test_changing_an_active_person_leaves_their_sessions():
    person = make_user()
    signed_in(person)

    apply(actions.change_person, person)

    assert session_count(person) == 1


def test_the_release_before_keeps_its_right_to_the_sessions_that_it_holds():
    granted = privileges.statements({"django_session"})

    assert f'GRANT {ownership.WRITE} ON "django_session" TO marketedge_app;' in granted
    assert not any("django_session" in statement for statement in privileges.statements(set()))
