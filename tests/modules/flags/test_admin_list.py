"""The list of flags in the admin site: states at a glance, what the rows do not say, filters and search."""

from datetime import timedelta

import pytest
from django.utils import timezone

from modules.flags.models import Flag, FlagRelease, RampStep
from modules.flags.watching import State
from tenants import scope
from tests.factories import make_flag, make_member, make_organisation, make_override, make_superuser, make_user
from tests.modules.flags.in_admin import KILL_SWITCH, LIST, make_looker, queries_of, text_of

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def superuser(client):
    user = make_superuser()
    client.force_login(user)
    return user


def listed(client, query: str = "") -> list[str]:
    return [flag.key for flag in client.get(f"{LIST}?{query}").context["cl"].result_list]


def test_a_partial_flag_shows_its_percentage_and_the_step_to_come(client, superuser):
    flag = make_flag("wanted", rollout=12_345)
    with scope.login():
        RampStep.objects.create(flag=flag, at=timezone.now() + DAY, rollout=50_000)

    page = text_of(client.get(LIST))

    assert '<span class="flag-state flag-partial">12.345 %</span>' in page
    assert 'width="12.345"' in page
    assert "to 50 % on" in page


def test_a_flag_past_its_review_is_due(client, superuser):
    make_flag("wanted", review_date=timezone.localdate())

    assert '<span class="flag-state flag-due">due</span>' in text_of(client.get(LIST))


def test_a_flag_whose_review_is_to_come_is_not_due(client, superuser):
    make_flag("wanted", review_date=timezone.localdate() + DAY)

    assert "flag-due" not in text_of(client.get(LIST))


@pytest.mark.parametrize(("value", "words"), [(True, "forced on"), (False, "forced off"), ("blue", "forced blue")])
def test_what_the_operator_forces_is_shown_at_the_flag_and_above_the_list(client, superuser, settings, value, words):
    make_flag("wanted")
    settings.FLAGS_FORCED = {"wanted": value}

    page = text_of(client.get(LIST))

    assert f'<span class="flag-state flag-forced">{words}</span>' in page
    assert f"(FLAGS_FORCED): wanted {words}." in page


def says(flag_store, version: int, *, is_stale: bool = False, age: float | None = 0.5, problem: str = "") -> None:
    flag_store.says(State(version, 1, "database", is_stale, age, problem))


def test_a_process_that_cannot_read_the_flags_says_so_above_the_list(client, superuser, flag_store):
    make_flag("wanted")
    says(flag_store, 0, is_stale=True, age=61.2, problem="the database refuses connections")

    page = text_of(client.get(LIST))

    assert "has not read the flags from the database for 61 seconds (the database refuses connections)" in page
    assert "it answers with release 0, and the newest is 1" in page


@pytest.mark.parametrize(("version", "age", "is_told"), [(0, 3, True), (0, 0, False), (1, 3, False)])
def test_a_process_that_stays_behind_says_so_above_the_list(client, superuser, flag_store, version, age, is_told):
    make_flag("wanted")
    with scope.login():
        FlagRelease.objects.filter(number=1).update(created_at=timezone.now() - timedelta(seconds=age))
    says(flag_store, version)

    assert ("This process answers with release 0, and the newest is 1" in text_of(client.get(LIST))) is is_told


def test_the_list_is_narrowed_by_state(client, superuser, settings):
    settings.FLAGS_FORCED = {"whole": False}
    make_flag("whole")
    make_flag("part", rollout=1)
    make_flag("dead", is_killed=True)
    make_flag("past", window_ends_at=timezone.now() - DAY)
    make_flag("soon", window_starts_at=timezone.now() + DAY, review_date=timezone.localdate())

    states = ("on", "partial", "off", "killed", "archived", "ended", "scheduled", "due", "forced")
    found = {state: listed(client, f"state={state}") for state in states}

    assert found == {
        "on": ["whole"],
        "partial": ["part"],
        "off": [],
        "killed": ["dead"],
        "archived": [],
        "ended": ["past"],
        "scheduled": ["soon"],
        "due": ["soon"],
        "forced": ["whole"],
    }


def test_the_list_is_narrowed_by_what_flags_have(client, superuser):
    lumen = make_organisation("Lumen")
    make_override(make_flag("one", kind="ops", owner="Pricing"), organisation=lumen)
    make_override(make_flag("two", module_key="alerts"), organisation=make_organisation())
    make_flag("three", is_visible_to_clients=True)

    found = {
        query: listed(client, query)
        for query in (
            "kind__exact=ops",
            "owner=Pricing",
            "owner=-",
            "module=alerts",
            "module=-",
            "is_visible_to_clients__exact=1",
            "overrides=yes",
            "overrides=no",
            "organisation=lumen",
        )
    }

    assert found == {
        "kind__exact=ops": ["one"],
        "owner=Pricing": ["one"],
        "owner=-": ["three", "two"],
        "module=alerts": ["two"],
        "module=-": ["one", "three"],
        "is_visible_to_clients__exact=1": ["three"],
        "overrides=yes": ["one", "two"],
        "overrides=no": ["three"],
        "organisation=lumen": ["one"],
    }


@pytest.mark.parametrize("field", ["name", "purpose", "owner"])
def test_flags_are_found_by_what_is_said_of_them(client, superuser, field):
    make_flag("other")
    make_flag("wanted", **{field: "Needle"})

    assert listed(client, "q=needle") == ["wanted"]


@pytest.mark.parametrize("column", range(1, 7))
def test_every_column_sorts(client, superuser, column):
    make_flag("one")
    make_flag("two", rollout=1)

    assert sorted(listed(client, f"o=-{column}")) == ["one", "two"]


def test_without_flags_the_list_says_what_one_is_and_how_to_make_it(client, superuser):
    page = text_of(client.get(LIST))

    assert "There are no flags yet" in page
    assert "Make the first flag" in page


def test_a_search_without_a_result_leads_back(client, superuser):
    make_flag("wanted")

    page = text_of(client.get(f"{LIST}?q=nothing"))

    assert "No flag is like that." in page
    assert "There are no flags yet" not in page


def test_the_list_asks_the_same_number_of_queries_whatever_its_length(client, superuser):
    counts = []
    for more in (1, 3):
        for number in range(more):
            flag = make_flag(f"flag{more}.{number}", owner=f"Team {number}", rollout=1)
            make_override(flag, organisation=make_organisation())
        counts.append(queries_of(client, LIST))

    assert counts[0] == counts[1]


def test_the_first_page_tells_how_many_flags_are_in_each_state(client, superuser):
    make_flag("whole")
    make_flag("dead", is_killed=True, review_date=timezone.localdate())

    page = text_of(client.get("/admin/"))

    assert '?state=killed"><strong>1</strong> killed</a>' in page
    assert '?state=due"><strong>1</strong> due</a>' in page


def test_the_first_page_tells_nothing_of_flags_to_those_who_may_not_see_them(client):
    make_flag("whole")
    client.force_login(make_user(is_staff=True))

    assert "?state=on" not in text_of(client.get("/admin/"))


def test_those_who_may_only_look_are_offered_no_change(client):
    make_flag("wanted")
    client.force_login(make_looker())

    page = text_of(client.get(LIST))

    assert ("wanted" in page, KILL_SWITCH in page, 'name="action"' in page) == (True, False, False)


def test_an_organisations_admin_does_not_see_the_first_page(client):
    client.force_login(make_member(make_organisation(), "admin"))

    assert client.get("/admin/", follow=True).status_code == 403


def test_states_are_told_from_each_other_by_words(client, superuser):
    for state in ({}, {"rollout": 0}, {"is_killed": True}, {"is_archived": True}):
        make_flag(f"flag{Flag.objects.count()}", **state)

    page = text_of(client.get(LIST))

    assert [word for word in (">on<", ">off<", ">killed<", ">archived<") if word not in page] == []


def test_every_filter_counts_what_it_would_show(client, superuser):
    make_override(make_flag("wanted", rollout=1), organisation=make_organisation())

    assert "Partial (1)" in text_of(client.get(f"{LIST}?_facets=True"))
