"""What a release says is read field by field; whatever is wrong is named, and the rest of the flags go on."""

import json
import random
from datetime import UTC, datetime
from typing import Any

import pytest

from modules.flags.answers import Context
from modules.flags.document import Malformed, TooNew, bodies, canonical, rules_of
from modules.flags.explaining import explain
from modules.flags.models import Flag, FlagOverride
from modules.flags.snapshot import compile_release
from modules.flags.soundness import LONGEST, LONGEST_REASON, require_sound
from tests.modules.flags.documents import BODY, body, document, override

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
VARIANTS = [{"name": "red", "value": "r", "weight": 1}]
OBJECTS = [{"name": "red", "value": {}, "weight": 1}]


def test_the_canonical_form_is_the_same_whatever_the_order():
    assert canonical({"b": 1, "a": {"d": "é", "c": 2}}) == '{"a":{"c":2,"d":"é"},"b":1}'


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is no JSON"),
        ("{", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ('{"format": 1, "flags": {"f": NaN}}', "not a number"),
        ('{"format": 1, "flags": {"f": -1e999}}', "-1e999 is not a number"),
        ("[]", "no object"),
        ('{"format": 1}', "no object"),
        ('{"format": 1, "flags": []}', "no object"),
        ('{"format": "1", "flags": {}}', "not a number"),
        ('{"format": true, "flags": {}}', "not a number"),
        ('{"format": 0, "flags": {}}', "not a number"),
    ],
)
def test_a_document_that_is_none_is_refused_by_name(text, words):
    with pytest.raises(Malformed, match=words):
        bodies(text)


def test_a_document_of_a_newer_release_of_the_product_is_told_apart():
    with pytest.raises(TooNew, match="format 2"):
        bodies('{"format": 2, "flags": {}}')


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"enabled": 1}, "enabled is neither true nor false"),
    ({"killed": None}, "killed is neither"),
    ({"rollout": 100_001}, "rollout is not a whole number from 0 to 100000"),
    ({"rollout": -1}, "rollout is not"),
    ({"rollout": True}, "rollout is not"),
    ({"rollout": 1.0}, "rollout is not"),
    ({"bucket_by": "moon"}, "bucket_by is none of organisation, person"),
    ({"salt": ""}, "salt is empty"),
    ({"salt": None}, "salt is not text"),
    ({"hash_version": 2}, "hash_version is not"),
    ({"starts_at": "soon"}, "starts_at is not a time"),
    ({"starts_at": 7}, "starts_at is not a time"),
    ({"starts_at": "0001-01-01T00:00:00+23:59"}, "starts_at is not a time"),
    ({"starts_at": "2026-01-31T09:00:00"}, "starts_at has no time zone"),
    ({"allowed_sectors": "59"}, "allowed_sectors is not a list"),
    ({"allowed_sectors": [59]}, "allowed_sectors holds what cannot be there"),
    ({"blocked_sectors": ["x"]}, "blocked_sectors holds"),
    ({"needs": [[]]}, "needs holds"),
    ({"value_type": "colour"}, "value_type is none of"),
    ({"off_value": "no"}, "off_value is not of the type boolean"),
    ({"value_type": "string", "off_value": ""}, "variants are missing"),
    ({"variants": ["red"]}, "variants must be objects"),
    ({"variants": VARIANTS}, "value is not of the type boolean"),
    ({"value_type": "string", "off_value": "", "variants": VARIANTS * 2}, "the same name twice"),
    ({"value_type": "string", "off_value": "", "variants": [{**VARIANTS[0], "weight": 0}]}, "have no weight"),
    ({"value_type": "string", "off_value": "", "variants": [{**VARIANTS[0], "weight": -1}]}, "weight is not"),
    ({"value_type": "string", "off_value": "", "variants": [{**VARIANTS[0], "name": "A b"}]}, "which is none"),
    ({"ramp": [{"at": None, "rollout": 1}]}, "ramp has a step without a time"),
    ({"ramp": [{"at": "2026-01-31T09:00:00+00:00", "rollout": "1"}]}, "rollout is not"),
    ({"overrides": [override(target={})]}, "must name one organisation or one person"),
    ({"overrides": [override(target={"person": "a", "organisation": "b"})]}, "must name one"),
    ({"overrides": [override(target={"person": 7})]}, "by its public id"),
    ({"overrides": [override(on="yes")]}, "on is neither"),
]


@pytest.mark.parametrize(("changes", "words"), WRONG)
def test_a_flag_that_cannot_be_read_is_refused_with_its_field(changes, words):
    with pytest.raises(Malformed, match="wrong: .*" + words):
        rules_of("wrong", body(**changes))


@pytest.mark.parametrize(
    "field", sorted(set(BODY) - {"name", "purpose", "kind", "owner", "review_date"} - {"starts_at", "ends_at"})
)
def test_no_field_that_decides_may_be_missing(field):
    with pytest.raises(Malformed):
        rules_of("short", {name: value for name, value in BODY.items() if name != field})


@pytest.mark.parametrize("key", ["", "Not A Key", "9", "a" * 81, "a\n"])
def test_a_key_that_is_none_is_refused(key):
    with pytest.raises(Malformed, match="cannot be the key"):
        rules_of(key, body())


@pytest.mark.parametrize(("changes", "words"), WRONG[:3])
def test_a_flag_that_cannot_be_read_leaves_the_others_as_they_are(caplog, changes, words):
    snapshot = compile_release(7, document(wrong=body(**changes), right=body()), NOW)

    assert sorted(snapshot.flags) == ["right"]
    assert "Release 7 of the flags has one that cannot be read" in caplog.text


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"starts_at": "2026-01-31T09:00:00+00:00", "ends_at": "2026-01-31T09:00:00+00:00"}, "must end after"),
        ({"ramp": [{"at": "2026-01-31T09:00:00+00:00", "rollout": 1}] * 2}, "at the same time"),
        ({"overrides": [override()] * 2}, "two overrides for here"),
        ({"overrides": [override(reason="")]}, "has no reason"),
        ({"overrides": [override(variant="red")]}, "chooses red"),
        ({"needs": ["gone"]}, "its prerequisite gone does not exist"),
        ({"needs": ["f"]}, "in a circle"),
        ({"kind": "whim"}, "kind is none of"),
        ({"review_date": "soon"}, "review_date is not a date"),
        ({"name": None}, "name is not text"),
        ({"name": "n" * 121}, "name is longer than 120"),
        ({"overrides": [override(reason="r" * 501)]}, "reason is longer than 500"),
        ({"purpose": "\x00"}, "purpose holds a sign"),
        ({"salt": "\ud800"}, "salt holds a sign"),
        ({"overrides": [override(author="\ud800")]}, "overrides holds a sign"),
        ({"value_type": "object", "off_value": {"a": [{"\x00": 1}]}, "variants": OBJECTS}, "off_value holds a sign"),
    ],
)
def test_what_makes_no_sense_is_not_published(changes, words):
    with pytest.raises(Malformed, match=words):
        require_sound(document(f=body(**changes)))


def test_a_circle_that_a_flag_only_leads_to_is_refused_too():
    flags = {"a": body(needs=["b"]), "b": body(needs=["c"]), "c": body(needs=["b"])}

    with pytest.raises(Malformed, match="in a circle"):
        require_sound(document(**flags))


def test_texts_are_as_long_as_the_rows_can_hold():
    rows = {"name": "name", "owner": "owner", "module": "module_key", "salt": "salt"}

    lengths = {field: getattr(Flag._meta.get_field(rows[field]), "max_length", None) for field in LONGEST}

    assert lengths == LONGEST
    assert getattr(FlagOverride._meta.get_field("reason"), "max_length", None) == LONGEST_REASON


def test_what_is_sound_is_published():
    assert sorted(require_sound(document(a=body(needs=["b"]), b=body(overrides=[override()])))) == ["a", "b"]


def junk(chance: random.Random) -> Any:
    return chance.choice(
        [None, True, 0, -1, 1e300, "", "x" * 300, "\x00", [], {}, [[]], {"a": {}}, "2026-01-31", 10**30]
    )


def test_whatever_a_document_says_it_is_read_or_refused():
    chance, read = random.Random(3), 0
    for _ in range(3_000):
        flag = body()
        for name in chance.sample(sorted(flag), chance.randrange(4)):
            flag[name] = chance.choice([junk(chance), [junk(chance)], {"at": junk(chance), "name": junk(chance)}])
        snapshot = compile_release(1, json.dumps({"format": 1, "flags": {"f": flag}}), NOW)
        for one in snapshot.flags.values():
            assert explain(one, Context("o", "p", "59"), 1).sentence
            read += 1

    assert read > 500
