"""A change that is tried and taken back: read whole, and nothing of it stays."""

import pytest

from modules.flags import actions
from modules.flags.document import bodies
from modules.flags.models import Flag, FlagRelease
from modules.flags.rehearsal import rehearse
from modules.flags.releases import Refused
from tenants import scope
from tenants.models import AuditEvent
from tests.factories import make_flag

pytestmark = pytest.mark.django_db


def test_both_documents_are_told_and_nothing_is_written():
    flag = make_flag("wanted")

    with scope.platform():
        told = rehearse(lambda: actions.kill_flag(flag, by=None, reason="try"))

    assert [bodies(one)["wanted"]["killed"] for one in (told.before, told.after)] == [False, True]
    assert told.number == FlagRelease.objects.count() == 1
    with scope.login():
        assert (Flag.objects.get().is_killed, AuditEvent.objects.filter(kind="event").count()) == (False, 0)


def test_several_changes_are_rehearsed_as_one():
    flags = [make_flag("one"), make_flag("two")]

    with scope.platform():
        told = rehearse(lambda: [actions.kill_flag(flag, by=None, reason="try") for flag in flags])

    assert [body["killed"] for body in bodies(told.after).values()] == [True, True]


def test_what_may_not_be_published_is_refused_with_its_words():
    flag = make_flag("wanted")
    flag.value_type = Flag.ValueType.STRING

    with scope.platform(), pytest.raises(Refused, match=r"wanted: .* is not of the type string|variants are missing"):
        rehearse(lambda: actions.save_flag(flag, by=None, reason="try"))

    assert Flag.objects.get().value_type == "boolean"


def test_a_change_may_follow_a_rehearsal():
    flag = make_flag("wanted")
    with scope.platform():
        rehearse(lambda: actions.kill_flag(flag, by=None, reason="try"))

        actions.kill_flag(Flag.objects.get(), by=None, reason="now")

    assert FlagRelease.objects.count() == 2
