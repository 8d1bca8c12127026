"""What the kill switch tells beside each flag: for how many it is on, who killed it, and what it goes back to."""

from types import SimpleNamespace
from typing import Any

import pytest

from modules.flags import actions
from modules.flags.models import Flag, FlagPrerequisite
from tenants import scope
from tests.factories import make_flag, make_member, make_organisation, make_override, make_superuser
from tests.modules.flags.in_admin import KILL_SWITCH, LIST, queries_of, text_of, throw

pytestmark = pytest.mark.django_db


@pytest.fixture
def superuser(client):
    user = make_superuser()
    client.force_login(user)
    return user


def test_it_says_who_notices(client, superuser):
    flag = make_flag("wanted", module_key="alerts", is_visible_to_clients=True)
    make_override(flag, organisation=make_organisation())
    needing = make_flag("needing")
    with scope.login():
        FlagPrerequisite.objects.create(flag=needing, needs=flag)

    assert "module alerts, 1 override, 1 flag needing it, clients see it" in text_of(client.get(KILL_SWITCH))


def rows(response) -> dict[str, Any]:
    return {row.flag.key: row for section in response.context["sections"] for row in section["rows"]}


def test_it_says_for_how_many_each_is_on_and_that_some_are_on_for_nobody(client, superuser):
    make_member(make_organisation("Lumen", sector="59140"))
    make_organisation("Harbour", sector="55100")
    make_flag("some", allowed_sectors=["59"])
    make_flag("nobodys", allowed_sectors=["01"])

    response = client.get(KILL_SWITCH)

    assert "1 of 2 organisations and 1 of 1 person" in text_of(response)
    assert [bool(rows(response)[key].reach.on) for key in ("some", "nobodys")] == [True, False]
    assert '<td data-label="On at present"> nobody </td>' in " ".join(text_of(response).split())


def test_where_counting_takes_too_long_it_says_so_and_the_switches_are_there(client, superuser, monkeypatch):
    monkeypatch.setattr("modules.flags.effects.LONGEST_LOOK", -1)
    make_organisation()
    make_flag("wanted")

    page = text_of(client.get(KILL_SWITCH))

    assert ("not counted: there was no time" in page, "Kill wanted" in page) == (True, True)


@pytest.mark.parametrize(("sectors", "words"), [([], "at least 2 organisations"), (["01"], "nobody so far")])
def test_of_how_many_it_knows_is_said_where_time_runs_out_on_the_way(client, superuser, monkeypatch, sectors, words):
    monkeypatch.setattr("modules.flags.effects.LOOK_AT_CLOCK", 2)
    moments = iter([0.0, 0.0])
    clock = SimpleNamespace(monotonic=lambda: next(moments, 99.0))
    monkeypatch.setattr("modules.flags.effects.time", clock)
    for name in ("Lumen", "Harbour", "Oakfield"):
        make_organisation(name)
    make_flag("wanted", allowed_sectors=sectors)

    page = " ".join(text_of(client.get(KILL_SWITCH)).split())

    assert words in page
    assert "time ran out after 2 organisations and 0 people" in page


def broken(*_, **__):
    raise ZeroDivisionError


def test_where_counting_fails_it_says_so_and_the_switches_are_there(client, superuser, monkeypatch, caplog):
    monkeypatch.setattr("modules.flags.effects.climb", broken)
    make_organisation()
    flag = make_flag("wanted")

    page = text_of(client.get(KILL_SWITCH))
    throw(client, flag)

    assert ("For how many each is on could not be asked" in page, "Kill wanted" in page) == (True, True)
    assert Flag.objects.get().is_killed
    assert "shown without what could not be asked" in caplog.text


def test_where_who_killed_them_cannot_be_asked_they_are_restored_all_the_same(client, superuser, monkeypatch):
    monkeypatch.setattr("modules.flags.admin.kill_switch.killed_in", broken)
    make_flag("wanted", is_killed=True)

    page = text_of(client.get(KILL_SWITCH))

    assert ("Who killed them could not be asked" in page, "Restore wanted" in page) == (True, True)


def test_the_switch_of_one_flag_is_there_where_its_effects_cannot_be_counted(client, superuser, monkeypatch):
    monkeypatch.setattr("modules.flags.effects.climb", broken)
    make_organisation()
    flag = make_flag("wanted")

    page = text_of(client.get(f"{LIST}{flag.pk}/kill-switch/"))

    assert ("It could not be counted" in page, "Kill wanted" in page) == (True, True)


def test_of_a_killed_flag_it_says_who_killed_it_why_and_what_it_goes_back_to(client, superuser):
    flag = make_flag("wanted", rollout=40_000, allowed_sectors=["59"])
    throw(client, flag)
    make_flag("later")

    response = client.get(KILL_SWITCH)

    assert rows(response)["wanted"].killed_in.number == 2
    assert f"by {superuser.email}: “it burns”." in " ".join(text_of(response).split())
    assert "Goes back to: 40 % by organisation, by sector." in text_of(response)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"is_enabled": False}, "off, but for its overrides"),
        ({"rollout": 0}, "off, but for its overrides"),
        ({}, "on for everybody"),
        ({"rollout": 12_500, "bucket_by": "person"}, "12.5 % by person"),
    ],
)
def test_what_a_flag_goes_back_to_is_said_in_words(client, superuser, fields, words):
    make_flag("wanted", is_killed=True, **fields)

    assert f"Goes back to: {words}." in text_of(client.get(KILL_SWITCH))


def test_after_restoring_it_says_what_the_flag_is_back_to(client, superuser):
    flag = make_flag("wanted", rollout=40_000, is_killed=True)

    assert "Restored: wanted, back to: 40 % by organisation." in text_of(throw(client, flag, "restore"))


@pytest.fixture
def no_document_is_read(monkeypatch):
    monkeypatch.setattr("modules.flags.admin.turning.LONGEST", -1)


def test_who_killed_a_flag_long_ago_is_known_without_reading_documents(client, superuser, no_document_is_read):
    throw(client, make_flag("wanted"))
    make_flag("later")

    assert rows(client.get(KILL_SWITCH))["wanted"].killed_in.number == 2


def test_of_several_killed_at_once_each_says_by_which_release(client, superuser, no_document_is_read):
    before, one, two = make_flag("before"), make_flag("one"), make_flag("two")
    throw(client, before)
    with scope.platform():
        actions.kill_flags([one, two, before], by=superuser, reason="all of it burns")

    found = {key: row.killed_in.number for key, row in rows(client.get(KILL_SWITCH)).items()}

    assert found == {"before": 4, "one": 5, "two": 5}


def test_a_kill_that_was_undone_is_not_the_one_that_holds(client, superuser, no_document_is_read):
    flag = make_flag("wanted")
    throw(client, flag)
    throw(client, flag, "restore")
    with scope.platform():
        actions.revert_to(2, by=superuser, reason="it was better then")

    assert rows(client.get(KILL_SWITCH))["wanted"].killed_in is None


def test_who_killed_a_flag_that_changed_since_is_read_in_its_releases(client, superuser):
    flag = make_flag("wanted")
    throw(client, flag)
    flag.refresh_from_db()
    with scope.platform():
        actions.save_flag(flag, by=superuser, reason="mended")

    assert rows(client.get(KILL_SWITCH))["wanted"].killed_in.number == 2


def test_who_killed_a_flag_is_not_looked_for_without_end(client, superuser, monkeypatch):
    monkeypatch.setattr("modules.flags.admin.turning.MOST", 2)
    make_flag("wanted", is_killed=True)
    for key in ("one", "two"):
        make_flag(key)

    response = client.get(KILL_SWITCH)

    assert rows(response)["wanted"].killed_in is None
    assert '<a href="/admin/flags/flag/history/?flag=wanted">its history</a>' in text_of(response)


def test_the_key_is_on_the_button(client, superuser):
    make_flag("wanted")
    make_flag("dead", is_killed=True)

    page = text_of(client.get(KILL_SWITCH))

    assert (">Kill wanted</button>" in page, ">Restore dead</button>" in page) == (True, True)


def test_it_asks_the_same_number_of_queries_whatever_the_number_of_those_that_somebody_killed(client, superuser):
    counts = []
    for more in (1, 3):
        flags = [make_flag(f"killed{more}.{number}") for number in range(more)]
        with scope.platform():
            actions.kill_flags(flags, by=superuser, reason="it burns")
        counts.append(queries_of(client, KILL_SWITCH))

    assert counts[0] == counts[1]
