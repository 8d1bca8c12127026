"""Evaluations per second in one process, against the least that a percentage can cost: one dictionary and one hash.

1,000 flags with overrides, sectors, percentages, variants and prerequisites; 200 organisations and 10,000 people.
"""

import gc
import json
import random
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import mmh3

from tests.modules.flags.documents import body, override

FLAGS, ORGANISATIONS, PEOPLE = 1_000, 200, 10_000
CHECKS = 100_000
EVERYBODY = 100  # people who are told all flags
ROUNDS = 5
AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
SECTORS = ("59140", "55100", "93130", "47520", "")


def run() -> None:
    from modules.flags import evaluation as flags
    from modules.flags import watching
    from modules.flags.snapshot import compile_release

    text = document(random.Random(1))
    memory, compiling, snapshot = compiled(lambda: compile_release(1, text, AT))
    watching.store = Held(snapshot)  # type: ignore[assignment]
    contexts = [
        flags.Context(f"organisation-{number % ORGANISATIONS}", f"person-{number}", SECTORS[number % 5], frozenset())
        for number in range(PEOPLE)
    ]
    chance = random.Random(2)
    questions = [(f"flag{chance.randrange(FLAGS)}", chance.choice(contexts)) for _ in range(CHECKS)]
    told = {
        "least": lambda: least(questions),
        "is_on": lambda: every(flags.is_on, questions),
        "value": lambda: every(flags.value, questions),
        "explain": lambda: every(flags.explain, questions),
        "all values": lambda: every_one(flags.all_values, contexts[:EVERYBODY]),
        "all flags with reasons": lambda: every_one(flags.all_flags, contexts[:EVERYBODY]),
    }
    seconds = {name: [] for name in told}  # type: ignore[var-annotated]
    for _ in range(ROUNDS):
        for name, ask in told.items():
            seconds[name].append(timed(ask))
    write({name: statistics.median(each) for name, each in seconds.items()}, memory, compiling)


class Held:
    """A store that always has this snapshot."""

    def __init__(self, snapshot: Any) -> None:
        self._snapshot = snapshot

    def current(self) -> Any:
        return self._snapshot


def every(ask: Callable[..., Any], questions: list[tuple[str, Any]]) -> None:
    for key, context in questions:
        ask(key, context=context)


def every_one(ask: Callable[..., Any], contexts: list[Any]) -> None:
    for context in contexts:
        ask(context)


def least(questions: list[tuple[str, Any]]) -> None:
    rollouts = {f"flag{number}": number * 100_000 // FLAGS for number in range(FLAGS)}

    def is_on(key: str, *, context: Any) -> bool:
        return mmh3.hash(f"{key}:{context.organisation}", signed=False) * 100_000 >> 32 < rollouts[key]

    every(is_on, questions)


def document(chance: random.Random) -> str:
    return json.dumps({"format": 1, "flags": {f"flag{number}": one(number, chance) for number in range(FLAGS)}})


def one(number: int, chance: random.Random) -> dict[str, Any]:
    changes: dict[str, Any] = {
        "salt": f"flag{number}",
        "enabled": chance.random() < 0.8,
        "rollout": chance.choice([0, 10_000, 50_000, 100_000]),
        "bucket_by": chance.choice(["person", "organisation"]),
        "allowed_sectors": chance.choice([[], [], ["59", "551"]]),
        "needs": [f"flag{number - 1}"] if number % 10 == 9 else [],
    }
    targets: list[dict[str, str]] = [{"organisation": f"organisation-{chance.randrange(ORGANISATIONS)}"}]
    changes["overrides"] = [override(target=target) for target in targets if number % 5 == 0]
    if number % 20 == 0:
        changes |= {"value_type": "string", "off_value": "none", "variants": variants()}
    return body(**changes)


def variants() -> list[dict[str, Any]]:
    return [{"name": name, "value": name, "weight": 1} for name in ("red", "blue")]


def compiled(work: Callable[[], Any]) -> tuple[int, float, Any]:
    """Bytes that are held afterwards, the document not counted, and the seconds that it took."""
    tracemalloc.start()
    snapshot = work()
    gc.collect()
    memory = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return memory, timed(work), snapshot


def timed(work: Callable[[], Any]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def write(seconds: dict[str, float], memory: int, compiling: float) -> None:
    least = seconds.pop("least") / CHECKS
    for name, spent in seconds.items():
        evaluations = EVERYBODY * FLAGS if name.startswith("all") else CHECKS
        each = spent / evaluations
        sys.stdout.write(
            f"flags, {name}: {1 / each:,.0f} evaluations a second, {each * 1e6:.2f} us each,"
            f" {each / least:.1f} times a dictionary and a hash (medians of {ROUNDS} rounds, interleaved)\n"
        )
    sys.stdout.write(f"flags, compiled: {memory / 2**20:.2f} MiB for {FLAGS:,}, in {compiling * 1e3:.0f} ms\n")
