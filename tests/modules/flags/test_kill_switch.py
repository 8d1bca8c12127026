"""The kill switch: within two clicks from every page of the admin site, and it tells how soon it is obeyed."""

from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from modules.flags import actions
from modules.flags.document import Malformed
from modules.flags.models import Flag, FlagPrerequisite
from modules.flags.watching import State
from tenants import scope
from tests.factories import make_flag, make_member, make_organisation, make_override, make_superuser, make_user
from tests.modules.flags.in_admin import KILL_SWITCH, LIST, events, make_looker, queries_of, releases, text_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def superuser(client):
    user = make_superuser()
    client.force_login(user)
    return user


def throw(client, flag, switch: str = "kill", **fields):
    form = {"flag": flag.pk, "switch": switch, "reason": "it burns", **fields}
    return client.post(KILL_SWITCH, form, follow=True)


def shown(response) -> dict[str, list[str]]:
    return {section["switch"]: [row[0].key for row in section["rows"]] for section in response.context["sections"]}


@pytest.mark.parametrize("page", ["/admin/", "/admin/tenants/organisation/", "/admin/modules/entitlement/add/", LIST])
def test_the_way_to_it_is_on_every_page(client, superuser, page):
    response = client.get(page)

    assert f'href="{KILL_SWITCH}">Kill a flag…</a>' in response.content.decode()


def test_a_flag_is_killed_with_a_reason_by_the_button_in_its_row(client, superuser):
    flag, other = make_flag("wanted"), make_flag("other")

    page = text_of(throw(client, flag))

    assert (Flag.objects.get(key="wanted").is_killed, Flag.objects.get(key="other").is_killed) == (True, False)
    assert events() == [("flag.killed", "it burns")]
    assert "Killed: wanted." in page
    assert other.key in page


def test_a_killed_flag_is_restored_on_the_same_page(client, superuser):
    flag = make_flag("wanted", is_killed=True)

    throw(client, flag, "restore")

    assert (Flag.objects.get().is_killed, events()) == (False, [("flag.restored", "it burns")])


def test_it_lists_what_is_on_for_somebody_and_what_is_killed(client, superuser):
    make_flag("on")
    make_flag("off", is_enabled=False)
    make_flag("dead", is_killed=True)
    make_flag("kept", is_archived=True)
    make_override(make_flag("for.one", is_enabled=False), organisation=make_organisation())

    assert shown(client.get(KILL_SWITCH)) == {"kill": ["for.one", "on"], "restore": ["dead"]}


@pytest.mark.parametrize("words", ["needle", "NEEDLE 7", "hay stack", "pricing"])
def test_a_flag_is_found_by_what_is_said_of_it(client, superuser, words):
    make_flag("other")
    make_flag("needle7", name="Hay", purpose="A stack", owner="Pricing")

    assert shown(client.get(KILL_SWITCH, {"q": words}))["kill"] == ["needle7"]


def test_whoever_searches_finds_a_flag_that_is_not_on_yet(client, superuser):
    make_flag("wanted", is_enabled=False)

    assert shown(client.get(KILL_SWITCH))["kill"] == []
    assert shown(client.get(KILL_SWITCH, {"q": "wanted"}))["kill"] == ["wanted"]


def test_of_many_flags_the_first_are_shown_and_the_others_searched_for(client, superuser, monkeypatch):
    monkeypatch.setattr("modules.flags.admin.kill_switch.SHOWN", 2)
    for key in ("one", "three", "two"):
        make_flag(key)

    response = client.get(KILL_SWITCH)

    assert shown(response)["kill"] == ["one", "three"]
    assert "Switched on (3)" in text_of(response)
    assert "1 more: search" in text_of(response)
    assert shown(client.get(KILL_SWITCH, {"q": "two"}))["kill"] == ["two"]


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


@pytest.mark.parametrize("reason", ["", "  ", "\x00", "x" * 501])
def test_without_a_reason_nothing_is_killed(client, superuser, reason):
    flag = make_flag("wanted")

    page = text_of(throw(client, flag, reason=reason))

    assert "wanted: say why" in page
    assert (Flag.objects.get().is_killed, events()) == (False, [])


def test_what_is_refused_is_said_with_the_reason_kept(client, superuser, monkeypatch):
    flag = make_flag("wanted")

    def refuse(document):
        raise Malformed("other: its prerequisite does not exist.")

    monkeypatch.setattr("modules.flags.releases.require_sound", refuse)
    page = text_of(throw(client, flag))

    assert "wanted is not killed. other: its prerequisite does not exist." in page
    assert "FLAGS_FORCED" in page
    assert 'value="it burns"' in page
    assert (Flag.objects.get().is_killed, events()) == (False, [])


def test_it_tells_how_soon_this_process_obeyed(client, superuser, flag_store):
    flag = make_flag("wanted")
    flag_store.says(State(1, 1, "database", False, 0.1, ""))

    page = text_of(throw(client, flag))

    assert "Release 2 holds: here after" in page
    assert "everywhere within a second and a half" in page


def test_it_works_while_this_process_cannot_read_the_flags_and_says_so(client, superuser, flag_store):
    flag = make_flag("wanted")
    flag_store.says(State(1, 1, "file", True, 90.0, "the database refuses connections"))

    page = text_of(throw(client, flag))

    assert Flag.objects.get().is_killed
    assert "cannot read the flags at the moment (the database refuses connections)" in page


def test_it_says_when_this_process_does_not_follow(client, superuser, flag_store, monkeypatch):
    monkeypatch.setattr("modules.flags.admin.obeying.LONGEST_WAIT", 0.0)
    flag = make_flag("wanted")
    flag_store.says(State(1, 1, "database", False, 0.1, ""))

    assert "this process has not followed" in text_of(throw(client, flag))


def test_a_flag_that_is_killed_already_is_no_new_release_and_no_line_in_the_audit(client, superuser):
    flag = make_flag("wanted", is_killed=True)
    released = releases()

    page = text_of(throw(client, flag))

    assert ("It was so already." in page, releases()) == (True, released)
    assert "flag.killed" not in dict(events())


def test_what_the_operator_forces_is_said_not_to_obey(client, superuser, settings):
    make_flag("wanted")
    settings.FLAGS_FORCED = {"wanted": True}

    assert "this switch does not reach it" in text_of(client.get(KILL_SWITCH))


def test_the_switch_of_one_flag_shows_it_in_whatever_state_it_is(client, superuser):
    flags = {"kill": make_flag("off", is_enabled=False), "restore": make_flag("kept", is_archived=True)}

    for switch, flag in flags.items():
        assert shown(client.get(f"{LIST}{flag.pk}/kill-switch/")) == {switch: [flag.key]}


@pytest.mark.parametrize("path", [f"{LIST}77/kill-switch/", f"{LIST}99999999999999999999/kill-switch/"])
def test_a_flag_that_does_not_exist_has_no_switch(client, superuser, path):
    assert client.get(path).status_code == 404


@pytest.mark.parametrize("fields", [{"flag": "x"}, {"flag": "9" * 30}, {"flag": "\x00"}, {"switch": "smash"}])
def test_what_no_form_of_the_page_sends_is_not_found(client, superuser, fields):
    flag = make_flag("wanted")

    form = {"flag": flag.pk, "switch": "kill", "reason": "it burns", **fields}

    assert client.post(KILL_SWITCH, form).status_code == 404
    assert events() == []


def test_a_form_of_another_site_kills_nothing(superuser):
    client = Client(enforce_csrf_checks=True, headers={"X-Forwarded-Proto": "https"})
    client.force_login(superuser)
    flag = make_flag("wanted")

    assert throw(client, flag).status_code == 403
    assert not Flag.objects.get().is_killed


def staff_without_permission():
    return make_user(is_staff=True)


def admin_of_an_organisation():
    return make_member(make_organisation(), "admin")


@pytest.mark.parametrize("make", [make_looker, staff_without_permission, admin_of_an_organisation])
def test_those_who_may_not_change_flags_have_no_switch(client, make):
    flag = make_flag("wanted")
    client.force_login(make())

    answers = [
        client.get(KILL_SWITCH, follow=True).status_code,
        client.get(f"{LIST}{flag.pk}/kill-switch/", follow=True).status_code,
        throw(client, flag).status_code,
    ]

    assert answers == [403, 403, 403]
    assert (Flag.objects.get().is_killed, events()) == (False, [])


@pytest.mark.parametrize("make", [make_looker, staff_without_permission])
def test_those_who_may_not_change_flags_are_not_led_to_it(client, make):
    client.force_login(make())

    assert KILL_SWITCH not in text_of(client.get("/admin/"))


def test_whoever_is_not_signed_in_is_led_to_sign_in(client):
    assert client.get(KILL_SWITCH).url == f"/sign-in/?next={KILL_SWITCH}"


def test_it_asks_the_same_number_of_queries_whatever_the_number_of_flags(client, superuser):
    counts = []
    for more in (1, 3):
        for number in range(more):
            make_flag(f"on{more}.{number}")
            make_flag(f"dead{more}.{number}", is_killed=True)
        counts.append(queries_of(client, KILL_SWITCH))

    assert counts[0] == counts[1]


def test_it_asks_the_same_number_of_queries_whatever_the_number_of_those_that_somebody_killed(client, superuser):
    counts = []
    for more in (1, 3):
        flags = [make_flag(f"killed{more}.{number}") for number in range(more)]
        with scope.platform():
            actions.kill_flags(flags, by=superuser, reason="it burns")
        counts.append(queries_of(client, KILL_SWITCH))

    assert counts[0] == counts[1]
