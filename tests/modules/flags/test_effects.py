"""Whose answers change: counted for everybody, with examples, now and at the moments to come."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.template.loader import render_to_string
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from modules.flags import effects as effects_module
from modules.flags.answers import Context
from modules.flags.document import canonical
from modules.flags.effects import Effects, effects, is_only_description
from modules.flags.population import Somebody
from tenants import scope
from tests.factories import make_member, make_organisation
from tests.modules.flags.documents import body, document, override

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
LUMEN = Somebody(Context("lumen-id", "", "59140"), "Lumen", "lumen")
ADA = Somebody(Context("lumen-id", "ada-id", "59140"), "Lumen", "lumen", "ada@example.com")
HARBOUR = Somebody(Context("harbour-id", "", "55100"), "Harbour", "harbour")


def between(before: str, after: str, people=(LUMEN, ADA, HARBOUR)) -> Effects:
    return effects(before, after, at=NOW, people=people)


def numbers(count) -> tuple[int, int]:
    return count.organisations, count.people


def test_those_who_are_switched_off_are_counted_and_named_with_the_reason():
    found = between(document(one=body()), document(one=body(blocked_sectors=["59"])))

    (flag,) = found.flags
    assert [movement.title for movement in flag.movements] == ["Switched off"]
    assert numbers(flag.switched_off.count) == (1, 1)
    assert (numbers(flag.on_before), numbers(flag.on_after), numbers(found.total)) == ((2, 1), (1, 0), (2, 1))
    example = flag.switched_off.examples[1]
    assert (example.organisation, example.person) == ("Lumen", "ada@example.com")
    assert (example.before, example.after, example.because) == ("on", "off", "the sector 59 is blocked.")


def test_a_new_flag_switches_on_for_whom_it_is_on():
    (flag,) = between(document(), document(one=body(allowed_sectors=["55"]))).flags

    assert numbers(flag.switched_on.count) == (1, 0)
    assert (flag.switched_on.examples[0].before, flag.switched_on.examples[0].after) == ("not there", "on")


def test_an_override_moves_its_target_alone():
    ada = override(target={"person": "ada-id"}, on=False)

    (flag,) = between(document(one=body()), document(one=body(overrides=[ada]))).flags

    assert numbers(flag.switched_off.count) == (0, 1)


def test_another_value_is_told_apart_from_another_state():
    was, becomes = (
        [{"name": "blue", "value": "#00f", "weight": 1}, {"name": "green", "value": value, "weight": 0}]
        for value in ("#0f0", "#070")
    )
    green = override(target={"organisation": "lumen-id"}, variant="green")
    flags = [
        document(one=body(value_type="string", off_value="#000", variants=variants, overrides=[green]))
        for variants in (was, becomes)
    ]

    (flag,) = between(*flags).flags

    assert [movement.title for movement in flag.movements] == ["Another value"]
    assert numbers(flag.other_value.count) == (1, 1)
    assert [flag.other_value.examples[0].before, flag.other_value.examples[0].after] == [
        'on: green, "#0f0"',
        'on: green, "#070"',
    ]


def test_flags_that_need_a_flag_that_changes_are_told_where_their_answers_change():
    needing = {
        "middle": body(needs=["base"]),
        "top": body(needs=["middle"]),
        "other": body(),
        "off": body(needs=["base"], enabled=False),
    }

    found = between(document(base=body(), **needing), document(base=body(killed=True), **needing))

    assert [(flag.key, flag.is_dependent) for flag in found.flags] == [
        ("base", False),
        ("middle", True),
        ("top", True),
    ]
    assert [flag.key for flag in found.losers] == ["base", "middle", "top"]


def test_a_flag_that_some_keep_is_no_loss_for_everybody():
    found = between(document(one=body()), document(one=body(blocked_sectors=["59"])))

    assert found.losers == []


def test_what_only_describes_a_flag_changes_nobodys_answer():
    before, after = document(one=body()), document(one=body(name="Other", owner="us", purpose="why"))

    assert is_only_description(before, after)
    assert not between(before, after).changes_answers
    assert not is_only_description(before, document(one=body(rollout=1)))


def test_what_happens_later_by_itself_is_counted_too():
    starts = body(starts_at="2026-12-01T09:00:00+00:00", ends_at="2026-12-24T00:00:00+00:00")

    (flag,) = between(document(one=body(enabled=False)), document(one=starts)).flags

    assert [(one.at.day, numbers(one.on)) for one in flag.later] == [(1, (2, 1)), (24, (0, 0))]


def test_no_more_than_ten_examples_are_shown_and_some_of_both():
    people = [Somebody(Context(f"o{number}"), f"Organisation {number}", f"o{number}") for number in range(20)]
    people += [
        Somebody(Context("o1", f"p{number}"), "Organisation 1", "o1", f"p{number}@x.example") for number in range(20)
    ]

    (flag,) = between(document(), document(one=body()), people).flags

    assert numbers(flag.switched_on.count) == (20, 20)
    assert [bool(example.person) for example in flag.switched_on.examples] == [False] * 5 + [True] * 5


def test_counting_ends_in_a_bounded_time_and_says_so(monkeypatch):
    monkeypatch.setattr(effects_module, "LONGEST", 0.0)

    found = between(document(), document(one=body()), [LUMEN] * 1000)

    assert (found.is_complete, found.total.organisations < 1000) == (False, True)


def test_what_the_operator_forces_stays_as_it_is(settings):
    settings.FLAGS_FORCED = {"one": True}

    assert not between(document(one=body()), document(one=body(killed=True))).changes_answers


@pytest.mark.django_db
def test_everybody_is_asked_about_with_the_same_number_of_queries_however_many_there_are():
    counts: list[Any] = []
    for _ in range(2):
        for person in range(3):
            make_member(make_organisation(), email=f"{len(counts)}.{person}@example.com")
        with scope.platform(), CaptureQueriesContext(connection) as queries:
            found = effects(document(), document(one=body()), at=NOW)
        counts.append((numbers(found.total), len(queries)))

    assert [total for total, _ in counts] == [(3, 3), (6, 6)]
    assert counts[0][1] == counts[1][1]


def test_the_page_tells_numbers_examples_and_a_loss_for_everybody():
    found = between(canonical({"format": 1, "flags": {"one": body()}}), document(one=body(killed=True)))

    page = " ".join(render_to_string("admin/flags/_effects.html", {"effects": found}).split())

    assert "Everybody loses it." in page
    assert "2 of 2 organisations and 1 of 1 person" in page
    assert "Lumen, ada@example.com" in page


def test_why_afterwards_is_told_with_author_and_in_the_zone_of_the_reader():
    ada = override(target={"person": "ada-id"}, on=False, author="sana", expires_at="2027-01-31T17:00:00Z")

    with timezone.override("Pacific/Auckland"):
        (flag,) = between(document(one=body()), document(one=body(overrides=[ada]))).flags

    (example,) = flag.switched_off.examples
    assert example.because == "an override for the person turns it off until 01 Feb 2027 06:00 NZDT (sana: “demo”)."
