"""The provider forgets: what is old, what was taken, and the oldest when there is too much."""

import pytest

from accounts.local_provider import memory
from accounts.local_provider.memory import Memory


@pytest.fixture
def kept(clock) -> Memory[str]:
    return Memory(60, clock)


def test_what_is_kept_can_be_had_again_and_again(kept):
    key = kept.keep("this")

    assert [kept.get(key), kept.get(key)] == ["this", "this"]


def test_what_is_taken_is_gone(kept):
    key = kept.keep("this")

    assert [kept.take(key), kept.take(key), kept.get(key)] == ["this", None, None]


@pytest.mark.parametrize("ask", ["get", "take"])
def test_what_is_old_is_gone(kept, clock, ask):
    key = kept.keep("this")

    clock.now += 61

    assert getattr(kept, ask)(key) is None


def test_the_oldest_goes_when_there_is_too_much(kept, monkeypatch):
    monkeypatch.setattr(memory, "LIMIT", 2)

    keys = [kept.keep(str(number)) for number in range(3)]

    assert [kept.get(key) for key in keys] == [None, "1", "2"]


def test_what_is_kept_is_found_under_its_own_name(kept):
    kept.keep("this", "name")

    assert kept.get("name") == "this"
