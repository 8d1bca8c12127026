"""Ops sign people out: one, an organisation's, or everybody."""

import pytest
from django.test import Client

from accounts.models import Session
from accounts.sessions import SessionStore
from tests.accounts.operating import APPLY, event, events, run, run_json
from tests.factories import make_member, make_organisation, make_user

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def signed_in_people():
    """Ann with two sessions and Bob with one at Lumen, Cleo with one elsewhere, and a visitor."""
    lumen, elsewhere = make_organisation("Lumen"), make_organisation("Elsewhere")
    ann, bob = make_member(lumen, email="ann@example.com"), make_member(lumen, email="bob@example.com")
    for person in (ann, ann, bob, make_member(elsewhere, email="cleo@example.com")):
        Client(headers={"X-Forwarded-Proto": "https"}).force_login(person)
    SessionStore().create()


def left() -> list[str]:
    rows = Session.objects.order_by("person__email").select_related("person")
    return sorted(row.person.email.partition("@")[0] if row.person else "visitor" for row in rows)


@pytest.mark.parametrize(
    ("whose", "ended", "remaining", "action"),
    [
        (["ann@example.com"], 2, ["bob", "cleo", "visitor"], "person.sessions_ended"),
        (["--organisation", "lumen"], 3, ["cleo", "visitor"], "organisation.sessions_ended"),
        (["--everybody"], 4, ["visitor"], "platform.sessions_ended"),
    ],
)
def test_exactly_those_asked_for_are_signed_out_with_one_event_that_counts(whose, ended, remaining, action):
    answer = run_json("end_sessions", *whose, *APPLY)

    assert (answer["sessions"], answer["exit"], left()) == (ended, 0, remaining)
    assert events()[-1] == (action, "ops@example.com", "asked for it")
    assert event(action).data["sessions"] == ended


def test_a_dry_run_counts_and_signs_nobody_out():
    told, code = run("end_sessions", "ann@example.com")

    assert ("would: end 2 sessions of ann@example.com" in told, code) == (True, 4)
    assert (left(), events()) == (["ann", "ann", "bob", "cleo", "visitor"], [])


def test_a_second_run_makes_0_changes_and_no_event():
    run("end_sessions", "ann@example.com", *APPLY)

    told, code = run("end_sessions", "ann@example.com", *APPLY)

    assert ("0 changes made" in told, code, len(events())) == (True, 0, 1)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Name one of"),
        (["ann@example.com", "--everybody"], "Name one of"),
        (["anne@example.com"], "Did you mean ann@example.com?"),
        (["--organisation", "lumin"], "Did you mean lumen?"),
    ],
)
def test_what_makes_no_sense_is_refused_with_2(arguments, words):
    told, code = run("end_sessions", *arguments, *APPLY)

    assert (words in told, code, len(left())) == (True, 2, 5)


def test_somebody_without_sessions_is_said_to_have_none():
    make_user("dan@example.com")

    assert "no sessions of dan@example.com" in run("end_sessions", "dan@example.com")[0]
