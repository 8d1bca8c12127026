"""The ladder of flags: eleven rungs in one order, the first that decides answers."""

import random
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest.mock import Mock

import mmh3
import pytest

from modules.flags.ladder import (
    DEEPEST,
    SCALE,
    Context,
    Explanation,
    Override,
    Reason,
    Rules,
    Snapshot,
    bucket,
    evaluate,
)

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
SOMEBODY = Context(
    organisation_id=1,
    organisation_public_id="11111111-1111-4111-8111-111111111111",
    sector="59140",
    person_id=2,
    person_public_id="22222222-2222-4222-8222-222222222222",
    entitled_modules=frozenset({"market_edge_core"}),
)
ON = Rules("f", salt="f")


def ask(rules: Rules, context: Context = SOMEBODY, *others: Rules, forced=None, default: bool = False) -> Explanation:
    snapshot = Snapshot({rule.key: rule for rule in (rules, *others)}, forced or {})
    return evaluate(snapshot, "f", context, default=default, at=NOW)


def override(value: bool, **fields) -> Override:
    return Override(value, **{"starts_at": None, "expires_at": None, "author": "Sana", "reason": "demo", **fields})


@pytest.mark.parametrize("default", [True, False])
def test_an_unknown_flag_gives_the_default_of_the_code(default):
    answer = evaluate(Snapshot({}), "f", SOMEBODY, default=default, at=NOW)

    assert (answer.value, answer.rung, answer.reason) == (default, 0, Reason.UNKNOWN_FLAG)


def test_nothing_against_it_means_on():
    answer = ask(replace(ON, module_key="market_edge_core", allowed_sectors=("59",), blocked_sectors=("55",)))

    assert (answer.value, answer.rung, answer.reason) == (True, 11, Reason.IN_ROLLOUT)


# Each rung with what makes it decide; the order of this list is the ladder.
RUNGS: list[tuple[int, Reason, str, dict[str, Any], bool]] = [
    (2, Reason.ARCHIVED, "is archived", {"is_archived": True}, False),
    (2, Reason.KILLED, "is killed", {"is_killed": True}, False),
    (3, Reason.BEFORE_WINDOW, "window begins", {"starts_at": NOW + HOUR}, False),
    (3, Reason.AFTER_WINDOW, "window ended", {"ends_at": NOW}, False),
    (4, Reason.PREREQUISITE_MISSING, "prerequisite gone does not exist", {"prerequisites": ("gone",)}, False),
    (5, Reason.NOT_ENTITLED, "does not have the module", {"module_key": "elsewhere"}, False),
    (6, Reason.PERSON_OVERRIDE, "on for the person", {"person_override": override(True)}, True),
    (
        7,
        Reason.ORGANISATION_OVERRIDE,
        "overridden off for the organisation",
        {"organisation_override": override(False)},
        False,
    ),
    (7, Reason.NOT_ENABLED, "not enabled", {"is_enabled": False}, False),
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
    answer = ask(replace(ON, is_killed=True), forced={"f": value})

    assert (answer.value, answer.rung, answer.reason) == (value, 1, Reason.FORCED)


@pytest.mark.parametrize("fields", [{"expires_at": NOW}, {"starts_at": NOW + HOUR}])
@pytest.mark.parametrize("target", ["person_override", "organisation_override"])
def test_an_override_out_of_its_time_falls_through(target, fields):
    late: dict[str, Any] = {target: override(False, **fields)}

    assert ask(replace(ON, **late)).rung == 11


def test_an_override_opens_a_flag_that_is_not_enabled():
    answer = ask(replace(ON, is_enabled=False, organisation_override=override(True)))

    assert (answer.value, answer.override) == (True, override(True))


def test_an_unknown_sector_does_not_pass_an_allowlist():
    assert ask(replace(ON, allowed_sectors=("59",)), replace(SOMEBODY, sector="")).reason is Reason.SECTOR_UNKNOWN


def test_sectors_match_by_their_beginning():
    assert ask(replace(ON, allowed_sectors=("59",))).value is True


def test_entitlement_unknown_is_off():
    answer = ask(replace(ON, module_key="market_edge_core"), replace(SOMEBODY, entitled_modules=None))

    assert (answer.value, answer.rung, answer.reason) == (False, 5, Reason.ENTITLEMENT_UNKNOWN)


def test_a_prerequisite_that_is_on_lets_through():
    assert ask(replace(ON, prerequisites=("base",)), SOMEBODY, Rules("base")).value is True


def test_a_circle_of_prerequisites_is_off_and_ends():
    answer = ask(replace(ON, prerequisites=("base",)), SOMEBODY, Rules("base", prerequisites=("f",)))

    assert (answer.value, answer.rung, answer.reason) == (False, 4, Reason.PREREQUISITE_OFF)
    assert answer.sentence == "its prerequisite base is off: its prerequisites lead in a circle through f."


def chain(length: int) -> list[Rules]:
    """f needs f1, which needs f2, and so on."""
    keys = ["f", *(f"f{number}" for number in range(1, length))]
    return [Rules(key, salt=key, prerequisites=tuple(keys[at : at + 1])) for at, key in enumerate(keys, start=1)]


@pytest.mark.parametrize(("length", "value"), [(DEEPEST, True), (DEEPEST + 1, False), (2_000, False)])
def test_a_chain_of_prerequisites_has_an_end(length, value):
    first, *others = chain(length)

    assert ask(first, SOMEBODY, *others).value is value


def test_prerequisites_that_many_flags_share_are_climbed_once(monkeypatch):
    levels = 10
    shared = [
        Rules(f"{side}{level}", salt="s", prerequisites=(f"left{level + 1}", f"right{level + 1}"))
        for level in range(levels)
        for side in ("left", "right")
    ]
    ends = [Rules(f"left{levels}", salt="s"), Rules(f"right{levels}", salt="s")]
    hashed = Mock(return_value=0)
    monkeypatch.setattr("modules.flags.ladder.bucket", hashed)

    answer = ask(replace(ON, prerequisites=("left0",)), SOMEBODY, *shared, *ends)

    assert (answer.value, hashed.call_count) == (True, 2 * levels + 2)


@pytest.mark.parametrize("by", ["person", "organisation"])
def test_nobody_to_count_is_off(by):
    answer = ask(replace(ON, bucket_by=by), Context())

    assert (answer.value, answer.rung, answer.reason) == (False, 10, Reason.NOBODY_TO_COUNT)
    assert by in answer.sentence


@pytest.mark.parametrize(
    ("text", "seed", "expected"),
    [
        ("", 0, 0),
        ("", 1, 0x514E28B7),
        ("test", 0, 0xBA6BD213),
        ("Hello, world!", 0, 0xC0363E43),
        ("aaaa", 0x9747B28C, 0x5A97808A),
    ],
)
def test_the_hash_gives_the_published_vectors(text, seed, expected):
    assert mmh3.hash(text, seed, signed=False) == expected


def test_the_bucket_is_the_scaled_hash_of_salt_and_unit():
    assert bucket("", "x") == mmh3.hash(":x", signed=False) * 100_000 // 2**32


def test_buckets_are_spread_evenly():
    tenths = [0] * 10
    for number in range(20_000):
        tenths[bucket("salt", str(number)) * 10 // SCALE] += 1

    assert max(tenths) - min(tenths) < 300


def test_raising_a_rollout_never_switches_anybody_off():
    chance = random.Random(1)
    for _ in range(200):
        context = replace(SOMEBODY, organisation_public_id=str(chance.random()))
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
