"""Whatever documents, keys and contexts hold: a document is read or refused, and a question is answered."""

import json
import logging
from contextlib import suppress
from dataclasses import astuple
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as some

from modules.flags import evaluation, watching
from modules.flags.answers import Context
from modules.flags.document import TYPES, Malformed
from modules.flags.snapshot import NO_FLAGS, Snapshot, compile_release
from tests.modules.flags.documents import BODY, document

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
# The same examples each time: what is found must be found by whoever breaks it.
quickly = settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # what is told is cleared by each example
)

texts = some.text(some.characters() | some.sampled_from("\ud800\x00"), max_size=12)
numbers = some.integers(-(10**20), 10**20) | some.floats(allow_nan=False, allow_infinity=False)
alone = some.none() | some.booleans() | numbers | texts
anything = some.recursive(
    alone, lambda inner: some.lists(inner, max_size=3) | some.dictionaries(texts, inner, max_size=3)
)
moments = some.integers(-5, 5).map(lambda hours: (NOW + timedelta(hours=hours)).isoformat())
periods = some.none() | moments
variants = some.fixed_dictionaries(
    {"name": some.sampled_from(["red", "blue"]), "value": some.booleans(), "weight": some.integers(1, 9)}
)
steps = some.fixed_dictionaries({"at": moments, "rollout": some.integers(0, 100_000)})
overrides = some.fixed_dictionaries(
    {
        "target": some.sampled_from([{"organisation": "here"}, {"person": "me"}]),
        "on": some.booleans(),
        "variant": some.just(""),
        "reason": some.just("demo"),
        "author": some.just(""),
        "starts_at": periods,
        "expires_at": periods,
    }
)
# What is right for the fields of a flag; a test replaces some of them by anything.
right: dict[str, Any] = {
    "enabled": some.booleans(),
    "killed": some.sampled_from([False, False, False, True]),
    "rollout": some.sampled_from([0, 1, 50_000, 99_999, 100_000]),
    "bucket_by": some.sampled_from(["person", "organisation"]),
    "salt": some.sampled_from(["s", "é", "🙂"]),
    "starts_at": periods,
    "ends_at": periods,
    "allowed_sectors": some.lists(some.sampled_from(["59", "551"]), max_size=2),
    "module": some.sampled_from(["", "prices"]),
    "needs": some.sampled_from([[], [], ["f"], ["other"], ["gone"]]),
    "variants": some.just([]) | some.lists(variants, min_size=1, max_size=2),
    "ramp": some.lists(steps, max_size=3),
    "overrides": some.lists(overrides, max_size=3),
}
sound = some.fixed_dictionaries(right).map(lambda fields: {**BODY, **fields})
spoilt = some.builds(
    lambda body, wrong: {**body, **wrong},
    sound,
    some.dictionaries(some.sampled_from(sorted(BODY)), anything, max_size=2),
)
contexts = some.builds(
    Context,
    organisation=some.just("here") | texts | anything,
    person=some.just("me") | texts | anything,
    sector=some.sampled_from(["59140", ""]) | anything,
    entitled_modules=some.sampled_from([None, frozenset(), frozenset({"prices"})]) | anything,
)


RED = [{"name": "red", "value": True, "weight": 1}]
NO_TEXT = Context(organisation="\ud800", person="\udfff")


@pytest.fixture(autouse=True)
def _every_fault_is_news(monkeypatch):
    """Otherwise the log tells each once."""
    monkeypatch.setattr(evaluation, "_is_news", lambda what, key: True)


@pytest.fixture
def told(monkeypatch) -> list[str]:
    """Lines of the log. Without their formatting, which would be most of the time here."""
    lines: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(record.getMessage())

    handler = Kept()
    root = logging.getLogger("modules.flags")
    monkeypatch.setattr(root, "handlers", [handler])
    monkeypatch.setattr(root, "propagate", False)
    return lines


def hold(snapshot: Snapshot) -> None:
    watching.store.current = lambda: snapshot  # type: ignore[method-assign]


@pytest.fixture(autouse=True)
def _store(monkeypatch):
    monkeypatch.setattr(watching, "store", SimpleNamespace(settled=None, current=None))


def release(told: dict[str, Any]) -> Snapshot:
    return compile_release(1, json.dumps({"format": 1, "flags": told}), NOW)


@quickly
@given(
    some.text(some.sampled_from('{}[]":,0159eE.-truefalsnNI\\u "flagsormtd'), max_size=60) | anything.map(json.dumps)
)
def test_a_text_is_a_document_or_it_is_refused(text):
    with suppress(Malformed):
        assert compile_release(1, text, NOW).version == 1


@quickly
@given(flag=spoilt, other=sound, context=contexts)
@example(flag={**BODY, "rollout": 50_000}, other=BODY, context=NO_TEXT)
@example(flag={**BODY, "variants": RED}, other=BODY, context=NO_TEXT)
@example(flag=BODY, other={**BODY, "rollout": 50_000, "salt": "\ud800"}, context=Context("here"))
def test_a_question_is_answered_whatever_the_rules_and_the_context_hold(flag, other, context, told):
    told.clear()
    snapshot = release({"f": flag, "other": other})
    hold(snapshot)

    answers = [
        evaluation.is_on("f", default=True, context=context),
        evaluation.value("f", default=True, context=context),
        evaluation.explain("f", default=True, context=context).value,
        evaluation.all_values(context).get("f", True),
    ]
    explained = evaluation.all_flags(context)

    assert isinstance(answers[0], bool)
    assert all(one.sentence and (one.bucket or 0) < 100_000 for one in explained.values())
    if "f" not in snapshot.flags:
        assert answers == [True] * 4
        assert sum("flag f is unknown" in line for line in told) == 3
    else:
        assert all(TYPES[flag["value_type"]](answer) or answer is True for answer in answers[1:])


@quickly
@given(key=anything, default=anything)
def test_a_key_that_nobody_has_gives_the_default(key, default, told):
    told.clear()
    hold(compile_release(0, NO_FLAGS, NOW))

    answers = [ask(key, default=default) for ask in (evaluation.is_on, evaluation.value)]
    explained = evaluation.explain(key, default=default)

    assert [*answers, explained.value] == [default] * 3
    assert explained.sentence
    assert len(told) == 3


class Unsaid:
    """Has no words, and is neither true nor false: as a table of numbers, or a row that was never saved."""

    def __str__(self) -> str:
        raise ValueError("no words")

    def __bool__(self) -> bool:
        raise ValueError("neither true nor false")


@pytest.mark.parametrize(
    "key", ["gone", Unsaid(), 10**5000, []], ids=["a text", "no words", "a large number", "a list"]
)
@pytest.mark.parametrize("default", [True, Unsaid(), 10**5000], ids=["on", "no words", "a large number"])
def test_what_has_no_words_is_answered_with_the_default(key, default, told):
    hold(compile_release(0, NO_FLAGS, NOW))

    answers = [ask(key, default=default) for ask in (evaluation.is_on, evaluation.value)]
    explained = evaluation.explain(key, default=default)

    assert all(answer is default for answer in (*answers, explained.value))
    assert explained.is_on == (not isinstance(default, Unsaid))
    assert len(told) == 3


@quickly
@given(flags=some.lists(sound, min_size=1, max_size=3), share=some.floats(0, 1, exclude_max=True))
def test_nothing_changes_by_itself_before_the_next_transition(flags, share):
    """`_fields` of the flags are compared, so that no answer to anybody can differ."""
    snapshot = release({f"f{number}": flag for number, flag in enumerate(flags)})
    ends_at = min(snapshot.next_at, NOW.timestamp() + 86_400 * 30)
    later = datetime.fromtimestamp(NOW.timestamp() + share * (ends_at - NOW.timestamp()), UTC)
    assume(later.timestamp() < snapshot.next_at)

    assert fields(snapshot.at(later)) == fields(snapshot)


@quickly
@given(flag=sound)
def test_every_transition_is_reached_one_after_the_other(flag):
    """From transition to transition the snapshot is the same as one that is compiled afresh in between."""
    document_text = document(f=flag)
    snapshot = compile_release(1, document_text, NOW - timedelta(days=1))
    while snapshot.next_at != float("inf"):
        reached = datetime.fromtimestamp(snapshot.next_at, UTC)
        snapshot = snapshot.at(reached)

        assert snapshot.next_at > reached.timestamp()
        assert fields(snapshot) == fields(compile_release(1, document_text, reached + timedelta(minutes=30)))


def fields(snapshot: Snapshot) -> list[Any]:
    """All of each flag that an answer rests on."""
    return [
        (
            one.key,
            one.fixed and astuple(one.fixed),
            [needed.key for needed in one.needs],
            {target: astuple(outcome) for target, outcome in (one.people or {}).items()},
            {target: astuple(outcome) for target, outcome in (one.organisations or {}).items()},
            one.below,
            one.because,
        )
        for one in snapshot.flags.values()
    ]
