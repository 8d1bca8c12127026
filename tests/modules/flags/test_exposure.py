"""What flags answer is counted in this process, and nothing else is."""

import os
import threading
import time
from datetime import UTC, datetime

import pytest
from django.utils import timezone

from modules import access
from modules.flags import evaluation as flags
from modules.flags import watching
from modules.flags.exposure import counting, flushing
from modules.flags.exposure.flushing import Flusher
from tenants import scope
from tenants.seats import seat_of
from tests.factories import make_member, make_organisation, offer_market_edge_core
from tests.modules.flags.documents import body, document
from tests.modules.flags.uses import note

LUMEN = "6f9619ff-8b86-4d01-b42d-00cf4fc964f1"
HARBOUR = "6f9619ff-8b86-4d01-b42d-00cf4fc964f2"
AT_LUMEN = flags.Context(organisation=LUMEN, person="somebody")


@pytest.fixture
def answers(monkeypatch):
    """Flags that are held in memory, by the documents' bodies."""

    def held(**bodies):
        snapshot = flags_at(bodies)
        monkeypatch.setattr(watching.store, "current", lambda: snapshot)

    def flags_at(bodies):
        return watching.compile_release(1, document(**bodies), datetime.now(UTC))

    return held


def counted() -> list[tuple]:
    """What was counted since the last flush, as (key, organisation, answered, rung, times)."""
    return sorted(((*answer, times) for answer, times in counting.ledger.taken().items()), key=str)


def test_each_answer_is_counted_with_its_organisation_and_rung(answers):
    answers(wanted=body(), closed=body(enabled=False))

    for _ in range(3):
        flags.is_on("wanted", context=AT_LUMEN)
    flags.value("closed", context=AT_LUMEN)
    flags.explain("closed", context=flags.Context(organisation=HARBOUR))

    assert counted() == [
        ("closed", LUMEN, False, 7, 1),
        ("closed", HARBOUR, False, 7, 1),
        ("wanted", LUMEN, True, 11, 3),
    ]


COLOURS = {"value_type": "string", "off_value": "grey", "variants": [{"name": "red", "value": "#f00", "weight": 1}]}


def test_a_variant_is_counted_by_its_name_where_code_was_told_it(answers):
    answers(colour=body(**COLOURS))

    flags.value("colour", context=AT_LUMEN)
    flags.explain("colour", context=AT_LUMEN)
    flags.is_on("colour", context=AT_LUMEN)

    assert counted() == [("colour", LUMEN, "red", 11, 2), ("colour", LUMEN, True, 11, 1)]


def test_whoever_wants_to_know_of_all_flags_or_of_another_time_uses_none(answers):
    answers(wanted=body())

    flags.all_flags(AT_LUMEN)
    flags.all_values(AT_LUMEN)
    flags.explain("wanted", context=AT_LUMEN, at=datetime.now(UTC))

    assert counted() == []


def test_neither_forced_answers_nor_unknown_keys_nor_mere_looks_are_use(answers):
    answers(wanted=body())

    with flags.forced(wanted=True, colour="blue"):
        flags.is_on("wanted", context=AT_LUMEN)
        flags.value("colour", context=AT_LUMEN)
    flags.is_on("unheard.of", context=AT_LUMEN)
    with flags.using(AT_LUMEN, is_counted=False), flags.using(AT_LUMEN):
        flags.is_on("wanted")
        flags.explain("wanted")

    assert counted() == []


def test_beyond_the_limit_organisations_are_counted_together(answers, monkeypatch):
    monkeypatch.setattr(counting, "LIMIT", 2)
    counting.ledger.taken()
    answers(wanted=body())

    for number in range(5):
        flags.is_on("wanted", context=flags.Context(organisation=f"{LUMEN[:-1]}{number}"))
    counting.ledger.taken()
    for organisation in (LUMEN, HARBOUR, "another", "one more", LUMEN):
        flags.is_on("wanted", context=flags.Context(organisation=organisation))

    assert counted() == [
        ("wanted", counting.NOT_TOLD_APART, True, 11, 2),
        ("wanted", LUMEN, True, 11, 2),
        ("wanted", HARBOUR, True, 11, 1),
    ]


@pytest.mark.parametrize("context", [flags.Context(organisation=["lumen"]), "lumen"])  # type: ignore[arg-type]
def test_what_code_calls_an_organisation_and_cannot_be_one_is_counted_all_the_same(answers, context):
    answers(killed=body(killed=True))

    flags.is_on("killed", context=context)
    flags.is_on("killed", context=AT_LUMEN)

    assert counted() == [
        ("killed", counting.NOT_TOLD_APART, False, 2, 1),
        ("killed", LUMEN, False, 2, 1),
    ]


@pytest.mark.parametrize("is_added_up", [False, True])
def test_what_is_noted_at_once_is_kept_as_far_as_there_is_room_and_the_rest_told(monkeypatch, is_added_up):
    monkeypatch.setattr(counting, "MOST_NOTES", 2)
    ledger, asked = counting.Ledger(), []

    def at_news() -> bool:
        asked.append(1)
        return is_added_up

    ledger.at_news = at_news

    for rung in (5, 7, 11, 11):
        note("wanted", LUMEN, rung, into=ledger)

    assert (len(asked), ledger.add_up(), ledger.add_up()) == (1 if is_added_up else 4, 2, 0)
    assert ledger.taken() == {("wanted", LUMEN, True, 5): 1, ("wanted", LUMEN, True, 7): 1}


def test_what_is_noted_while_nobody_adds_up_takes_no_more_room(monkeypatch):
    monkeypatch.setattr(counting, "MOST_NOTES", 2)
    ledger = counting.Ledger()
    ledger.at_news = lambda: False

    for _ in range(100):
        note("wanted", LUMEN, into=ledger)

    assert len(ledger._notes) == 2 * counting.PARTS


def test_many_notes_are_counted_a_part_at_a_time(monkeypatch):
    monkeypatch.setattr(counting, "AT_ONCE", 3)
    ledger = counting.Ledger()

    for _ in range(10):
        note("wanted", LUMEN, into=ledger)

    assert (ledger.add_up(), ledger.taken()) == (0, {("wanted", LUMEN, True, 11): 10})


def test_threads_lose_nothing(answers):
    answers(wanted=body())

    def ask() -> None:
        for _ in range(5_000):
            flags.is_on("wanted", context=AT_LUMEN)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    told: list[int] = []
    while any(thread.is_alive() for thread in threads):
        told += counting.ledger.taken().values()
        time.sleep(0.02)
    told += [times for *_, times in counted()]

    assert sum(told) == 20_000


def no_more_threads(thread: threading.Thread) -> None:
    raise RuntimeError("no more threads")


def test_a_flag_that_cannot_begin_its_thread_answers_all_the_same(answers, monkeypatch):
    flusher = Flusher()
    monkeypatch.setattr(counting.ledger, "at_news", flusher.begin)
    monkeypatch.setattr(threading.Thread, "start", no_more_threads)
    answers(wanted=body())

    assert flags.is_on("wanted", context=AT_LUMEN) is True
    assert flusher.state().problem == "no more threads"


def test_a_forked_process_leaves_what_was_counted_before_to_the_other(answers):
    answers(wanted=body())
    flags.is_on("wanted", context=AT_LUMEN)
    parents = flushing.flusher
    reading, writing = os.pipe()

    child = os.fork()
    if not child:
        is_new = flushing.flusher is not parents and not counted()
        os.write(writing, b"new" if is_new else b"old")
        os._exit(0)
    os.waitpid(child, 0)

    assert os.read(reading, 3) == b"new"
    assert counted() == [("wanted", LUMEN, True, 11, 1)]
    os.close(reading)
    os.close(writing)


@pytest.mark.django_db
def test_opening_a_module_uses_its_flag_and_explaining_who_may_open_it_does_not():
    offer_market_edge_core()
    organisation = make_organisation()
    person = make_member(organisation, "admin")
    key = "market_edge_core"
    with scope.platform():
        facts = access.load_facts(person, organisation, seat_of(person, organisation), at=timezone.now())

        access.decide_now(person, organisation, key)
        explained = counted()
        access.decide(facts, key)

    assert (explained, [answer[0] for answer in counted()]) == ([], ["market_edge_v2"])
