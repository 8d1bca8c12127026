"""The ladder of flags: eleven rungs in one order, the first that decides answers."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import mmh3
import pytest

from modules.flags import ladder
from modules.flags.answers import Context, Override, Reason
from modules.flags.document import SCALE, Rules, Step, Variant
from modules.flags.explaining import Explanation, explain
from modules.flags.ladder import bucket
from modules.flags.snapshot import compile_rules
from modules.flags.soundness import DEEPEST

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SOMEBODY = Context(
    organisation="11111111-1111-4111-8111-111111111111",
    person="22222222-2222-4222-8222-222222222222",
    sector="59140",
    entitled_modules=frozenset({"market_edge_core"}),
)
ON = Rules("f", salt="f")


def ask(rules: Rules, context: Context = SOMEBODY, *others: Rules, forced=None, at: datetime = NOW) -> Explanation:
    snapshot = compile_rules({rule.key: rule for rule in (rules, *others)}, at, forced=forced)
    return explain(snapshot.flags["f"], context, snapshot.version)


def override(is_on: bool, target: str = SOMEBODY.organisation, **fields) -> Override:
    usual = {"variant": "", "reason": "demo", "author": "Sana", "starts_at": None, "expires_at": None}
    return Override(target, target == SOMEBODY.person, is_on, **{**usual, **fields})


def overridden(is_on: bool, target: str = SOMEBODY.organisation, **fields) -> dict[str, Any]:
    return {"overrides": (override(is_on, target, **fields),)}


def test_nothing_against_it_means_on():
    answer = ask(replace(ON, module="market_edge_core", allowed_sectors=("59",), blocked_sectors=("55",)))

    assert (answer.value, answer.rung, answer.reason) == (True, 11, Reason.IN_ROLLOUT)


# Each rung with what makes it decide; the order of this list is the ladder.
RUNGS: list[tuple[int, Reason, str, dict[str, Any], bool]] = [
    (2, Reason.ARCHIVED, "is archived", {"archived": True}, False),
    (2, Reason.KILLED, "is killed", {"killed": True}, False),
    (3, Reason.BEFORE_WINDOW, "window begins", {"starts_at": NOW + HOUR}, False),
    (3, Reason.AFTER_WINDOW, "window ended", {"ends_at": NOW}, False),
    (4, Reason.PREREQUISITE_MISSING, "prerequisite gone does not exist", {"needs": ("gone",)}, False),
    (5, Reason.NOT_ENTITLED, "does not have the module", {"module": "elsewhere"}, False),
    (6, Reason.PERSON_OVERRIDE, "on for the person", overridden(True, SOMEBODY.person), True),
    (
        7,
        Reason.ORGANISATION_OVERRIDE,
        "overridden off for the organisation",
        overridden(False),
        False,
    ),
    (7, Reason.NOT_ENABLED, "not enabled", {"enabled": False}, False),
    (8, Reason.SECTOR_BLOCKED, "sector 59 is blocked", {"blocked_sectors": ("59",)}, False),
    (9, Reason.SECTOR_NOT_ALLOWED, "not for the sector", {"allowed_sectors": ("551",)}, False),
    (10, Reason.OUTSIDE_ROLLOUT, "outside the 0 % rollout", {"rollout": 0}, False),
]


@pytest.mark.parametrize(("rung", "reason", "words", "fields", "value"), RUNGS)
def test_each_rung_decides_with_its_reason(rung, reason, words, fields, value):
    answer = ask(replace(ON, **fields))

    assert (answer.value, answer.rung, answer.reason, words in answer.sentence) == (value, rung, reason, True)


@pytest.mark.parametrize("first", range(len(RUNGS)))
def test_the_earlier_rung_decides_before_every_later_one(first):
    _, reason, _, fields, value = RUNGS[first]

    for _, _, _, later, _ in RUNGS[first + 1 :]:
        answer = ask(replace(ON, **{**later, **fields}))
        assert (answer.reason, answer.value) == (reason, value)


@pytest.mark.parametrize("value", [True, False])
def test_the_operator_beats_everything(value):
    answer = ask(replace(ON, killed=True), forced={"f": value})

    assert (answer.value, answer.rung, answer.reason) == (value, 1, Reason.FORCED)


@pytest.mark.parametrize("fields", [{"expires_at": NOW}, {"starts_at": NOW + HOUR}])
@pytest.mark.parametrize("target", [SOMEBODY.person, SOMEBODY.organisation])
def test_an_override_out_of_its_time_falls_through(target, fields):
    assert ask(replace(ON, **overridden(False, target, **fields))).rung == 11


def test_an_override_opens_a_flag_that_is_not_enabled():
    answer = ask(replace(ON, enabled=False, overrides=(override(True),)))

    assert (answer.value, answer.override) == (True, override(True))


def test_an_unknown_sector_does_not_pass_an_allowlist():
    assert ask(replace(ON, allowed_sectors=("59",)), replace(SOMEBODY, sector="")).reason is Reason.SECTOR_UNKNOWN


def test_sectors_match_by_their_beginning():
    assert ask(replace(ON, allowed_sectors=("59",))).value is True


def test_entitlement_unknown_is_off():
    answer = ask(replace(ON, module="market_edge_core"), replace(SOMEBODY, entitled_modules=None))

    assert (answer.value, answer.rung, answer.reason) == (False, 5, Reason.ENTITLEMENT_UNKNOWN)


def test_a_prerequisite_that_is_on_lets_through():
    assert ask(replace(ON, needs=("base",)), SOMEBODY, Rules("base", salt="b")).value is True


def test_a_flag_that_is_not_enabled_is_off_whatever_its_prerequisites_say():
    answer = ask(replace(ON, enabled=False, needs=("base",)), SOMEBODY, Rules("base", salt="b"))

    assert (answer.value, answer.rung, answer.reason) == (False, 7, Reason.NOT_ENABLED)


def test_a_circle_of_prerequisites_is_off_and_ends():
    answer = ask(replace(ON, needs=("base",)), SOMEBODY, Rules("base", salt="b", needs=("f",)))

    assert (answer.value, answer.rung, answer.reason) == (False, 4, Reason.PREREQUISITE_CIRCLE)
    assert answer.sentence == "its prerequisites lead in a circle through base."


def chain(length: int) -> list[Rules]:
    """f needs f1, which needs f2, and so on."""
    keys = ["f", *(f"f{number}" for number in range(1, length))]
    return [Rules(key, salt=key, needs=tuple(keys[at : at + 1])) for at, key in enumerate(keys, start=1)]


@pytest.mark.parametrize(("length", "value"), [(DEEPEST, True), (DEEPEST + 1, False), (2_000, False)])
def test_a_chain_of_prerequisites_has_an_end(length, value):
    first, *others = chain(length)

    assert ask(first, SOMEBODY, *others).value is value


def test_prerequisites_that_many_flags_share_are_climbed_once(monkeypatch):
    levels = 10
    shared = [
        Rules(f"{side}{level}", salt="s", needs=(f"left{level + 1}", f"right{level + 1}"))
        for level in range(levels)
        for side in ("left", "right")
    ]
    ends = [Rules(f"left{levels}", salt="s"), Rules(f"right{levels}", salt="s")]
    climbed = Mock(wraps=ladder.climb_open)
    monkeypatch.setattr(ladder, "climb_open", climbed)

    answer = ask(replace(ON, needs=("left0",)), SOMEBODY, *shared, *ends)

    assert (answer.value, climbed.call_count) == (True, 2 * levels + 2)


@pytest.mark.parametrize("by", ["person", "organisation"])
def test_nobody_to_count_is_off(by):
    answer = ask(replace(ON, bucket_by=by), Context())

    assert (answer.value, answer.rung, answer.reason) == (False, 10, Reason.NOBODY_TO_COUNT)
    assert by in answer.sentence


def test_raising_a_rollout_never_switches_anybody_off():
    chance = random.Random(1)
    for _ in range(200):
        context = replace(SOMEBODY, organisation=str(chance.random()))
        low, high = sorted(chance.randrange(SCALE + 1) for _ in range(2))
        assert ask(replace(ON, rollout=low), context).value <= ask(replace(ON, rollout=high), context).value


def test_evaluation_never_raises_whatever_the_rules():
    chance = random.Random(2)
    choices = [fields for _, _, _, fields, _ in RUNGS]
    for _ in range(500):
        mixed: dict = {}
        for fields in chance.sample(choices, chance.randrange(len(choices))):
            mixed |= fields
        context = chance.choice([SOMEBODY, Context(), replace(SOMEBODY, sector="", entitled_modules=None)])
        assert ask(replace(ON, **mixed), context).sentence


def test_the_end_of_an_expired_override_is_not_the_end_of_the_flag():
    expired = override(False, SOMEBODY.person, expires_at=NOW)

    assert ask(replace(ON, overrides=(expired, override(True)))).reason is Reason.ORGANISATION_OVERRIDE


def test_a_ramp_holds_from_each_of_its_steps_on():
    rules = replace(ON, rollout=0, ramp=(Step(NOW, SCALE), Step(NOW + HOUR, 0)))
    moments = [NOW - HOUR, NOW - timedelta(microseconds=1), NOW, NOW + HOUR - timedelta(microseconds=1), NOW + HOUR]

    assert [ask(rules, at=at).value for at in moments] == [False, False, True, True, False]


COLOURS = replace(
    ON,
    value_type="string",
    off_value="none",
    variants=(Variant("red", "r", 1), Variant("never", "n", 0), Variant("blue", "b", 3)),
)


def variants_of(rules: Rules, people: int = 20_000) -> dict[str, int]:
    flag = compile_rules({"f": rules}, NOW).flags["f"]
    counted: dict[str, int] = {}
    for number in range(people):
        variant = explain(flag, replace(SOMEBODY, organisation=str(number)), 0).variant
        counted[variant] = counted.get(variant, 0) + 1
    return counted


def test_variants_are_chosen_by_their_weights():
    counted = variants_of(COLOURS)

    assert sorted(counted) == ["blue", "red"]
    assert abs(counted["red"] - 5_000) < 250


def test_the_variant_is_chosen_by_a_hash_of_its_own():
    counted = variants_of(replace(COLOURS, rollout=SCALE // 2))

    assert abs(counted["red"] / (counted["red"] + counted["blue"]) - 0.25) < 0.02


def test_the_variant_is_where_the_second_hash_falls_among_the_weights():
    place = mmh3.hash(f"f:variant:{SOMEBODY.organisation}", signed=False) * 4 >> 32

    assert ask(COLOURS).variant == ("red" if place < 1 else "blue")


def test_off_is_the_flags_off_value():
    told = ask(replace(COLOURS, killed=True))

    assert (told.value, told.variant, told.is_on) == ("none", "off", False)


@pytest.mark.parametrize("name", ["red", "blue", "never"])
def test_an_override_may_choose_the_variant(name):
    told = ask(replace(COLOURS, enabled=False, **overridden(True, variant=name)))

    assert (told.value, told.variant) == (name[0], name)


def test_an_override_for_a_variant_that_is_gone_is_on_by_the_weights():
    assert ask(replace(COLOURS, **overridden(True, variant="gone"))).variant in {"red", "blue"}


@pytest.mark.parametrize("rollout", [1, 333, 50_000, 99_999])
def test_the_percentage_lets_in_exactly_whose_bucket_is_below_it(rollout):
    flag = compile_rules({"f": replace(ON, rollout=rollout)}, NOW).flags["f"]
    for number in range(3_000):
        told = explain(flag, replace(SOMEBODY, organisation=str(number)), 0)
        assert told.is_on is (bucket("f", str(number)) < rollout)


@pytest.mark.parametrize("share", [1, 2, 333, 99_999, 100_000])
def test_the_limit_of_a_share_is_the_first_hash_outside_it(share):
    below = ladder.limit(share, SCALE)

    assert (below - 1) * SCALE >> 32 < share <= below * SCALE >> 32
