"""What the page of reasons says: every rung, and what would change the answer."""

from datetime import UTC, datetime

import pytest

from modules.flags import actions
from modules.flags.models import FlagPrerequisite
from tenants import scope
from tests.factories import (
    make_flag,
    make_override,
    release_flags,
)
from tests.modules.flags.why.asking import ask, remedies, sentence, text

pytestmark = pytest.mark.django_db


def test_without_a_flag_all_flags_are_told_each_with_the_way_to_its_reasons(client, superuser, ada):
    make_flag("b.off", is_enabled=False)
    make_flag("a.on")

    lines = ask(client, person="ada").context["lines"]

    assert [(line.told.key, line.told.is_on, line.because) for line in lines] == [
        ("a.on", True, "its rollout is 100 %, which is everybody"),
        ("b.off", False, "it is not enabled"),
    ]
    assert (
        sentence(client.get(lines[1].url)) == "b.off is OFF for ada@lumen.example at Lumen Cinemas: it is not enabled"
    )


def test_every_rung_is_drawn_with_what_was_seen_there(client, superuser, lumen, ada):
    flag = make_flag("wanted", allowed_sectors=["59"])
    make_override(flag, organisation=lumen, expires_at=datetime(2026, 1, 1, 9, tzinfo=UTC), author=superuser)

    steps = ask(client, person="ada", flag="wanted").context["answer"].steps

    assert [(step.number, step.state) for step in steps] == [*((n, "passed") for n in range(11)), (11, "decided")]
    assert steps[7].says == "an override by super@example.com expired 01 Jan 2026 09:00 UTC; the flag is enabled"
    assert steps[9].says == "allowed are 59; here it is 59140"


def test_rungs_below_the_deciding_one_are_not_reached(client, superuser, ada):
    make_flag("wanted", is_killed=True)

    steps = ask(client, person="ada", flag="wanted").context["answer"].steps

    assert [step.state for step in steps] == ["passed", "passed", "decided", *["not reached"] * 9]


def test_the_bucket_is_held_against_the_threshold_as_the_engine_does(client, superuser, lumen, ada):
    make_flag("wanted", rollout=1)

    response = ask(client, person="ada", flag="wanted")

    (scale,) = [step.scale for step in response.context["answer"].steps if step.scale]
    assert (scale.place, scale.below) == (response.context["answer"].told.bucket, 1)
    assert f"(bucket {scale.place:,} of 100,000; on below 1)" in response.context["answer"].because
    assert f"at {scale.place:,} of 100,000" in text(response)


def test_an_override_is_told_with_its_reason_author_and_times(client, superuser, lumen, ada):
    flag = make_flag("wanted")
    until = datetime(2099, 1, 1, 9, tzinfo=UTC)
    make_override(flag, person=ada, value=False, reason="the demo", author=superuser, expires_at=until)

    response = ask(client, person="ada", flag="wanted")

    assert response.context["answer"].because == (
        "an override for the person turns it off until 01 Jan 2099 09:00 UTC (super@example.com: “the demo”)"
    )
    assert [words in text(response) for words in ("“the demo”", "super@example.com", "at once")] == [True] * 3


def test_a_prerequisite_is_told_with_its_own_reason_and_a_link_to_it(client, superuser, ada):
    base, top = make_flag("base", is_killed=True), make_flag("top")
    with scope.login():
        FlagPrerequisite.objects.create(flag=top, needs=base)
    release_flags()

    response = ask(client, person="ada", flag="top")
    (need,) = response.context["answer"].steps[4].needs

    assert (need.key, need.is_on, need.because) == ("base", False, "it is killed, which beats every override")
    assert sentence(client.get(response.context["needs_urls"]["base"])).startswith("base is OFF for ada@lumen.example")


def test_a_module_that_the_organisation_lacks_closes_the_flag(client, superuser, lumen, ada):
    make_flag("wanted", module_key="alert_system")

    assert ask(client, person="ada", flag="wanted").context["answer"].because == (
        "the organisation does not have the module alert_system"
    )


def test_variants_are_drawn_with_their_weights_and_the_second_hash(client, superuser, ada):
    flag = make_flag("wanted")
    with scope.login():
        flag.variants.create(name="blue", value=True, weight=1)
        flag.variants.create(name="red", value=False, weight=3)
    release_flags()

    response = ask(client, person="ada", flag="wanted")
    step = response.context["answer"].steps[11]

    assert [(one.name, one.starts, one.length, one.percent) for one in step.shares] == [
        ("blue", 0, 25_000, "25 %"),
        ("red", 25_000, 75_000, "75 %"),
    ]
    (chosen,) = [one for one in step.shares if one.is_chosen]
    assert chosen.name == response.context["answer"].told.variant
    assert chosen.starts <= step.place < chosen.starts + chosen.length


def test_what_would_change_it_leads_there_and_says_whether_it_is_enough(client, superuser, lumen, ada):
    flag = make_flag("wanted", is_enabled=False, blocked_sectors=["59"])

    assert remedies(ask(client, person="ada", flag="wanted")) == [
        (
            "Enable it: for all whom the rest of its ladder lets in.",
            f"/admin/flags/flag/{flag.pk}/change/#rung-7",
            "By itself that is not enough: it would still be off, because the sector 59 is blocked.",
        ),
        (
            "Or make an exception: an override for ada@lumen.example.",
            f"/admin/flags/flagoverride/add/?flag={flag.pk}&person={ada.pk}&value=on",
            "",
        ),
        (
            "Or make an exception for everybody there: an override for Lumen Cinemas.",
            f"/admin/flags/flagoverride/add/?flag={flag.pk}&organisation={lumen.pk}&value=on",
            "",
        ),
    ]


def test_raising_the_rollout_to_what_the_page_says_is_enough(client, superuser, ada):
    flag = make_flag("wanted", rollout=1)

    told = ask(client, person="ada", flag="wanted").context["answer"].told
    words = ask(client, person="ada", flag="wanted").context["answer"].remedies[0].words
    with scope.platform():
        flag.rollout = told.bucket + 1
        actions.save_flag(flag, by=None, reason="enough")

    assert words == f"Raise its rollout to {(told.bucket + 1) / 1000:g} % or more; others get it, too."
    assert ask(client, person="ada", flag="wanted").context["answer"].told.is_on


def test_a_ramp_that_will_reach_them_is_something_to_wait_for(client, superuser, ada):
    flag = make_flag("wanted", rollout=0)
    with scope.login():
        flag.ramp_steps.create(at=datetime(2099, 1, 1, 9, tzinfo=UTC), rollout=100_000)
    release_flags()

    assert remedies(ask(client, person="ada", flag="wanted"))[0][0] == (
        "Wait: its ramp reaches 100 % 01 Jan 2099 09:00 UTC."
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"is_killed": True}, "Restore it"),
        ({"is_archived": True}, "no longer archived"),
        ({"window_ends_at": datetime(2020, 1, 1, tzinfo=UTC)}, "Change its window"),
        ({"window_starts_at": datetime(2099, 1, 1, tzinfo=UTC)}, "Change its window"),
        ({"module_key": "alert_system"}, "Give the organisation the module alert_system"),
        ({"blocked_sectors": ["59140"]}, "Change the sectors"),
        ({"allowed_sectors": ["55"]}, "Change the sectors"),
    ],
)
def test_each_rung_that_closes_has_its_own_way_out_which_is_enough(client, superuser, ada, fields, words):
    make_flag("wanted", **fields)

    first = ask(client, person="ada", flag="wanted").context["answer"].remedies[0]

    assert (words in first.words, bool(first.url), first.then) == (True, True, "It would be on then.")
