"""Several flags at once in the admin site: all of them or none, in one release and one line of the audit."""

from datetime import timedelta

import pytest
from django.db import IntegrityError
from django.utils import timezone

from modules.flags import actions
from modules.flags.models import Flag, FlagOverride, FlagPrerequisite, FlagVariant, RampStep, SectorRule
from modules.flags.releases import Refused
from tenants import scope
from tenants.models import AuditEvent
from tests.factories import make_flag, make_organisation, make_override, make_superuser, release_flags
from tests.modules.flags.in_admin import LIST, bulk, confirmed, events, make_looker, releases, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def superuser(client):
    user = make_superuser()
    client.force_login(user)
    return user


@pytest.mark.parametrize(
    ("action", "before", "after", "event"),
    [
        ("kill", {}, {"is_killed": True}, "flags.killed"),
        (
            "restore",
            {"is_killed": True, "is_archived": True},
            {"is_killed": False, "is_archived": False},
            "flags.restored",
        ),
        ("archive", {}, {"is_archived": True}, "flags.archived"),
        ("enable", {"is_enabled": False}, {"is_enabled": True}, "flags.enabled"),
        ("disable", {}, {"is_enabled": False}, "flags.disabled"),
    ],
)
def test_several_flags_change_in_one_release_and_one_line_of_the_audit(client, superuser, action, before, after, event):
    flags = [make_flag(key, **before) for key in ("one", "two", "three")]
    others = make_flag("other", **before)
    released = releases()

    confirmed(client, action, *flags)

    assert Flag.objects.filter(**after).count() == 3
    assert not Flag.objects.filter(pk=others.pk, **after).exists()
    assert (events(), releases() - released) == ([(event, "because")], 1)


def test_the_audit_names_each_flag_that_changed(client, superuser):
    flags = [make_flag(key) for key in ("one", "two")]

    confirmed(client, "kill", *flags)

    with scope.login():
        event = AuditEvent.objects.get(kind="event")
        changed = AuditEvent.objects.filter(event_id=event.id, target_table="flags_flag").values_list("target_id")
        assert event.data["flags"] == ["one", "two"]
        assert sorted(changed) == sorted((str(flag.pk),) for flag in flags)


def test_a_review_date_is_set_for_several_flags(client, superuser):
    flags = [make_flag(key) for key in ("one", "two")]
    day = timezone.localdate() + timedelta(days=90)

    confirmed(client, "review", *flags, review_date=day.isoformat())

    assert list(Flag.objects.values_list("review_date", flat=True)) == [day, day]
    assert events() == [("flags.review_set", "because")]


@pytest.mark.parametrize(
    ("day", "words"), [("", "required"), ("soon", "Enter a valid date"), ("today", "still to come")]
)
def test_a_review_date_that_makes_no_sense_changes_nothing(client, superuser, day, words):
    flag = make_flag("one")
    day = timezone.localdate().isoformat() if day == "today" else day

    page = text_of(confirmed(client, "review", flag, review_date=day))

    assert (words in page, 'value="because"' in page, events()) == (True, True, [])


@pytest.fixture
def refusing(monkeypatch):
    """Nothing may be published."""

    def refuse(document):
        raise actions.Malformed("three: its prerequisite four does not exist.")

    monkeypatch.setattr("modules.flags.releases.require_sound", refuse)


def test_what_is_refused_is_said_with_the_reason_kept_and_nothing_changed(client, superuser, request):
    flags = [make_flag(key) for key in ("one", "two")]
    request.getfixturevalue("refusing")

    page = text_of(confirmed(client, "disable", *flags, reason="it burns"))

    assert "Nothing was changed. three: its prerequisite four does not exist." in page
    assert 'value="it burns"' in page
    assert (Flag.objects.filter(is_enabled=False).count(), events()) == (0, [])


def test_a_row_that_somebody_takes_at_the_same_moment_is_said(client, superuser, monkeypatch):
    flag = make_flag("one")

    def taken(*args, **options):
        raise IntegrityError("duplicate key")

    monkeypatch.setattr(actions, "kill_flags", taken)

    assert "somebody saved the same at this moment" in text_of(confirmed(client, "kill", flag))


def test_flags_that_no_longer_fit_the_list_are_asked_for_again(client, superuser):
    flags = [make_flag(key) for key in ("one", "two")]
    with scope.platform():
        actions.kill_flag(flags[0], by=superuser, reason="faster")
    form = {"action": "archive", "_selected_action": [flag.pk for flag in flags], "confirmed": "yes", "reason": "why"}

    page = text_of(client.post(f"{LIST}?state=on", form))

    assert "What you chose has changed meanwhile" in page
    assert not Flag.objects.filter(is_archived=True).exists()


def test_flags_on_other_pages_of_the_list_are_confirmed_too(client, superuser, monkeypatch):
    monkeypatch.setattr("modules.flags.admin.flags.FlagAdmin.list_per_page", 1)
    flags = [make_flag(key) for key in ("one", "two", "three")]

    response = bulk(client, "kill", flags[0], select_across="1", index="0")

    assert sorted(response.context["selected"]) == sorted(flag.pk for flag in flags)


def test_a_flag_that_was_taken_away_meanwhile_refuses_them_all(superuser):
    flags = [make_flag(key) for key in ("one", "two")]
    with scope.login():
        Flag.objects.get(key="two").delete()
    release_flags()

    with scope.platform(), pytest.raises(Refused, match="two: not there any more"):
        actions.kill_flags(flags, by=superuser, reason="too late")

    assert (Flag.objects.get().is_killed, events()) == (False, [])


def test_what_is_so_already_is_no_release(client, superuser):
    flag = make_flag("one", is_killed=True)
    released = releases()

    page = text_of(confirmed(client, "kill", flag) and client.get(LIST))

    assert "Nothing was to be changed" in page
    assert releases() == released


def test_afterwards_the_page_tells_the_release_and_leads_to_undoing_it(client, superuser):
    flags = [make_flag(key) for key in ("one", "two")]

    page = text_of(client.post(LIST, _form("kill", flags), follow=True))

    assert "Kill flags: one, two. Release 3" in page
    assert '<a href="/admin/flags/flag/history/2/revert/">Undo…</a>' in page
    assert client.get("/admin/flags/flag/history/2/revert/").status_code == 200


def test_the_change_of_one_flag_is_undone_for_it_alone(client, superuser):
    make_flag("other")

    page = text_of(client.post(LIST, _form("kill", [make_flag("one")]), follow=True))

    assert '<a href="/admin/flags/flag/history/2/revert/?flag=one">Undo…</a>' in page
    assert client.get("/admin/flags/flag/history/2/revert/?flag=one").status_code == 200


def _form(action: str, flags: list[Flag]) -> dict:
    return {
        "action": action,
        "_selected_action": [flag.pk for flag in flags],
        "confirmed": "yes",
        "reason": "because",
    }


def test_a_flag_is_copied_with_all_that_it_says_but_its_overrides(client, superuser):
    base = make_flag("base")
    flag = make_flag("old", name="Old", rollout=12_345, owner="Pricing", is_killed=True)
    make_override(flag, organisation=make_organisation())
    with scope.login():
        FlagVariant.objects.create(flag=flag, name="whole", value=True, weight=3)
        SectorRule.objects.create(flag=flag, prefix="55", effect="allow")
        FlagPrerequisite.objects.create(flag=flag, needs=base)
        RampStep.objects.create(flag=flag, at=timezone.now(), rollout=50_000)
    release_flags()

    confirmed(client, "copy", flag, **{f"key_{flag.pk}": "new"})

    copy = Flag.objects.get(key="new")
    assert (copy.name, copy.salt, copy.rollout, copy.owner) == ("Old (copy)", "new", 12_345, "Pricing")
    assert (copy.is_enabled, copy.is_killed, copy.public_id == flag.public_id) == (False, False, False)
    assert [row.name for row in copy.variants.all()] == ["whole"]
    assert [row.prefix for row in copy.sector_rules.all()] == ["55"]
    assert [row.needs.key for row in copy.needs_rows.all()] == ["base"]
    assert [row.rollout for row in copy.ramp_steps.all()] == [50_000]
    assert not FlagOverride.objects.filter(flag=copy).exists()
    assert events() == [("flag.copied", "because")]


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        (("", "new"), "This field is required"),
        (("Not a key", "new"), "Lower-case letters"),
        (("two", "new"), "There is a flag of this key already"),
        (("new", "new"), "a key of its own"),
        (("x" * 81, "new"), "at most 80 characters"),
    ],
)
def test_keys_of_copies_that_cannot_be_are_said_at_their_field(client, superuser, keys, words):
    flags = [make_flag(key) for key in ("one", "two")]
    typed = {f"key_{flag.pk}": key for flag, key in zip(flags, keys, strict=True)}

    page = text_of(confirmed(client, "copy", *flags, **typed))

    assert (words in page, Flag.objects.count(), events()) == (True, 2, [])


def test_a_key_that_is_taken_at_the_last_moment_copies_nothing(superuser):
    flag = make_flag("one")
    make_flag("taken")

    with scope.platform(), pytest.raises(Refused, match="taken: there is a flag of this key already"):
        actions.copy_flags({"new": flag, "taken": flag}, by=superuser, reason="late")

    assert sorted(Flag.objects.values_list("key", flat=True)) == ["one", "taken"]


@pytest.mark.parametrize("action", ["kill", "restore", "archive", "enable", "disable", "review", "copy"])
def test_those_who_may_only_look_change_nothing(client, action):
    flag = make_flag("one", is_enabled=False)
    client.force_login(make_looker())

    confirmed(client, action, flag, review_date="2099-01-01", **{f"key_{flag.pk}": "new"})

    assert (Flag.objects.get().updated_at, events()) == (flag.updated_at, [])


def test_whom_it_touches_is_counted_before_it_is_done_and_nothing_is_kept(client, superuser):
    flag = make_flag("one")
    make_organisation("Lumen")
    released = releases()

    page = text_of(bulk(client, "kill", flag))

    assert ("Everybody loses it." in page, "Lumen" in page) == (True, True)
    assert (Flag.objects.get().is_killed, releases(), events()) == (False, released, [])


def test_of_many_flags_the_first_are_counted(client, superuser, monkeypatch):
    monkeypatch.setattr("modules.flags.admin.foreseen.SHOWN", 2)
    flags = [make_flag(key) for key in ("one", "three", "two")]
    make_organisation()

    page = text_of(bulk(client, "kill", *flags))

    assert "Counted for the first 2 flags; 1 more change." in page


def test_what_would_be_refused_is_said_before_it_is_tried(client, superuser):
    needing, needed = make_flag("needing"), make_flag("needed")
    with scope.login():
        FlagPrerequisite.objects.create(flag=needing, needs=needed)
        FlagPrerequisite.objects.create(flag=needed, needs=needing)

    page = text_of(bulk(client, "disable", needing))

    assert "This would be refused as things are." in page
