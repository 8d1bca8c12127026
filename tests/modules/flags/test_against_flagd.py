"""Our answers against those of an evaluator that others wrote: flagd's own, given the same flags in its language.

What is independent is everything but the hash function: both call `mmh3`, which `test_hash` holds against the
definition. flagd's language differs from ours in a few things, which `flagd` names.
"""

import sys
from collections import Counter
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import pytest
from openfeature.contrib.tools.flagd.core import FlagdCore
from openfeature.evaluation_context import EvaluationContext

from modules.flags import evaluation, watching
from modules.flags.answers import Context, Reason
from modules.flags.snapshot import compile_release
from tests.modules.flags import flagd
from tests.modules.flags.documents import document
from tests.modules.flags.generating import MOMENTS, Generated

SEEDS, FLAGS, CONTEXTS = 4, 160, 40
DECIDING = {
    Reason.KILLED,
    Reason.ARCHIVED,
    Reason.BEFORE_WINDOW,
    Reason.AFTER_WINDOW,
    Reason.PREREQUISITE_OFF,
    Reason.ENTITLEMENT_UNKNOWN,
    Reason.NOT_ENTITLED,
    Reason.PERSON_OVERRIDE,
    Reason.ORGANISATION_OVERRIDE,
    Reason.NOT_ENABLED,
    Reason.SECTOR_BLOCKED,
    Reason.SECTOR_UNKNOWN,
    Reason.SECTOR_NOT_ALLOWED,
    Reason.NOBODY_TO_COUNT,
    Reason.OUTSIDE_ROLLOUT,
    Reason.IN_ROLLOUT,
}


class Theirs:
    """flagd's evaluator, at a moment that we say."""

    def __init__(self, bodies: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
        self.bodies = bodies
        self.core = FlagdCore()
        self.core.set_flags(flagd.flag_set(bodies))
        self.at = MOMENTS[0]
        clock = SimpleNamespace(time=lambda: self.at.timestamp())
        monkeypatch.setattr(sys.modules["openfeature.contrib.tools.flagd.core.targeting.targeting"], "time", clock)

    def answer(self, key: str, context: Context) -> tuple[Any, str]:
        attributes: dict[str, Any] = {"person": context.person, "organisation": context.organisation}
        attributes |= {"sector": context.sector}
        if context.entitled_modules is not None:
            attributes["entitled_modules"] = sorted(context.entitled_modules)
        ask = getattr(self.core, f"resolve_{self.bodies[key]['value_type']}_value")
        told = ask(key, self.bodies[key]["off_value"], EvaluationContext(context.person or None, attributes))
        return told.value, told.variant or flagd.OFF


def ours(bodies: dict[str, Any], at: datetime, monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on our reader answers from these flags."""
    snapshot = compile_release(1, document(**bodies), at)
    monkeypatch.setattr(watching, "store", SimpleNamespace(settled=None, current=lambda: snapshot))


@pytest.mark.parametrize("seed", range(SEEDS))
def test_flagds_evaluator_gives_the_same_answers(seed, monkeypatch):
    made = Generated(seed, FLAGS, CONTEXTS)
    theirs = Theirs(made.bodies, monkeypatch)
    reasons: Counter[Reason] = Counter()
    different = []

    for theirs.at in MOMENTS:
        ours(made.bodies, theirs.at, monkeypatch)
        for key in made.bodies:
            for context in made.contexts:
                told = evaluation.explain(key, context=context)
                reasons[told.reason] += 1
                expected = theirs.answer(key, context)
                if (told.value, told.variant) != expected:
                    different.append((expected, told, made.bodies[key], theirs.at))

    assert not different[:3]
    assert reasons.total() * SEEDS >= 100_000
    assert set(reasons) == DECIDING
