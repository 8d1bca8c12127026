"""Snapshots know when they change by themselves, and what the operator and tests force."""

from datetime import UTC, datetime, timedelta

import pytest

from modules.flags.answers import Context, Reason
from modules.flags.explaining import explain
from modules.flags.snapshot import Snapshot, compile_release
from tests.modules.flags.documents import body, document, override

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
HERE = Context(organisation="here", person="me", sector="59")


def text(at: datetime) -> str:
    return at.isoformat()


def value(snapshot: Snapshot, key: str = "f"):
    return explain(snapshot.flags[key], HERE, snapshot.version).value


@pytest.mark.parametrize(
    ("changes", "values"),
    [
        ({"starts_at": text(NOW + HOUR), "ends_at": text(NOW + 2 * HOUR)}, [False, True, False]),
        (
            {"enabled": False, "overrides": [override(starts_at=text(NOW + HOUR), expires_at=text(NOW + 2 * HOUR))]},
            [False, True, False],
        ),
        (
            {
                "rollout": 0,
                "ramp": [{"at": text(NOW + HOUR), "rollout": 100_000}, {"at": text(NOW + 2 * HOUR), "rollout": 0}],
            },
            [False, True, False],
        ),
    ],
)
def test_every_transition_is_known_and_answers_change_exactly_there(changes, values):
    first = compile_release(1, document(f=body(**changes)), NOW)
    second = first.at(datetime.fromtimestamp(first.next_at, UTC))
    third = second.at(datetime.fromtimestamp(second.next_at, UTC))

    assert [first.next_at, second.next_at] == [(NOW + HOUR).timestamp(), (NOW + 2 * HOUR).timestamp()]
    assert third.next_at == float("inf")
    assert [value(first), value(second), value(third)] == values


def test_a_moment_in_another_zone_is_the_same_moment():
    local = "2026-11-25T14:00:00+02:00"

    assert value(compile_release(1, document(f=body(starts_at=local)), NOW)) is True


@pytest.mark.parametrize("changed_at", ["2026-03-29T01:00:00+00:00", "2026-10-25T01:00:00+00:00"])
def test_the_days_on_which_the_clocks_change_have_no_gap(changed_at):
    at = datetime.fromisoformat(changed_at)
    flag = document(f=body(starts_at=text(at), ends_at=text(at + HOUR)))

    answers = [value(compile_release(1, flag, at + minutes * timedelta(minutes=1))) for minutes in (-1, 0, 59, 60)]

    assert answers == [False, True, True, False]


@pytest.mark.parametrize("state", [True, False])
def test_what_the_operator_forces_holds_for_flags_that_nobody_knows(state):
    snapshot = compile_release(1, document(), NOW, {"unheard.of": state})

    assert value(snapshot, "unheard.of") is state


def test_a_prerequisite_that_is_forced_needs_nothing_itself():
    flags = document(f=body(needs=["base"]), base=body(needs=["gone"]))

    told = compile_release(1, flags, NOW, {"base": True})

    assert value(told) is True


def test_a_prerequisite_of_a_prerequisite_counts():
    flags = document(top=body(needs=["middle"]), middle=body(needs=["base"]), base=body(killed=True))
    snapshot = compile_release(1, flags, NOW)

    told = explain(snapshot.flags["top"], HERE, 1)

    assert (told.is_on, told.reason) == (False, Reason.PREREQUISITE_OFF)
    assert told.sentence == "its prerequisite base is off: it is killed, which beats every override."


def test_an_override_does_not_reach_past_a_prerequisite():
    flags = document(top=body(needs=["base"], overrides=[override()]), base=body(killed=True))

    assert value(compile_release(1, flags, NOW), "top") is False


def test_a_value_that_a_test_forces_is_the_answer():
    snapshot = compile_release(1, document(f=body(killed=True)), NOW).with_forced({"f": "dark"})

    assert (value(snapshot), explain(snapshot.flags["f"], HERE, 1).rung) == ("dark", 1)
