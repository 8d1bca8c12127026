"""What a flag does now, as lists tell it: the same in its badge, in the filters and in the numbers."""

from datetime import timedelta

import pytest
from django.utils import timezone

from modules.flags.models import Flag, FlagPrerequisite, RampStep
from tenants import scope
from tests.factories import make_flag, make_organisation, make_override

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def state_of(flag: Flag, at=None) -> str:
    with scope.login():
        return Flag.objects.as_of(at or timezone.now()).get(pk=flag.pk).state_now


def add_step(flag: Flag, in_days: float, rollout: int) -> None:
    with scope.login():
        RampStep.objects.create(flag=flag, at=timezone.now() + in_days * DAY, rollout=rollout)


@pytest.mark.parametrize(
    ("fields", "state"),
    [
        ({}, "on"),
        ({"rollout": 1}, "partial"),
        ({"rollout": 0}, "off"),
        ({"is_enabled": False}, "off"),
        ({"is_killed": True}, "killed"),
        ({"is_archived": True, "is_killed": True}, "archived"),
        ({"window_starts_at": timezone.now() + DAY}, "scheduled"),
        ({"window_starts_at": timezone.now() + DAY, "is_enabled": False}, "off"),
        ({"window_ends_at": timezone.now() - DAY}, "ended"),
        ({"window_ends_at": timezone.now() - DAY, "is_killed": True}, "killed"),
        ({"window_starts_at": timezone.now() - DAY, "window_ends_at": timezone.now() + DAY}, "on"),
    ],
)
def test_the_state_is_the_first_rung_that_decides_for_everybody(fields, state):
    assert state_of(make_flag("wanted", **fields)) == state


def test_the_last_step_that_has_come_is_the_rollout():
    flag = make_flag("wanted", rollout=0)
    add_step(flag, -2, 10_000)
    add_step(flag, -1, 50_000)
    add_step(flag, 1, 100_000)

    with scope.login():
        row = Flag.objects.as_of(timezone.now()).get()

    assert (row.rollout_now, row.next_step_rollout, row.state_now) == (50_000, 100_000, "partial")
    assert state_of(flag, timezone.now() + 2 * DAY) == "on"


def test_a_flag_whose_first_step_is_to_come_is_scheduled():
    flag = make_flag("wanted", rollout=0)
    add_step(flag, 1, 10_000)

    assert state_of(flag) == "scheduled"


def keys(rows) -> list[str]:
    with scope.login():
        return sorted(rows().values_list("key", flat=True))


def test_what_changes_by_itself_is_told():
    now = timezone.now()
    make_flag("opens", window_starts_at=now + DAY)
    make_flag("closes", window_ends_at=now + DAY)
    add_step(make_flag("grows"), 1, 50_000)
    add_step(make_flag("grown"), -1, 50_000)
    make_flag("over", window_ends_at=now - DAY)
    for switch, value in (("is_killed", True), ("is_archived", True), ("is_enabled", False)):
        make_flag(f"not.{switch}", window_starts_at=now + DAY, **{switch: value})

    assert keys(lambda: Flag.objects.changing_by_themselves(now)) == ["closes", "grows", "opens"]


def test_a_flag_may_be_on_by_its_rollout_or_by_an_override():
    now, organisation = timezone.now(), make_organisation()
    make_flag("all")
    make_flag("some", rollout=1)
    make_flag("none", rollout=0)
    make_override(make_flag("one", is_enabled=False), organisation=organisation)
    make_override(make_flag("excluded", is_enabled=False), organisation=organisation, value=False)
    make_override(make_flag("expired", is_enabled=False), organisation=organisation, expires_at=now - DAY)
    make_override(make_flag("later", is_enabled=False), organisation=organisation, starts_at=now + DAY)
    make_override(make_flag("early", window_starts_at=now + DAY), organisation=organisation)
    make_override(make_flag("killed", is_killed=True), organisation=organisation)

    assert keys(lambda: Flag.objects.as_of(now).maybe_on(now)) == ["all", "one", "some"]


def test_a_release_flag_is_finished_when_everybody_has_had_it_for_long():
    now = timezone.now()
    long_ago = now - 40 * DAY
    names = ("done", "fresh", "partial", "by_sector", "needing", "growing", "ops", "ending")
    flags = {name: make_flag(name) for name in names}
    with scope.login():
        Flag.objects.exclude(key="fresh").update(updated_at=long_ago)
        Flag.objects.filter(key="partial").update(rollout=99_999)
        Flag.objects.filter(key="ops").update(kind="ops")
        Flag.objects.filter(key="ending").update(window_ends_at=now + DAY)
        flags["by_sector"].sector_rules.create(prefix="55", effect="allow")
        FlagPrerequisite.objects.create(flag=flags["needing"], needs=flags["ops"])
    add_step(flags["growing"], -1, 100_000)

    assert keys(lambda: Flag.objects.as_of(now).finished(now, now - 30 * DAY)) == ["done"]


def test_the_numbers_of_states_are_those_of_the_lists():
    now = timezone.now()
    make_flag("on", review_date=timezone.localdate())
    make_flag("later", review_date=timezone.localdate() + DAY)
    make_flag("gone", is_archived=True, review_date=timezone.localdate())
    add_step(make_flag("grows", rollout=1), 1, 50_000)

    with scope.login():
        numbers = Flag.objects.by_state(now, timezone.localdate())

    assert {state: number for state, number in numbers.items() if number} == {
        "on": 2,
        "partial": 1,
        "scheduled": 1,
        "archived": 1,
        "due": 1,
    }
