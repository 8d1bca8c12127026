"""Two people edit one flag at the same time: what either changed stays; where both changed the same, they are asked."""

import pytest

from accounts.models import User
from modules.flags import actions
from modules.flags.models import Flag, FlagVariant
from tenants import scope
from tests.factories import make_flag, make_superuser, make_user
from tests.modules.flags.publishing import newest, page_of, publish, rows

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def superuser(client):
    client.force_login(make_superuser(email="super@example.com"))


@pytest.fixture
def flag() -> Flag:
    return make_flag("wanted", name="Wanted")


def address(flag: Flag) -> str:
    return f"/admin/flags/flag/{flag.pk}/change/"


def form_of(opened: int, **changes) -> dict:
    same = {"name": "Wanted", "percentage": "100", "bucket_by": "organisation", "is_enabled": "on"}
    return {**same, "reason": "mine", "opened": opened, **changes}


def kim_changes(flag: Flag, **fields) -> None:
    """Somebody else, while our form is open."""
    theirs, lists = Flag.objects.get(pk=flag.pk), {"variants": fields.pop("variants", None)}
    for name, value in fields.items():
        setattr(theirs, name, value)
    with scope.platform():
        kim = User.objects.with_email("kim@example.com").first() or make_user(email="kim@example.com")
        actions.save_flag(theirs, by=kim, reason="theirs", fields=list(fields), **lists)


def test_what_somebody_else_changed_in_other_fields_stays(client, flag):
    opened = newest()
    kim_changes(flag, rollout=5_000, owner="kim", module_key="prices")

    publish(client, address(flag), form_of(opened, name="Renamed", bucket_by="person"))

    flag = Flag.objects.get()
    assert (flag.name, flag.bucket_by, flag.rollout, flag.owner, flag.module_key) == (
        *("Renamed", "person"),
        *(5_000, "kim", "prices"),
    )


def test_both_values_are_shown_where_both_changed_the_same_and_nothing_is_published(client, flag):
    opened = newest()
    kim_changes(flag, rollout=5_000)

    page = page_of(publish(client, address(flag), form_of(opened, percentage="50", owner="us")))

    assert "<legend>Rollout, changed by kim@example.com</legend>" in page
    assert "It was 100 % when the form was opened." in page
    assert ("Theirs: <strong>5 %</strong>" in page, "Mine: <strong>50 %</strong>" in page) == (True, True)
    assert 'name="owner" value="us"' in page
    assert (Flag.objects.get().rollout, newest()) == (5_000, 2)


@pytest.mark.parametrize(("choice", "rollout"), [("theirs", 5_000), ("mine", 50_000)])
def test_the_editor_chooses_what_holds(client, flag, choice, rollout):
    opened = newest()
    kim_changes(flag, rollout=5_000)
    form = form_of(opened, percentage="50", owner="us", **{"choice-rollout": f"{choice}@2"})

    publish(client, address(flag), form)

    assert (Flag.objects.get().rollout, Flag.objects.get().owner) == (rollout, "us")


def test_a_choice_does_not_hold_for_what_came_after_it(client, flag):
    opened = newest()
    kim_changes(flag, rollout=5_000)
    kim_changes(flag, rollout=7_000)

    form = form_of(opened, percentage="50", **{"choice-rollout": "mine@2"})
    page = page_of(publish(client, address(flag), form))

    assert "Theirs: <strong>7 %</strong>" in page
    assert Flag.objects.get().rollout == 7_000


def test_the_same_change_by_both_is_no_conflict(client, flag):
    opened = newest()
    kim_changes(flag, rollout=50_000)

    publish(client, address(flag), form_of(opened, percentage="50", owner="us"))

    assert (Flag.objects.get().rollout, Flag.objects.get().owner) == (50_000, "us")


def test_variants_that_somebody_else_changed_stay_when_the_form_leaves_them_alone(client, flag):
    opened = newest()
    kim_changes(flag, variants=[FlagVariant(name="on", value=True, weight=1)])

    publish(client, address(flag), form_of(opened, owner="us", **rows("variants")))

    assert [variant.name for variant in flag.variants.all()] == ["on"]


def test_variants_that_both_changed_are_asked_about_as_a_whole(client, flag):
    opened = newest()
    kim_changes(flag, variants=[FlagVariant(name="theirs", value=True, weight=1)])
    mine = rows("variants", {"name": "mine", "value": "on", "weight": "1"})

    page = page_of(publish(client, address(flag), form_of(opened, **mine)))
    publish(client, address(flag), form_of(opened, **mine, **{"choice-variants": "mine@2"}))

    assert "Theirs: <strong>theirs = on with weight 1</strong>" in page
    assert [variant.name for variant in flag.variants.all()] == ["mine"]


@pytest.mark.parametrize("opened", ["", "0", "99", "x", "9" * 50])
def test_a_form_that_does_not_say_when_it_was_opened_is_compared_with_now(client, flag, opened):
    publish(client, address(flag), form_of(opened, percentage="50"))

    assert Flag.objects.get().rollout == 50_000
