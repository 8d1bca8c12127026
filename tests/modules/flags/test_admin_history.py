"""The history of flags in the admin site: what each release changed, comparing, and going back."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from modules.flags import actions
from modules.flags.admin import history
from modules.flags.models import Flag, FlagOverride, FlagRelease
from tenants import scope
from tenants.models import AuditEvent
from tests.factories import (
    make_flag,
    make_member,
    make_organisation,
    make_override,
    make_superuser,
    make_user,
    release_flags,
)
from tests.modules.flags.in_admin import make_looker

pytestmark = pytest.mark.django_db
HISTORY = "/admin/flags/flag/history/"


@pytest.fixture
def superuser(client):
    user = make_superuser(email="super@example.com")
    client.force_login(user)
    return user


def change(flag: Flag, *, by=None, reason="because", **fields) -> int:
    """A release; its number."""
    for name, value in fields.items():
        setattr(flag, name, value)
    with scope.platform():
        actions.save_flag(flag, by=by, reason=reason, fields=list(fields))
        return FlagRelease.objects.latest("number").number


def show(client, address=HISTORY, **query):
    response = client.get(address, query)
    assert response.status_code == 200
    return response


def told(response) -> list[tuple[int, list[str]]]:
    return [(entry.release.number, [str(one) for one in entry.changes]) for entry in response.context["entries"]]


def text(response) -> str:
    return " ".join(response.content.decode().split())


def test_each_release_tells_who_when_why_and_what_it_changed(client, superuser):
    flag = make_flag("wanted", rollout=25_000)
    change(flag, by=superuser, reason="half of them", rollout=50_000)

    response = show(client)

    assert told(response) == [(2, ["wanted: rollout 25 % → 50 %"]), (1, ["wanted: added enabled; rollout 25 %"])]
    assert [words in text(response) for words in ("super@example.com", "half of them", "holds now")] == [True] * 3


def test_organisations_and_people_are_told_by_name(client, superuser):
    flag = make_flag("wanted")
    make_override(flag, organisation=make_organisation("Lumen Cinemas"))
    make_override(flag, person=make_user("ada@lumen.example"))

    assert told(show(client))[:2] == [
        (3, ["wanted: override for ada@lumen.example added: on: “a test”"]),
        (2, ["wanted: override for Lumen Cinemas added: on: “a test”"]),
    ]


def test_going_back_is_named_as_such(client, superuser):
    change(make_flag("wanted"), rollout=5)
    with scope.platform():
        actions.revert_to(1, by=superuser, reason="too few")

    assert "goes back to 1" in text(show(client))


@pytest.fixture
def past():
    """Three releases: by Ada in January, by Ben in February, by Ada in March."""
    ada, ben = make_user("ada@example.com"), make_user("ben@example.com")
    one, other = make_flag("one"), make_flag("other")
    change(one, by=ada, reason="first trial", rollout=1)
    change(other, by=ben, reason="second trial", rollout=2)
    change(one, by=ada, reason="done", rollout=3)
    with scope.login():
        for number, month in ((1, 1), (2, 1), (3, 1), (4, 2), (5, 3)):
            at = datetime(2026, month, 15, 12, tzinfo=UTC)
            FlagRelease.objects.filter(number=number).update(created_at=at)


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ({}, [5, 4, 3, 2, 1]),
        ({"flag": "one"}, [5, 3, 1]),
        ({"flag": "other"}, [4, 2]),
        ({"flag": "gone"}, []),
        ({"author": "ADA"}, [5, 3]),
        ({"q": "trial"}, [4, 3]),
        ({"since": "2026-02-15"}, [5, 4]),
        ({"until": "2026-02-15"}, [4, 3, 2, 1]),
        ({"since": "2026-02-01", "until": "2026-02-28", "author": "ben"}, [4]),
        ({"since": "moon"}, []),
        ({"p": "999"}, [5, 4, 3, 2, 1]),
        ({"p": "moon"}, [5, 4, 3, 2, 1]),
    ],
)
def test_releases_are_found_by_flag_author_reason_and_period(client, superuser, past, query, numbers):
    assert [number for number, _ in told(show(client, **query))] == numbers


def test_a_day_is_the_readers_day(client, superuser, past):
    client.cookies["editors_zone"] = "Pacific/Auckland"

    assert [number for number, _ in told(show(client, since="2026-03-16"))] == [5]


def test_the_last_day_of_the_calendar_has_no_next_one_and_is_refused(client, superuser, past):
    shown = show(client, until="9999-12-31")

    assert told(shown) == []
    assert "Enter a date within the calendar." in text(shown)


def test_the_history_of_a_flag_tells_of_that_flag_alone(client, superuser):
    one, other = make_flag("one"), make_flag("other")
    with scope.login():
        Flag.objects.filter(pk__in=[one.pk, other.pk]).update(rollout=0)
    release_flags()

    assert told(show(client, flag="one"))[0] == (3, ["one: rollout 100 % → 0 %"])


def test_a_flag_that_is_gone_has_its_history_still(client, superuser):
    flag = make_flag("gone")
    with scope.login():
        flag.delete()
    release_flags()

    assert told(show(client, flag="gone")) == [(2, ["gone: deleted"]), (1, ["gone: added enabled; rollout 100 %"])]


def test_djangos_own_history_of_a_flag_leads_to_the_only_one(client, superuser):
    flag = make_flag("wanted")

    assert client.get(f"/admin/flags/flag/{flag.pk}/history/").url == f"{HISTORY}?flag=wanted"


def test_long_histories_come_in_pages_that_keep_the_question(client, superuser, monkeypatch):
    monkeypatch.setattr(history, "AT_ONCE", 2)
    flag = make_flag("wanted")
    for rollout in range(3):
        change(flag, rollout=rollout)

    first, second = show(client, flag="wanted"), show(client, flag="wanted", p="2")

    assert [[number for number, _ in told(page)] for page in (first, second)] == [[4, 3], [2, 1]]
    assert 'href="?flag=wanted&amp;p=2"' in text(first)


def test_a_release_tells_which_flags_it_changed(client, superuser, past):
    with scope.login():
        Flag.objects.filter(key="one").delete()
        Flag.objects.filter(key="other").update(rollout=9)
    release_flags()

    changes = FlagRelease.objects.order_by("number").values_list("changes", flat=True)

    assert list(changes) == [["one"], ["other"], ["one"], ["other"], ["one"], ["one", "other"]]


def test_releases_of_which_nobody_can_tell_are_listed_with_those_of_any_flag(client, superuser, past):
    with scope.login():
        FlagRelease.objects.create(number=6, document="nonsense", reason="from elsewhere")
        FlagRelease.objects.create(number=7, document='{"format":1,"flags":{}}', reason="and after it")

    assert [number for number, _ in told(show(client, flag="one"))] == [7, 6, 5, 3, 1]


def test_a_release_in_a_form_that_cannot_be_read_says_so(client, superuser):
    make_flag("wanted")
    with scope.login():
        FlagRelease.objects.create(number=2, document='{"format":9,"flags":{}}', reason="of the future")

    assert "has a form that cannot be read here" in text(show(client))
    assert "has a form that cannot be read here" in text(show(client, f"{HISTORY}2/"))
    assert "has a form that cannot be read here" in text(show(client, f"{HISTORY}compare/", first=1, second=2))


def test_a_release_has_a_page_of_its_own(client, superuser):
    change(make_flag("wanted", rollout=25_000), reason="half of them", rollout=50_000)

    page = text(show(client, f"{HISTORY}2/"))

    assert ("half of them" in page, "25 %" in page, "Go back" in page) == (True, True, False)


@pytest.mark.parametrize("number", ["9", "99999999999"])
@pytest.mark.parametrize("page", ["", "revert/"])
def test_a_release_that_is_none_is_not_found(client, superuser, number, page):
    assert client.get(f"{HISTORY}{number}/{page}").status_code == 404


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (1, 3, ["wanted: rollout 1 % → 3 %"]),
        (3, 1, ["wanted: rollout 3 % → 1 %"]),
        (2, 2, []),
        (0, 1, ["wanted: added enabled; rollout 1 %"]),
    ],
)
def test_any_two_releases_are_compared(client, superuser, first, second, words):
    flag = make_flag("wanted", rollout=1000)
    change(flag, rollout=2000)
    change(flag, rollout=3000)

    response = show(client, f"{HISTORY}compare/", first=first, second=second)

    assert [str(one) for one in response.context["compared"].changes] == words


@pytest.mark.parametrize("second", ["9", "-1", "moon", "99999999999"])
def test_only_releases_that_are_there_are_compared(client, superuser, second):
    make_flag("wanted")

    response = show(client, f"{HISTORY}compare/", first=1, second=second)

    assert (list(response.context["form"].errors), "compared" in response.context) == (["second"], False)


def post(client, number: int, *, newest: int, reason="go back", flag=""):
    query = f"?flag={flag}" if flag else ""
    return client.post(f"{HISTORY}{number}/revert/{query}", {"newest": newest, "reason": reason}, follow=True)


def rollouts() -> dict[str, int]:
    return dict(Flag.objects.values_list("key", "rollout"))


def events() -> list[tuple[str, str]]:
    with scope.login():
        return list(AuditEvent.objects.filter(kind="event").order_by("occurred_at").values_list("action", "reason"))


@pytest.fixture
def two():
    """Two flags that were 10 % each in release 2, and are 50 % now, in release 4."""
    flags = [make_flag(key, rollout=10_000) for key in ("one", "other")]
    for flag in flags:
        change(flag, rollout=50_000)
    return flags


def test_going_back_first_shows_what_changes_and_for_whom(client, superuser, two):
    make_member(make_organisation("Lumen Cinemas"), email="ada@lumen.example")

    response = show(client, f"{HISTORY}2/revert/")

    assert [str(one) for one in response.context["compared"].changes] == [
        "one: rollout 50 % → 10 %",
        "other: rollout 50 % → 10 %",
    ]
    assert response.context["effects"].total.people == 1
    assert rollouts() == {"one": 50_000, "other": 50_000}


def test_all_flags_go_back_with_a_reason_in_one_release(client, superuser, two):
    response = post(client, 2, newest=4)

    newest = FlagRelease.objects.latest("number")
    assert rollouts() == {"one": 10_000, "other": 10_000}
    assert (newest.number, newest.reverts_to, newest.author, newest.reason) == (5, 2, superuser, "go back")
    assert ("flags.reverted", "go back") in events()
    assert "All flags say again what release 2 said." in text(response)


def test_one_flag_goes_back_alone(client, superuser, two):
    shown = show(client, f"{HISTORY}2/revert/", flag="one")
    response = post(client, 2, newest=4, flag="one")

    assert [str(one) for one in shown.context["compared"].changes] == ["one: rollout 50 % → 10 %"]
    assert rollouts() == {"one": 10_000, "other": 50_000}
    assert FlagRelease.objects.latest("number").reason == "one as in release 2: go back"
    assert [event for event in events() if event[0] == "flag.reverted"] == [
        ("flag.reverted", "one as in release 2: go back")
    ]
    assert "The flag one says again what release 2 said." in text(response)


@pytest.mark.parametrize("flag", ["", "one"])
def test_without_a_reason_nothing_goes_back(client, superuser, two, flag):
    response = post(client, 2, newest=4, reason=" ", flag=flag)

    assert ("This field is required" in text(response), FlagRelease.objects.count()) == (True, 4)


@pytest.mark.parametrize("flag", ["", "one"])
def test_who_was_overtaken_is_told_and_shown_again_with_the_reason_kept(client, superuser, two, flag):
    change(two[0], rollout=70_000)

    response = post(client, 2, newest=4, reason="my reason", flag=flag)

    assert rollouts() == {"one": 70_000, "other": 50_000}
    assert "Release 5 was published since you looked" in text(response)
    assert 'value="my reason"' in text(response)
    assert 'name="newest" value="5"' in text(response)
    assert "one: rollout 70 % → 10 %" in [str(one) for one in response.context["compared"].changes]


def test_what_would_make_no_sense_is_refused_with_its_reason(client, superuser):
    base, top = make_flag("base"), make_flag("top")
    with scope.platform():
        actions.save_flag(top, by=None, reason="needs", needs=[base])
        actions.save_flag(top, by=None, reason="needs none", needs=[])
        base.delete()
        actions.save_flag(top, by=None, reason="again", fields=["name"])

    shown = show(client, f"{HISTORY}3/revert/", flag="top")
    response = post(client, 3, newest=FlagRelease.objects.latest("number").number, flag="top")

    assert "This cannot be: top: its prerequisite base does not exist." in text(shown)
    assert "Nothing was changed: top: its prerequisite base does not exist." in text(response)


def test_a_flag_that_was_not_there_then_cannot_go_back(client, superuser):
    make_flag("early")
    make_flag("late")

    assert "Release 1 has no flag late. To turn it off, archive it." in text(
        show(client, f"{HISTORY}1/revert/", flag="late")
    )


def test_overrides_for_who_is_no_longer_here_are_left_out_and_named(client, superuser):
    flag, person = make_flag("wanted"), make_user("gone@example.com")
    make_override(flag, person=person)
    with scope.login():
        FlagOverride.objects.all().delete()
        person.delete()
    release_flags()

    response = post(client, 2, newest=3)

    assert f"Left out: flag wanted: the override for {person.public_id}, who is not here." in text(response)


def test_flags_that_would_be_deleted_are_named_with_the_way_back(client, superuser):
    for key in ("first", "second", "third"):
        make_flag(key)

    response = show(client, f"{HISTORY}1/revert/")

    assert response.context["deleted"] == ["second", "third"]
    assert "<strong>2 flags of today would be deleted</strong>, since release 1 does not know them:" in text(response)
    assert "return to release 3." in text(response)


def test_where_nothing_would_change_there_is_nothing_to_press(client, superuser):
    make_flag("wanted")

    page = text(show(client, f"{HISTORY}1/revert/"))

    assert ("Nothing would change" in page, 'name="reason"' in page) == (True, False)


def releases_with_overrides(count: int) -> None:
    for _ in range(count):
        number = Flag.objects.count()
        make_override(make_flag(f"flag{number}"), organisation=make_organisation())
        make_override(Flag.objects.get(key=f"flag{number}"), person=make_user())


@pytest.mark.parametrize("address", ["", "?flag=flag0", "1/", "compare/?first=0&second=2", "1/revert/"])
def test_pages_ask_the_same_number_of_queries_whatever_there_is(client, superuser, address):
    counts = []
    for more in (1, 3):
        releases_with_overrides(more)
        client.get(f"{HISTORY}{address}")
        with CaptureQueriesContext(connection) as queries:
            client.get(f"{HISTORY}{address}")
        counts.append(len(queries))

    assert counts[0] == counts[1]


@pytest.fixture
def looker(client):
    user = make_looker()
    client.force_login(user)
    return user


def test_who_may_only_look_sees_the_history_and_goes_nowhere_back(client, looker, two):
    assert (
        len(told(show(client))),
        "/revert/" in text(show(client)),
        "/revert/" in text(show(client, f"{HISTORY}2/")),
    ) == (
        4,
        False,
        False,
    )
    assert client.get(f"{HISTORY}2/revert/").status_code == 403
    assert post(client, 2, newest=4).status_code == 403
    assert rollouts() == {"one": 50_000, "other": 50_000}


ADDRESSES = [HISTORY, f"{HISTORY}1/", f"{HISTORY}compare/", f"{HISTORY}1/revert/"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_staff_without_permission_are_refused(client, address):
    make_flag("wanted")
    client.force_login(make_user(is_staff=True))

    assert client.get(address).status_code == 403


@pytest.mark.parametrize("address", ADDRESSES)
def test_who_is_no_staff_is_refused(client, address):
    make_flag("wanted")
    client.force_login(make_member(make_organisation(), "admin"))

    assert client.get(address, follow=True).status_code == 403


def test_a_release_is_asked_about_at_its_own_moment(client, superuser):
    make_flag("wanted")
    with scope.login():
        FlagRelease.objects.update(created_at=timezone.now() - timedelta(days=2))

    assert "/admin/flags/flag/why/?at=" in text(show(client, f"{HISTORY}1/"))
