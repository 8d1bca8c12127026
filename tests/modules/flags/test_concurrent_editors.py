"""Eight people who change flags at the same moment: no edit is lost, no number left out, no circle made."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from modules.flags import actions, releases
from modules.flags.models import Flag, FlagPointer, FlagRelease
from tenants import scope
from tests.factories import make_flag

pytestmark = pytest.mark.django_db(transaction=True)
EDITORS = 8


def at_once(work: Callable[[Any], Any], items: Sequence[Any]) -> list[Any]:
    """What the work gave for each, in sessions of their own."""
    barrier = Barrier(len(items))

    def work_and_leave(item: Any) -> Any:
        try:
            with scope.platform():
                barrier.wait()
                return work(item)
        finally:
            connection.close()

    with ThreadPoolExecutor(len(items)) as pool:
        return list(pool.map(work_and_leave, items))


def numbers() -> list[int]:
    return list(FlagRelease.objects.order_by("number").values_list("number", flat=True))


def test_no_edit_is_lost_and_no_number_left_out():
    flags = [make_flag(f"flag{number}") for number in range(EDITORS)]

    at_once(lambda flag: actions.kill_flag(flag, by=None, reason="at once"), flags)

    assert numbers() == list(range(1, 2 * EDITORS + 1))
    assert FlagPointer.objects.get().number == 2 * EDITORS
    with scope.platform():
        assert releases.is_published()
        assert Flag.objects.filter(is_killed=True).count() == EDITORS


def test_eight_people_edit_the_same_flag_in_different_places():
    make_flag("shared")
    edits: list[dict[str, Any]] = [
        {"name": "Shared"}, {"purpose": "why"}, {"rollout": 5}, {"owner": "us"},
        {"is_enabled": False}, {"kind": "ops"}, {"module_key": "prices"}, {"bucket_by": "person"},
    ]  # fmt: skip

    def edit(fields: dict[str, Any]) -> None:
        flag = stale[str(fields)]
        for name, value in fields.items():
            setattr(flag, name, value)
        actions.save_flag(flag, by=None, reason="at once", fields=list(fields))

    stale = {str(fields): Flag.objects.get() for fields in edits}
    at_once(edit, edits)

    flag = Flag.objects.get()
    assert [getattr(flag, name) for fields in edits for name in fields] == [v for f in edits for v in f.values()]
    assert len(numbers()) == EDITORS + 1


def test_two_who_close_a_circle_together_do_not_both_succeed():
    one, other = make_flag("one"), make_flag("other")

    def need(pair: tuple[Flag, Flag]) -> str:
        try:
            actions.save_flag(pair[0], by=None, reason="at once", needs=[pair[1]])
        except releases.Refused as refusal:
            return "circle" if "circle" in str(refusal) else str(refusal)
        return "saved"

    assert sorted(at_once(need, [(one, other), (other, one)])) == ["circle", "saved"]
