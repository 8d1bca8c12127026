"""The kill switch: within two clicks from every page of the admin site, and it tells how soon it is obeyed."""

import pytest
from django.test import Client

from modules.flags.document import Malformed, bodies
from modules.flags.models import Flag, FlagRelease
from modules.flags.watching import State
from tenants import scope
from tests.factories import make_flag, make_member, make_organisation, make_override, make_superuser, make_user
from tests.modules.flags.in_admin import KILL_SWITCH, LIST, events, make_looker, queries_of, releases, text_of, throw

pytestmark = pytest.mark.django_db


@pytest.fixture
def superuser(client):
    user = make_superuser()
    client.force_login(user)
    return user


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


@pytest.mark.parametrize("reason", ["", "  ", "\x00", "x" * 501])
def test_without_a_reason_nothing_is_killed(client, superuser, reason):
    flag = make_flag("wanted")

    page = text_of(throw(client, flag, reason=reason))

    assert "wanted: say why" in page
    assert (Flag.objects.get().is_killed, events()) == (False, [])


@pytest.fixture
def spoilt(monkeypatch):
    """The rows of another flag make no sense."""

    def refuse(document):
        raise Malformed("other: its prerequisite does not exist.")

    monkeypatch.setattr("modules.flags.releases.require_sound", refuse)


def test_what_is_refused_is_said_with_the_reason_kept(client, superuser, request):
    flag = make_flag("wanted", is_killed=True)
    request.getfixturevalue("spoilt")

    page = text_of(throw(client, flag, switch="restore"))

    assert "wanted is not restored. other: its prerequisite does not exist." in page
    assert "FLAGS_FORCED" in page
    assert 'value="it burns"' in page
    assert (Flag.objects.get().is_killed, events()) == (True, [])


def test_rows_that_make_no_sense_keep_nobody_from_killing_a_flag(client, superuser, request):
    flag, other = make_flag("wanted"), make_flag("other")
    with scope.login():
        Flag.objects.filter(pk=other.pk).update(rollout=1)
    request.getfixturevalue("spoilt")

    page = text_of(throw(client, flag))

    release = FlagRelease.objects.latest("number")
    told = bodies(release.document)
    assert "Killed: wanted." in page
    assert "Only kills are in it. Put the rest right, and publish it: other: its prerequisite does not exist." in page
    assert release.reason == "it burns (only kills are in it: other: its prerequisite does not exist.)"
    assert (told["wanted"]["killed"], told["other"]["killed"], told["other"]["rollout"]) == (True, False, 100_000)
    assert (Flag.objects.get(key="wanted").is_killed, events()) == (True, [("flag.killed", "it burns")])


def test_what_such_a_kill_does_is_foreseen(client, superuser, request):
    flag = make_flag("wanted")
    make_organisation("Lumen")
    request.getfixturevalue("spoilt")

    page = text_of(client.get(f"/admin/flags/flag/{flag.pk}/kill-switch/"))

    assert ("would be refused" in page, "Everybody loses it." in page) == (False, True)


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
