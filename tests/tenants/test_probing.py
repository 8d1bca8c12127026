"""Asking what may never answer: once for many, never longer than the deadline."""

import math
import threading
import time

from tenants.probing import Prober


def prober_of(ask, deadline: float = 2.0, kept: float = 2.0, patience: float = math.inf) -> Prober[str]:
    return Prober(ask, deadline=deadline, kept=kept, late="late", failed="failed", patience=patience)


def test_what_never_answers_is_given_up_at_the_deadline():
    release = threading.Event()
    started = time.monotonic()

    answer = prober_of(lambda: str(release.wait(5)), deadline=0.2).answer()

    release.set()
    assert (answer, time.monotonic() - started < 2) == ("late", True)


def test_many_callers_ask_once():
    asked = []
    gate = threading.Event()

    def ask() -> str:
        asked.append(1)
        gate.wait(1)
        return "here"

    prober = prober_of(ask)
    callers = [threading.Thread(target=prober.answer) for _ in range(12)]
    for caller in callers:
        caller.start()
    gate.set()
    for caller in callers:
        caller.join()

    assert len(asked) == 1


def test_an_answer_is_kept_for_a_while():
    answers = iter(["first", "second"])
    prober = prober_of(lambda: next(answers))

    assert [prober.answer(), prober.answer()] == ["first", "first"]


def test_an_answer_is_not_kept_for_ever():
    answers = iter(["first", "second"])
    prober = prober_of(lambda: next(answers), kept=0.0)

    assert [prober.answer(), prober.answer()] == ["first", "second"]


def test_a_fault_of_our_own_while_asking_is_said_and_asked_again(caplog):
    faults: list[Exception] = [ZeroDivisionError()]

    def ask() -> str:
        if faults:
            raise faults.pop()
        return "here"

    prober = prober_of(ask)

    assert [prober.answer(), prober.answer()] == ["failed", "here"]
    assert "ZeroDivisionError" in caplog.text


def test_an_answer_can_be_sought_before_it_is_wanted():
    asked = threading.Event()

    def ask() -> str:
        asked.set()
        return "here"

    prober_of(ask).begin()

    assert asked.wait(2)


def test_nobody_new_waits_for_a_question_that_was_asked_long_ago():
    release, answers = threading.Event(), iter(["old", "new"])

    def ask() -> str:
        answer = next(answers)
        if answer == "old":
            release.wait(5)
        return answer

    prober = prober_of(ask, deadline=0.1, patience=0.2)
    first = prober.answer()
    time.sleep(0.2)
    second = prober.answer(within=2)
    release.set()
    time.sleep(0.1)

    assert (first, second, prober.answer()) == ("late", "new", "new")
