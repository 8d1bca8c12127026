"""The page of reasons tells since when a flag answers so, what made it so, and until when it does."""

from datetime import datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from modules.flags import actions
from modules.flags.admin import turning
from modules.flags.models import FlagPrerequisite, FlagRelease
from tenants import scope
from tests.factories import make_flag, make_organisation, make_override, release_flags
from tests.modules.flags.why.asking import ask, text

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def days_ago(days: float) -> datetime:
    return timezone.now() - days * DAY


def publish_at(*moments: datetime) -> None:
    """As if the releases that there are had been published at these times."""
    with scope.login():
        for number, moment in enumerate(moments, start=1):
            FlagRelease.objects.filter(number=number).update(created_at=moment)


def killed_and_restored(by, *, at: tuple[datetime, datetime, datetime]) -> None:
    flag = make_flag("wanted")
    with scope.platform():
        actions.kill_flag(flag, by=by, reason="it broke the tills")
        actions.restore_flag(flag, by=by, reason="the tills are mended")
    publish_at(*at)


def test_the_release_that_changed_the_answer_is_told_with_who_and_why(client, superuser, ada):
    times = days_ago(9), days_ago(3), days_ago(1)
    killed_and_restored(superuser, at=times)

    response = ask(client, person="ada", flag="wanted")
    since, until = response.context["since"], response.context["until"]

    assert (since.at, since.release.number, since.state, until) == (times[2], 3, "OFF", None)
    assert "by super@example.com, “the tills are mended”." in text(response)


def test_at_a_moment_of_the_past_both_ends_are_told(client, superuser, ada):
    times = days_ago(9), days_ago(3), days_ago(1)
    killed_and_restored(superuser, at=times)

    response = ask(client, person="ada", flag="wanted", at=days_ago(2).isoformat())
    since, until = response.context["since"], response.context["until"]

    assert [(one.at, one.release.number, one.state) for one in (since, until)] == [
        (times[1], 2, "ON"),
        (times[2], 3, "ON"),
    ]
    assert "It stayed so until" in text(response)


def test_the_ways_from_there_ask_why_on_the_far_side(client, superuser, ada):
    killed_and_restored(superuser, at=(days_ago(9), days_ago(3), days_ago(1)))
    context = ask(client, person="ada", flag="wanted", at=days_ago(2).isoformat()).context

    before, after = (client.get(context[name].url, follow=True).context["answer"] for name in ("since", "until"))

    assert (before.told.is_on, before.told.version) == (True, 1)
    assert (after.told.is_on, after.told.version) == (True, 3)


def test_releases_that_change_other_things_are_no_turn(client, superuser, ada):
    flag = make_flag("wanted")
    for key in ("other", "another"):
        make_flag(key)
    with scope.platform():
        actions.review_flags([flag], on=timezone.localdate() + DAY, by=superuser, reason="look again")
    publish_at(days_ago(9), days_ago(8), days_ago(7), days_ago(6))

    context = ask(client, person="ada", flag="wanted").context

    assert (context["since"], context["turns"].same_since, context["turns"].is_cut) == (
        None,
        FlagRelease.objects.get(number=1).created_at,
        False,
    )


def test_before_its_first_release_there_was_no_such_flag(client, superuser, ada):
    make_flag("other")
    make_flag("wanted")
    publish_at(days_ago(9), days_ago(8))

    response = ask(client, person="ada", flag="wanted")

    assert (response.context["since"].release.number, response.context["since"].is_there) == (2, False)
    assert "Before that there was no such flag." in text(response)


def test_the_flags_own_times_turn_it_without_a_release(client, superuser, ada):
    began, ends = days_ago(1), days_ago(-1)
    make_flag("wanted", window_starts_at=began, window_ends_at=ends)
    publish_at(days_ago(9))

    response = ask(client, person="ada", flag="wanted")
    since, until = response.context["since"], response.context["until"]

    assert [(one.at, one.release, one.state) for one in (since, until)] == [(began, None, "OFF"), (ends, None, "OFF")]
    assert "a window, a step of a ramp or an override begins or ends then." in text(response)


def test_a_ramp_and_an_override_that_are_to_come_are_told(client, superuser, lumen, ada):
    flag = make_flag("ramped", rollout=0)
    with scope.login():
        flag.ramp_steps.create(at=days_ago(-2), rollout=100_000)
    release_flags()
    other = make_flag("excepted")
    make_override(other, organisation=lumen, value=False, expires_at=days_ago(-3))

    ramped, excepted = (ask(client, person="ada", flag=key).context["until"] for key in ("ramped", "excepted"))

    assert (ramped.state, excepted.state) == ("ON", "ON")
    assert ramped.at < excepted.at


def test_what_a_prerequisite_does_turns_the_flag(client, superuser, ada):
    base, flag = make_flag("base"), make_flag("wanted")
    with scope.login():
        FlagPrerequisite.objects.create(flag=flag, needs=base)
    release_flags()
    with scope.platform():
        actions.kill_flag(base, by=superuser, reason="broken below")
    publish_at(days_ago(9), days_ago(8), days_ago(7), days_ago(3))

    since = ask(client, person="ada", flag="wanted").context["since"]

    assert (since.release.number, since.state) == (4, "ON")


def test_another_value_is_a_turn(client, superuser, ada):
    flag = make_flag("wanted", value_type="boolean")
    for value in (True, False):
        with scope.login():
            flag.variants.all().delete()
            flag.variants.create(name="red", value=value, weight=1)
        release_flags()
    publish_at(days_ago(9), days_ago(8), days_ago(3))

    since = ask(client, person="ada", flag="wanted").context["since"]

    assert (since.release.number, since.state) == (3, "ON (red)")


def test_looking_back_has_an_end_and_says_so(client, superuser, ada, monkeypatch):
    monkeypatch.setattr(turning, "MOST", 2)
    make_flag("wanted")
    for key in ("other", "another", "one.more"):
        make_flag(key)
    publish_at(days_ago(9), days_ago(8), days_ago(7), days_ago(6))

    response = ask(client, person="ada", flag="wanted")

    assert (response.context["since"], response.context["turns"].is_cut) == (None, True)
    assert response.context["turns"].same_since == FlagRelease.objects.get(number=3).created_at
    assert "older releases were not looked through" in text(response)


def test_documents_are_fetched_a_few_at_a_time(monkeypatch):
    monkeypatch.setattr(turning, "AT_ONCE", 2)
    for number in range(5):
        make_flag(f"flag{number}")

    with scope.platform(), CaptureQueriesContext(connection) as queries:
        found = turning.Patience().read(FlagRelease.objects.order_by("-number"))
        read = [(release.number, len(queries)) for release, _ in found]

    assert read == [(5, 1), (4, 1), (3, 2), (2, 2), (1, 3)]


def test_looking_ends_in_time(client, superuser, ada, monkeypatch):
    monkeypatch.setattr(turning, "LONGEST", -1)
    killed_and_restored(superuser, at=(days_ago(9), days_ago(3), days_ago(1)))

    response = ask(client, person="ada", flag="wanted", at=days_ago(2).isoformat())

    assert (response.context["since"], response.context["until"]) == (None, None)


def test_a_document_that_cannot_be_read_here_ends_the_looking(client, superuser, ada):
    make_flag("wanted")
    make_flag("other")
    publish_at(days_ago(9), days_ago(8))
    with scope.login():
        FlagRelease.objects.filter(number=1).update(document='{"format": 999}')

    turns = ask(client, person="ada", flag="wanted").context["turns"]

    assert (turns.since, turns.is_cut, turns.same_since) == (None, True, FlagRelease.objects.get(number=2).created_at)


def test_nothing_is_said_of_before_where_the_operator_forces_flags(client, superuser, ada, settings):
    killed_and_restored(superuser, at=(days_ago(9), days_ago(3), days_ago(1)))
    settings.FLAGS_FORCED = {"wanted": False}

    context = ask(client, person="ada", flag="wanted").context

    assert (context["since"], context["turns"].same_since) == (None, None)


def test_with_a_module_it_says_whose_entitlements_were_taken(client, superuser, ada):
    words = "The modules that the organisation is entitled to are taken as they are at the moment in question."
    make_flag("other")
    make_flag("wanted")
    make_flag("modular", module_key="market_edge_core")

    plain, modular = (text(ask(client, person="ada", flag=key)) for key in ("wanted", "modular"))

    assert (words in plain, words in modular) == (False, True)


def test_a_flag_alone_is_answered_for_every_organisation(client, superuser, lumen, ada):
    flag = make_flag("wanted", is_enabled=False)
    make_organisation("Harbour Hotels", slug="harbour")
    make_override(flag, organisation=lumen, value=True)

    response = ask(client, flag="wanted")
    places = {place.name: (place.told.is_on, place.on, place.people) for place in response.context["places"]}

    assert (places["Lumen Cinemas"], places["Harbour Hotels"]) == ((True, 1, 1), (False, 0, 0))
    assert "It is on for 1 of 2 organisations and 1 of 1 people" in text(response)
    way = next(place.url for place in response.context["places"] if place.name == "Lumen Cinemas")
    assert client.get(way).context["answer"].told.is_on


def test_a_percentage_of_people_says_nothing_of_the_organisation_itself(client, superuser, lumen, ada):
    make_flag("wanted", bucket_by="person", rollout=99_999)

    response = ask(client, flag="wanted")

    assert ("by person" in text(response), response.context["places"][0].on) == (True, 1)


def test_who_had_it_is_told_of_a_moment_of_the_past(client, superuser, lumen, ada):
    killed_and_restored(superuser, at=(days_ago(9), days_ago(3), days_ago(1)))

    past = ask(client, flag="wanted", at=days_ago(2).isoformat())

    assert "It was on for 0 of 1 organisations" in text(past)
    assert "at=" in past.context["places"][0].url
