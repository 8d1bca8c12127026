"""The arithmetic of limits: a bucket of calls that fills again by the minute."""

import threading

from accounts import rates
from accounts.rates import ProcessLimiter, Rate, Use

SECONDLY = Use("a", Rate(per_minute=60, burst=3))


def waits(limiter: ProcessLimiter, *moments: float, use: Use = SECONDLY) -> list[float]:
    return [limiter.seconds_to_wait([use], now=now) for now in moments]


def test_a_burst_passes_and_the_next_waits_until_one_call_has_grown_back():
    assert waits(ProcessLimiter(), 100, 100, 100, 100) == [0, 0, 0, 1]


def test_who_waits_as_told_passes():
    assert waits(ProcessLimiter(), 100, 100, 100, 100.25, 101) == [0, 0, 0, 0.75, 0]


def test_refused_calls_do_not_make_the_wait_longer():
    assert waits(ProcessLimiter(), *[100] * 3, *[100.5] * 50, 101)[-1] == 0


def test_the_whole_burst_is_back_after_a_pause():
    assert waits(ProcessLimiter(), 100, 100, 100, 200, 200, 200, 200) == [0, 0, 0, 0, 0, 0, 1]


def test_callers_do_not_take_each_others_calls():
    limiter = ProcessLimiter()
    waits(limiter, 100, 100, 100)

    assert waits(limiter, 100, use=Use("b", SECONDLY.rate)) == [0]


def test_of_several_limits_the_longest_wait_is_told():
    limiter = ProcessLimiter()
    slow = Use("slow", Rate(per_minute=1, burst=1))
    limiter.seconds_to_wait([slow, SECONDLY], now=100)

    assert limiter.seconds_to_wait([slow, SECONDLY], now=110) == 50


def test_a_call_that_one_limit_refuses_counts_against_no_other():
    limiter = ProcessLimiter()
    mine, ours = Use("mine", Rate(per_minute=1, burst=1)), Use("ours", Rate(per_minute=1, burst=2))
    for _ in range(5):
        limiter.seconds_to_wait([ours, mine], now=100)

    assert limiter.seconds_to_wait([ours], now=100) == 0


def test_threads_together_get_no_more_than_the_burst():
    limiter = ProcessLimiter()
    passed: list[int] = []

    def ask() -> None:
        use = Use("a", Rate(per_minute=1, burst=100))
        passed.extend(1 for _ in range(200) if not limiter.seconds_to_wait([use], now=100))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(passed) == 100


def test_only_so_many_callers_are_remembered(monkeypatch):
    monkeypatch.setattr(rates, "REMEMBERED", 10)
    limiter = ProcessLimiter()
    for number in range(50):
        waits(limiter, 100, use=Use(str(number), SECONDLY.rate))

    assert len(limiter._full_at) == 10
