"""The page of a flag's use: what was asked, when, where, and by which rung it was decided."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from modules.flags.exposure import reading
from modules.flags.exposure.counting import NOT_TOLD_APART
from modules.flags.exposure.periods import PERIODS
from tenants import scope
from tests.factories import make_flag, make_member, make_organisation, make_superuser, make_user
from tests.modules.flags.uses import make_use

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 25, 12, 30, tzinfo=UTC)
THIS_HOUR = AT.replace(minute=0)
DAY = PERIODS["24h"]


def now_hour() -> datetime:
    return timezone.now().replace(minute=0, second=0, microsecond=0)


@pytest.fixture
def superuser(client):
    user = make_superuser(email="super@example.com")
    client.force_login(user)
    return user


def page(client, flag, **asked) -> str:
    response = client.get(f"/admin/flags/flag/{flag.pk}/use/", asked)
    assert response.status_code == 200
    return " ".join(response.content.decode().split())


def use(key: str = "wanted", period: str = "24h") -> reading.Use:
    with scope.platform():
        return reading.use_of(key, PERIODS[period], at=AT)


def test_use_is_told_for_every_step_of_the_period_and_for_no_other_flag():
    make_use("wanted", hour=THIS_HOUR, count=3)
    make_use("wanted", hour=THIS_HOUR - timedelta(hours=23), count=4)
    make_use("wanted", hour=THIS_HOUR - timedelta(hours=24), count=99)
    make_use("other", hour=THIS_HOUR, count=99)

    told = use()

    assert len(told.over_time) == 24
    assert (told.over_time[0], told.over_time[-1]) == (
        (THIS_HOUR - timedelta(hours=23), [4]),
        (THIS_HOUR, [3]),
    )
    assert (told.total, told.on) == (7, 7)


@pytest.mark.parametrize(("period", "steps"), [("7d", 7), ("30d", 30), ("90d", 90)])
def test_longer_periods_are_told_by_day(period, steps):
    make_use("wanted", hour=THIS_HOUR, count=3)
    make_use("wanted", hour=THIS_HOUR - timedelta(hours=3), count=4)
    make_use("wanted", hour=THIS_HOUR - timedelta(days=steps - 1), count=5)

    told = use(period=period)

    assert (len(told.over_time), told.over_time[0][1], told.over_time[-1][1]) == (steps, [5], [7])


def test_days_begin_at_midnight_of_whoever_looks():
    make_use("wanted", hour=datetime(2026, 11, 24, 23, tzinfo=UTC))

    with timezone.override("Europe/Berlin"):
        told = use(period="7d")

    assert told.over_time[-1][1] == [1]


def test_answers_and_rungs_are_told_apart():
    make_use("wanted", hour=THIS_HOUR, count=3, variant="red")
    make_use("wanted", hour=THIS_HOUR, count=2, variant="off", is_on=False, rung=10)
    make_use("wanted", hour=THIS_HOUR, count=1, variant="off", is_on=False, rung=7)

    told = use()

    assert told.answers == [(True, "red"), (False, "off")]
    assert told.by_answer == {(True, "red"): 3, (False, "off"): 3}
    assert told.by_rung == {(11, True): 3, (10, False): 2, (7, False): 1}


def test_organisations_come_with_the_most_use_first_and_those_without_a_name_say_what_they_are():
    lumen = make_organisation("Lumen Cinemas")
    make_use("wanted", hour=THIS_HOUR, organisation=lumen, count=5)
    make_use("wanted", hour=THIS_HOUR, organisation=lumen, count=4, is_on=False, variant="off", rung=7)
    make_use("wanted", hour=THIS_HOUR, count=3)
    make_use("wanted", hour=THIS_HOUR, organisation=UUID(NOT_TOLD_APART), count=2)
    make_use("wanted", hour=THIS_HOUR, organisation=UUID(int=7), count=1)

    with scope.platform():
        told = reading.with_names(reading.organisations_using("wanted", DAY, at=AT))

    assert [(row.name, row.on, row.off) for row in told] == [
        ("Lumen Cinemas", 5, 4),
        ("Outside of organisations", 3, 0),
        ("Organisations that were not told apart", 2, 0),
        ("An organisation that is gone", 1, 0),
    ]


def test_the_page_tells_answers_rungs_and_organisations(client, superuser):
    flag, lumen = make_flag("wanted"), make_organisation("Lumen Cinemas")
    make_use("wanted", hour=now_hour(), organisation=lumen, count=3)
    make_use("wanted", hour=now_hour(), count=1, is_on=False, variant="off", rung=10)

    told = page(client, flag)

    assert "Asked for <strong>4</strong> times in 7 days, on <strong>3</strong> times." in told
    assert '<th scope="row">11 On</th> <td>on</td> <td class="num">3</td> <td class="num">75.0 %</td>' in told
    assert '<th scope="row">10 Inside the percentage</th> <td>off</td>' in told
    assert '<th scope="row">Lumen Cinemas</th> <td class="num">3</td> <td class="num">0</td>' in told


def test_the_picture_is_drawn_from_a_table_that_is_there_for_everybody(client, superuser):
    flag = make_flag("wanted")
    make_use("wanted", hour=now_hour(), count=1234)

    told = page(client, flag, period="24h")

    assert '<figure class="use-chart" data-chart="use" data-table="use-over-time">' in told
    assert '<td class="num" data-value="1234">1,234</td>' in told


def test_a_flag_that_nobody_asked_for_says_what_counts_and_loads_no_picture(client, superuser):
    told = page(client, make_flag("wanted"))

    assert "Nobody asked for it in 7 days" in told
    assert "Counted is each time that code, a template or a client asks for this flag alone;" in told
    assert "chart.umd" not in told


def test_a_flag_that_was_used_before_the_period_says_when(client, superuser):
    make_use("wanted", hour=datetime(2026, 9, 1, 9, tzinfo=UTC))

    told = page(client, make_flag("wanted"), period="24h")

    assert "It was last asked for in the hour from 1 September 2026, 09:00 (UTC): choose a longer period." in told


def test_an_organisation_is_found_by_a_part_of_its_name(client, superuser):
    flag = make_flag("wanted")
    for name in ("Lumen Cinemas", "Harbour Hotels"):
        make_use("wanted", hour=now_hour(), organisation=make_organisation(name))

    told = page(client, flag, organisation="lumen")

    assert ("Lumen Cinemas" in told, "Harbour Hotels" in told) == (True, False)


def test_twenty_organisations_are_on_a_page(client, superuser):
    flag = make_flag("wanted")
    for number in range(21):
        make_use("wanted", hour=now_hour(), organisation=UUID(int=number + 1))

    first, second = page(client, flag), page(client, flag, p="2")

    assert (first.count("An organisation that is gone"), second.count("An organisation that is gone")) == (20, 1)
    assert "Page 1 of 2" in first


@pytest.mark.parametrize("asked", [{"period": "century"}, {"p": "minus"}, {"organisation": "%"}])
def test_what_makes_no_sense_is_the_usual_page(client, superuser, asked):
    flag = make_flag("wanted")
    make_use("wanted", hour=now_hour())

    assert "Asked for <strong>1</strong> time in 7 days" in page(client, flag, **asked)


def test_as_many_queries_whatever_there_is(client, superuser):
    flag, counts = make_flag("wanted"), []
    for more in (1, 3):
        for number in range(more):
            make_use(
                "wanted", hour=now_hour() - timedelta(hours=more), organisation=make_organisation(), rung=number + 6
            )
        page(client, flag)
        with CaptureQueriesContext(connection) as queries:
            page(client, flag)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_the_page_of_the_flag_leads_to_its_use(client, superuser):
    flag = make_flag("wanted")

    told = client.get(f"/admin/flags/flag/{flag.pk}/change/").content.decode()

    assert f"/admin/flags/flag/{flag.pk}/use/" in told


def test_looking_at_flags_is_no_use_of_them(client, superuser, ledger_of_flags):
    flag = make_flag("wanted")

    page(client, flag)
    client.get(f"/admin/flags/flag/{flag.pk}/change/")

    assert ledger_of_flags.taken() == {}


def test_staff_who_may_see_flags_see_their_use(client):
    user = make_user(is_staff=True)
    with scope.login():
        user.user_permissions.set(Permission.objects.filter(codename="view_flag"))
    client.force_login(user)

    assert "Nobody asked for it" in page(client, make_flag("wanted"))


@pytest.mark.parametrize("fields", [{"is_staff": True}, {}])
def test_whoever_may_not_see_flags_sees_no_use(client, fields):
    make_use("wanted", hour=now_hour())
    flag = make_flag("wanted")
    client.force_login(make_user(**fields))

    assert client.get(f"/admin/flags/flag/{flag.pk}/use/").status_code in (302, 403)
    assert client.get(f"/admin/flags/flag/{flag.pk}/use/", follow=True).status_code == 403


def test_an_organisations_admin_sees_no_use(client):
    flag = make_flag("wanted")
    client.force_login(make_member(make_organisation(), "admin"))

    assert client.get(f"/admin/flags/flag/{flag.pk}/use/", follow=True).status_code == 403
