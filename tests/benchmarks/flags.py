"""Evaluations per second of processor time, beside the specialists' engines and the least that a percentage can cost:
one dictionary and one hash. All take turns, so that whatever else the machine does meets them alike.

1,000 flags with overrides, sectors, percentages, variants and prerequisites; 200 organisations and 10,000 people.
"""

import gc
import json
import os
import random
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import mmh3

from tests.benchmarks import specialists
from tests.benchmarks.specialists import asking, asking_all
from tests.modules.flags.documents import body, override

FLAGS, ORGANISATIONS, PEOPLE = 1_000, 200, 10_000
CHECKS = 100_000
FEW = specialists.Specialist.checks
EVERYBODY = 100  # people who are told all flags
SOME = 10  # of them, beside an engine that tells fewer
ROUNDS = 9
AT = datetime(2026, 11, 25, 12, tzinfo=UTC)
SECTORS = ("59140", "55100", "93130", "47520", "")


def run() -> None:
    there = specialists.installed()
    set_up_django()
    from modules.flags import evaluation as flags
    from modules.flags import watching
    from modules.flags.exposure.counting import ledger
    from modules.flags.snapshot import compile_release

    # Answers are counted as always, between the turns, as a thread does it each second; and nobody writes them.
    ledger.at_news = lambda: True
    text = document(random.Random(1))
    memory, compiling, snapshot = compiled(lambda: compile_release(1, text, AT))
    watching.store = holding(snapshot)
    contexts = [
        flags.Context(f"organisation-{number % ORGANISATIONS}", f"person-{number}", SECTORS[number % 5], frozenset())
        for number in range(PEOPLE)
    ]
    chance = random.Random(2)
    questions = [(f"flag{chance.randrange(FLAGS)}", chance.choice(contexts)) for _ in range(CHECKS)]
    told: dict[Any, Callable[[], None]] = {
        "least": lambda: least(questions),
        "is_on": lambda: every(flags.is_on, questions),
        "value": lambda: every(flags.value, questions),
        "explain": lambda: every(flags.explain, questions),
        "all values": lambda: every_one(flags.all_values, contexts[:EVERYBODY]),
        "all flags with reasons": lambda: every_one(flags.all_flags, contexts[:EVERYBODY]),
    }
    few = questions[:FEW]  # as many as the others are asked: how many people are touched counts, too
    asked = [kind(json.loads(text)["flags"], contexts) for kind in there]
    for one in asked:
        # Ours right before theirs, so that both meet the machine as it is just then.
        told |= {
            (one.name, "is_on"): lambda: every(flags.is_on, few),
            (one.name, "explain"): lambda: every(flags.explain, few),
            (one.name, "one"): asking(one, questions),
            (one.name, "values"): lambda: every_one(flags.all_values, contexts[:SOME]),
            (one.name, "flags"): lambda: every_one(flags.all_flags, contexts[:SOME]),
            (one.name, "all"): asking_all(one, contexts),
        }
    gc.collect()
    gc.freeze()  # what is prepared stays: looking through it again and again is nobody's work here
    seconds = {name: [] for name in told}  # type: ignore[var-annotated]
    counting = 0.0
    for _ in range(ROUNDS):
        for name, ask in told.items():
            # Once before the clock starts: no turn pays for what the one before left in caches, and to the collector.
            gc.collect()
            ask()
            ledger.taken()
            seconds[name].append(timed(ask))
            counting += timed(ledger.taken) / evaluations(name, asked) if name == "is_on" else 0
    each = {name: [spent / evaluations(name, asked) for spent in turns] for name, turns in seconds.items()}
    write({name: statistics.median(turns) for name, turns in each.items()}, memory, compiling)
    sys.stdout.write(f"flags, counted: {counting / ROUNDS * 1e6:.2f} us more each, in a thread of its own\n")
    write_beside(each, asked)


def set_up_django() -> None:
    """With made-up settings; evaluating asks no database."""
    import django

    import tests.environment  # noqa: F401 (sets them)

    os.environ["DJANGO_SETTINGS_MODULE"] = "marketedge.settings"
    specialists.prepare_django()
    django.setup()


def evaluations(name: Any, asked: list[specialists.Specialist]) -> int:
    """Of one round."""
    for one in asked:
        of_one = {"one": min(one.checks, CHECKS), "all": one.people * FLAGS}
        ours = {"is_on": FEW, "explain": FEW, "values": SOME * FLAGS, "flags": SOME * FLAGS}
        if name[0] == one.name:
            return (of_one | ours)[name[1]]
    return EVERYBODY * FLAGS if name.startswith("all") else CHECKS


def holding(snapshot: Any) -> Any:
    """A store as processes have it, which nobody gives news."""
    from modules.flags.watching import Watcher

    store = Watcher()
    store.settled = snapshot
    return store


def every(ask: Callable[..., Any], questions: list[tuple[str, Any]]) -> None:
    for key, context in questions:
        ask(key, context)


def every_one(ask: Callable[..., Any], contexts: list[Any]) -> None:
    for context in contexts:
        ask(context)


def least(questions: list[tuple[str, Any]]) -> None:
    rollouts = {f"flag{number}": number * 100_000 // FLAGS for number in range(FLAGS)}

    def is_on(key: str, context: Any) -> bool:
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
    """Seconds of the processor's, which others that run on the machine do not add to."""
    began = time.thread_time()
    work()
    return time.thread_time() - began


def write(each: dict[Any, float], memory: int, compiling: float) -> None:
    for name in ("is_on", "value", "explain", "all values", "all flags with reasons"):
        sys.stdout.write(
            f"flags, {name}: {1 / each[name]:,.0f} evaluations a second, {each[name] * 1e6:.2f} us each,"
            f" {each[name] / each['least']:.1f} times a dictionary and a hash (medians of {ROUNDS} turns)\n"
        )
    sys.stdout.write(f"flags, compiled: {memory / 2**20:.2f} MiB for {FLAGS:,}, in {compiling * 1e3:.0f} ms\n")


def write_beside(each: dict[Any, list[float]], asked: list[specialists.Specialist]) -> None:
    """How many times as long the others take: the median of turns, and the least and the most; with reasons, those that
    give some."""
    for one in asked:
        name = one.name
        sys.stdout.write(
            f"flags, beside {name}: {statistics.median(each[name, 'one']) * 1e6:.1f} us each,"
            f" {times(each[name, 'one'], each[name, 'is_on'])} is_on"
            f" and {times(each[name, 'one'], each[name, 'explain'])} explain;"
            f" all flags of a person {statistics.median(each[name, 'all']) * 1e6:.1f} us each,"
            f" {times(each[name, 'all'], each[name, 'values'])} ours"
            f" and {times(each[name, 'all'], each[name, 'flags'])} ours with reasons"
            f"{'' if one.gives_reasons else ' (it gives none)'}\n"
        )


def times(theirs: list[float], ours: list[float]) -> str:
    """Of each turn by itself: the machine is not the same from one to the next."""
    ratios = sorted(their / our for their, our in zip(theirs, ours, strict=True))
    return f"{statistics.median(ratios):.0f} times ({ratios[0]:.0f}-{ratios[-1]:.0f})"
