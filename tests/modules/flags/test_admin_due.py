"""The page of flags that are due: why each is there, and what can be done about it from there."""

from datetime import timedelta

import pytest
from django.utils import timezone

from modules.flags import declared
from modules.flags.models import Flag, FlagExposure
from tenants import scope
from tests.factories import as_owner, make_flag, make_member, make_organisation, make_superuser, make_user
from tests.modules.flags.in_admin import DUE, LIST, make_looker, queries_of, text_of

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture
def superuser(client):
    user = make_superuser()
    client.force_login(user)
    return user


@pytest.fixture
def asked(monkeypatch):
    """Says which keys code asks for: asked("one", "two")."""

    def say(*keys: str) -> None:
        monkeypatch.setattr(declared, "_sources", [lambda: dict.fromkeys(keys, "asked for by the test")])

    say()
    return say


def due(client) -> dict[str, list[str]]:
    sections = client.get(DUE).context["sections"]
    return {section.title.split(":")[0]: [row[0].key for row in section.rows] for section in sections}


def test_a_flag_past_its_review_is_due_with_its_owner_and_since_when(client, superuser, asked):
    asked("late", "later")
    make_flag("late", review_date=timezone.localdate() - 9 * DAY, owner="Pricing team")
    make_flag("later", review_date=timezone.localdate() + DAY)

    assert due(client) == {"Past their review date": ["late"]}
    assert ("9 days ago" in text_of(client.get(DUE)), "Pricing team" in text_of(client.get(DUE))) == (True, True)


def test_a_release_flag_that_everybody_has_had_for_long_could_go(client, superuser, asked):
    asked("done", "fresh")
    make_flag("done")
    make_flag("fresh")
    with scope.login():
        Flag.objects.filter(key="done").update(updated_at=timezone.now() - 31 * DAY)

    assert due(client) == {"Everybody has it": ["done"]}


@as_owner
def use(key: str, days_ago: int) -> None:
    hour = (timezone.now() - days_ago * DAY).replace(minute=0, second=0, microsecond=0)
    FlagExposure.objects.create(hour=hour, flag_key=key, is_on=True, variant="on", rung=11, count=1)


def test_a_release_flag_that_nobody_has_asked_for_in_a_month_is_due(client, superuser, asked):
    asked("used", "idle", "never", "fresh", "ops")
    for key in ("used", "idle", "never", "ops"):
        make_flag(key, created_at=timezone.now() - 60 * DAY, kind="ops" if key == "ops" else "release")
    make_flag("fresh")
    use("used", 1)
    use("idle", 31)

    assert due(client) == {"Not asked for in 30 days": ["idle", "never"]}


def test_which_flags_nobody_asks_for_is_not_said_before_it_can_be_known(client, superuser, asked):
    asked("used", "idle")
    make_flag("idle", created_at=timezone.now() - 60 * DAY)
    use("used", 1)

    assert due(client) == {}
    assert "it is not known yet" in text_of(client.get(DUE))


def test_a_flag_that_no_code_asks_for_is_due(client, superuser, asked):
    asked("known")
    for key, fields in (
        ("known", {}),
        ("unknown", {}),
        ("kept", {"is_archived": True}),
        ("outside", {"is_visible_to_clients": True}),
    ):
        make_flag(key, **fields)

    assert due(client) == {"Unknown to the code": ["unknown"]}


def test_a_key_that_code_asks_for_and_that_is_no_flag_is_told(client, superuser, asked):
    asked("there", "missing")
    make_flag("there")

    response = client.get(DUE)

    assert response.context["missing"] == [("missing", "asked for by the test")]
    assert "Nothing is due." not in text_of(response)


def test_modules_say_which_flags_they_ask_for(client, superuser):
    assert ("market_edge_v2", "opens the module market_edge_core") in client.get(DUE).context["missing"]


def test_a_table_that_somebody_wrote_to_past_the_product_is_told(client, superuser, asked):
    asked("wanted")
    make_flag("wanted")
    published = text_of(client.get(DUE))
    with scope.login():
        Flag.objects.update(rollout=5)

    assert ("Not published:" in published, "Not published:" in text_of(client.get(DUE))) == (False, True)


def test_without_anything_to_do_it_says_so(client, superuser, asked):
    assert "Nothing is due." in text_of(client.get(DUE))


def test_flags_are_given_another_date_from_there(client, superuser, asked):
    flag = make_flag("late", review_date=timezone.localdate())
    form = {"index": "0", "action": "review", "_selected_action": [flag.pk]}

    page = text_of(client.post(LIST, form))

    assert "Set review date" in page
    assert 'name="review_date"' in page


def test_it_is_shown_again_when_what_was_chosen_there_is_done(client, superuser, asked):
    flag = make_flag("late", review_date=timezone.localdate())
    form = {"index": "0", "action": "review", "_selected_action": [flag.pk], "came_from": "due"}
    page = text_of(client.post(LIST, form))
    decided = {"confirmed": "yes", "review_date": timezone.localdate() + DAY, "reason": "asked its owner"}

    answer = client.post(LIST, form | decided)

    assert ('name="came_from" value="due"' in page, f'<a href="{DUE}" class="closelink">' in page) == (True, True)
    assert (answer.status_code, answer["Location"]) == (302, DUE)


@pytest.mark.parametrize("place", ["", "https://evil.example/", "//evil.example", "flags"])
def test_nothing_else_is_a_way_back(client, superuser, asked, place):
    flag = make_flag("late", review_date=timezone.localdate())
    form = {"index": "0", "action": "review", "_selected_action": [flag.pk], "came_from": place}
    decided = {"confirmed": "yes", "review_date": timezone.localdate() + DAY, "reason": "asked its owner"}

    assert client.post(LIST, form | decided)["Location"] == LIST


def test_the_way_from_the_list_says_how_many_are_past_their_review(client, superuser):
    make_flag("late", review_date=timezone.localdate())
    make_flag("later", review_date=timezone.localdate() + DAY)

    assert f'<a href="{DUE}">Due (1)</a>' in text_of(client.get(LIST))


def test_those_who_may_only_look_read_it_without_buttons(client, asked):
    make_flag("late", review_date=timezone.localdate())
    client.force_login(make_looker())

    page = text_of(client.get(DUE))

    assert ("late" in page, 'name="action"' in page, "_selected_action" in page) == (True, False, False)


def test_staff_without_permission_and_organisations_admins_do_not_read_it(client):
    answers = []
    for person in (make_user(is_staff=True), make_member(make_organisation(), "admin")):
        client.force_login(person)
        answers.append(client.get(DUE, follow=True).status_code)

    assert answers == [403, 403]


def test_it_asks_the_same_number_of_queries_whatever_the_number_of_flags(client, superuser, asked):
    counts = []
    for more in (1, 3):
        for number in range(more):
            make_flag(f"flag{more}.{number}", review_date=timezone.localdate())
        counts.append(queries_of(client, DUE))

    assert counts[0] == counts[1]


def test_of_many_flags_the_first_are_shown_and_the_others_counted(client, superuser, asked, monkeypatch):
    monkeypatch.setattr("modules.flags.admin.due.SHOWN", 2)
    for key in ("one", "three", "two"):
        make_flag(key)

    page = text_of(client.get(DUE))

    assert ("Unknown to the code (3)" in page, "1 more, which follow" in page) == (True, True)
