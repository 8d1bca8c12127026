"""The page of one flag: its ladder with what is set on each rung, its rows, and errors at the field that is wrong."""

from datetime import UTC, datetime

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from modules.flags import actions
from modules.flags.models import Flag, FlagVariant, RampStep
from tenants import scope
from tests.factories import (
    make_flag,
    make_member,
    make_module,
    make_organisation,
    make_override,
    make_superuser,
    make_user,
)
from tests.modules.flags.publishing import FORM, newest, page_of, publish, rows

pytestmark = pytest.mark.django_db
ADD = "/admin/flags/flag/add/"
BLUE = {"name": "blue", "value": "#00f", "weight": "3"}
GREEN = {"name": "green", "value": "#0f0", "weight": "1"}


@pytest.fixture(autouse=True)
def superuser(client):
    client.force_login(make_superuser(email="super@example.com"))


def address(flag: Flag) -> str:
    return f"/admin/flags/flag/{flag.pk}/change/"


def form_of(flag: Flag, **changes) -> dict:
    same = {"name": flag.name, "percentage": "100", "bucket_by": "organisation", "is_enabled": "on", "reason": "why"}
    return {**same, "value_type": flag.value_type, "off_value": "off", "opened": newest(), **changes}


def saved(**fields) -> Flag:
    flag = make_flag("wanted")
    with scope.platform():
        variants = fields.pop("variants", None)
        ramp = fields.pop("ramp", None)
        for name, value in fields.items():
            setattr(flag, name, value)
        return actions.save_flag(flag, by=None, reason="a test", variants=variants, ramp=ramp)


def with_variants() -> Flag:
    variants = [FlagVariant(name="blue", value="#00f", weight=3), FlagVariant(name="green", value="#0f0", weight=1)]
    return saved(value_type="string", off_value="#000", variants=variants)


def test_the_rungs_stand_in_the_order_of_the_ladder_with_what_is_set_there(client):
    flag = make_flag("wanted", module_key="prices", rollout=12_500, blocked_sectors=["59"])

    page = page_of(client.get(address(flag)))

    titles = [part.split("<")[0] for part in page.split('<span class="rung-title">')[1:]]
    assert titles == [
        "What it is",
        "Forced by the operator",
        "Killed or archived",
        "Window",
        "Prerequisites",
        "Module",
        "Overrides for people",
        "Overrides for organisations, and enabled",
        "Blocked sectors",
        "Allowed sectors",
        "Percentage",
        "On",
    ]
    said = [part.split("<")[0] for part in page.split('<span class="rung-says">')[1:]]
    assert said == [
        *("not forced", "neither", "always", "none", "prices", "no overrides", "enabled, no overrides"),
        *("59", "all", "12.5 % by organisation", "on"),
    ]


def test_after_an_error_the_rungs_say_where_something_was_typed_and_hide_none_of_it(client):
    flag = make_flag("wanted")
    typed = form_of(flag, name="", percentage="25", blocked_sectors="59")

    page = client.post(address(flag), typed).content.decode()

    said = [part.split("<")[0] for part in page.split('<span class="rung-says">')[1:]]
    assert said[7:10] == ["changed below, not published", "all", "changed below, not published"]
    assert page.count('class="rung rung-set" open>') >= 2


def test_the_top_says_for_how_many_it_is_on_as_released(client):
    flag = make_flag("wanted", blocked_sectors=["59"])
    make_member(make_organisation(sector="59140"))
    make_member(make_organisation(sector="55100"))

    page = page_of(client.get(address(flag)))

    assert "<strong>1 of 2 organisations</strong> and <strong>1 of 2 people</strong>" in page


def test_what_the_operator_forces_is_said_at_the_first_rung(client, settings):
    settings.FLAGS_FORCED = {"wanted": False}

    page = page_of(client.get(address(make_flag("wanted"))))

    assert '<span class="rung-says">forced off</span>' in page
    assert "on for <strong>nobody</strong>" in page


def test_every_field_is_saved_in_one_release(client):
    base = make_flag("base")
    make_module("market_edge_core")
    form = {
        **FORM,
        **rows("variants", BLUE, GREEN, {"name": "", "value": "", "weight": "1"}),
        **rows("ramp", {"at_0": "2027-01-02", "at_1": "09:00", "percentage": "50"}),
        "purpose": "Colours",
        "kind": "ops",
        "owner": "charts",
        "review_date": "2027-03-01",
        "value_type": "string",
        "off_value": " grey ",
        "is_visible_to_clients": "on",
        "is_enabled": "on",
        "window_starts_at_0": "2026-12-01",
        "window_starts_at_1": "09:00",
        "needs": [base.pk],
        "module_key": "market_edge_core",
        "blocked_sectors": "59",
        "allowed_sectors": "55100, 93",
    }

    publish(client, ADD, form)

    flag = Flag.objects.get(key="new.flag")
    assert (flag.purpose, flag.kind, flag.owner, str(flag.review_date)) == ("Colours", "ops", "charts", "2027-03-01")
    assert (flag.value_type, flag.off_value, flag.is_visible_to_clients) == ("string", " grey ", True)
    assert (flag.window_starts_at, flag.module_key) == (datetime(2026, 12, 1, 9, tzinfo=UTC), "market_edge_core")
    assert [(one.name, one.value, one.weight) for one in flag.variants.order_by("pk")] == [
        ("blue", "#00f", 3),
        ("green", "#0f0", 1),
    ]
    assert [(one.at.day, one.rollout) for one in flag.ramp_steps.all()] == [(2, 50_000)]
    assert sorted((rule.effect, rule.prefix) for rule in flag.sector_rules.all()) == [
        ("allow", "55100"),
        ("allow", "93"),
        ("block", "59"),
    ]
    assert [needed.key for needed in flag.prerequisites.all()] == ["base"]
    assert newest() == 2


def test_variants_are_shown_with_their_shares_and_can_be_removed_and_added(client):
    flag = with_variants()
    page = page_of(client.get(address(flag)))
    form = form_of(
        flag,
        off_value="#000",
        **rows("variants", {**BLUE, "DELETE": "on"}, GREEN, {"name": "red", "value": "#f00", "weight": "2"}, initial=2),
    )

    publish(client, address(flag), form)

    assert ("<output data-share>75 %</output>" in page, "<output data-share>25 %</output>" in page) == (True, True)
    assert [(one.name, one.weight) for one in flag.variants.order_by("pk")] == [("green", 1), ("red", 2)]


@pytest.mark.parametrize("prefix", ["variants", "ramp"])
def test_more_rows_are_given_without_javascript_and_nothing_typed_is_lost(client, prefix):
    flag = make_flag("wanted")
    form = form_of(flag, percentage="33", **rows("variants", BLUE, GREEN), **rows("ramp"), **{f"_more_{prefix}": "yes"})

    page = page_of(client.post(address(flag), form))

    total = {"variants": 4, "ramp": 2}[prefix]
    assert f'name="{prefix}-TOTAL_FORMS" value="{total}"' in page
    assert ('value="#00f"' in page, 'name="percentage" value="33"' in page, "errornote" in page) == (True, True, False)


def test_a_row_half_filled_is_an_error_at_its_field_and_at_the_top(client):
    flag = make_flag("wanted")

    page = page_of(client.post(address(flag), form_of(flag, **rows("ramp", {"at_1": "09:00", "percentage": "5"}))))

    assert "Row 1 of the ramp: Enter the date as well: only a time was given." in page
    assert page.count("Enter the date as well: only a time was given.") == 2


@pytest.mark.parametrize(
    ("value_type", "value", "words"),
    [
        ("boolean", "maybe", "Enter “on” or “off”"),
        ("integer", "2.5", "Enter a whole number"),
        ("integer", "9" * 17, "Enter a whole number"),
        ("float", "much", "Enter a number, such as 0.25"),
        ("float", "1e999", "Enter a number, such as 0.25"),
        ("object", "blue", "Enter an object in JSON"),
        ("object", "[1]", "with braces around it"),
        ("object", '{"a": NaN}', "NaN is not a number"),
        ("integer", "", "Enter a whole number"),
    ],
)
def test_a_value_of_another_type_is_an_error_at_its_field(client, value_type, value, words):
    flag = make_flag("wanted")
    good = {"boolean": "on", "integer": "1", "float": "1", "object": "{}"}[value_type]
    of_variant = {**rows("variants", {"name": "one", "value": value, "weight": "1"}), "off_value": good}
    of_off = {**rows("variants", {"name": "one", "value": good, "weight": "1"}), "off_value": value}

    pages = [
        page_of(client.post(address(flag), form_of(flag, value_type=value_type, **wrong)))
        for wrong in (of_variant, of_off)
    ]

    assert [words in page.replace("&#x27;", "'") for page in pages] == [True, True]


@pytest.mark.parametrize(
    ("value_type", "typed", "stored"),
    [
        ("boolean", "Yes", True),
        ("integer", "-5", -5),
        ("float", "2", 2),
        ("float", "2.50", 2.5),
        ("object", '{"limit": [1, null]}', {"limit": [1, None]}),
        ("string", "", ""),
        ("string", '{"not": "json"}', '{"not": "json"}'),
    ],
)
def test_values_are_typed_as_people_write_them(client, value_type, typed, stored):
    flag = make_flag("wanted")
    variants = rows("variants", {"name": "one", "value": typed, "weight": "1"})

    publish(client, address(flag), form_of(flag, value_type=value_type, off_value=typed, **variants))

    flag = Flag.objects.get()
    assert (flag.off_value, flag.variants.get().value) == (stored, stored)
    assert type(flag.off_value) is type(stored)


def test_another_type_asks_for_values_that_fit_and_keeps_what_was_typed(client):
    flag = with_variants()
    form = form_of(flag, value_type="integer", off_value="0", **rows("variants", BLUE, GREEN, initial=2))

    page = page_of(client.post(address(flag), form))

    # At each field, and at the top.
    assert page.count("Enter a whole number, such as 25, or choose another type for the flag.") == 4
    assert 'value="#00f"' in page


def test_a_flag_of_another_type_needs_a_variant(client):
    flag = make_flag("wanted")

    page = page_of(client.post(address(flag), form_of(flag, value_type="string", off_value="grey", **rows("variants"))))

    assert "A flag of this type needs a variant: it has no other value when it is on." in page


@pytest.mark.parametrize(
    ("variants", "words"),
    [
        ((BLUE, BLUE), "Another variant has this name."),
        (({**BLUE, "weight": "0"},), "Give at least one variant a weight above 0."),
        (({**BLUE, "name": "Not a name"},), "Lower-case letters, digits, _ . and -."),
        (({**BLUE, "weight": "-1"},), "greater than or equal to 0"),
    ],
)
def test_variants_that_make_no_sense_are_errors_at_their_rows(client, variants, words):
    flag = make_flag("wanted")
    form = form_of(flag, value_type="string", off_value="grey", **rows("variants", *variants))

    assert words in page_of(client.post(address(flag), form))


def test_two_steps_at_one_time_are_an_error_at_the_second(client):
    flag = make_flag("wanted")
    step = {"at_0": "2027-01-02", "at_1": "09:00", "percentage": "5"}

    page = page_of(client.post(address(flag), form_of(flag, **rows("ramp", step, step))))

    assert "Another step is at this time." in page


def test_a_time_to_the_fraction_of_a_second_stays_when_nobody_touches_it(client):
    at = datetime(2027, 1, 2, 9, 0, 0, 123456, tzinfo=UTC)
    flag = saved(window_starts_at=at, ramp=[RampStep(at=at, rollout=50_000)])
    before = newest()
    form = form_of(
        flag,
        window_starts_at_0="2027-01-02",
        window_starts_at_1="09:00:00",
        **rows("ramp", {"at_0": "2027-01-02", "at_1": "09:00:00", "percentage": "50"}, initial=1),
    )

    publish(client, address(flag), form)

    assert newest() == before


def test_a_module_that_nobody_knows_cannot_be_chosen(client):
    flag = make_flag("wanted")

    assert "Select a valid choice" in page_of(client.post(address(flag), form_of(flag, module_key="pricing")))


@pytest.mark.parametrize("number", ["-1", "x", "9" * 400, ""])
def test_a_wrong_number_of_rows_is_no_fault_of_the_page(client, number):
    flag = make_flag("wanted")
    form = {**form_of(flag), "variants-TOTAL_FORMS": number, "variants-INITIAL_FORMS": "0", "_more_variants": "yes"}

    assert client.post(address(flag), form).status_code == 200


def test_the_page_asks_the_same_number_of_queries_whatever_belongs_to_the_flag(client):
    flag = make_flag("wanted")
    counts: list[int] = []
    for number in (1, 3):
        for _ in range(number):
            make_override(flag, person=make_member(make_organisation()))
            make_override(flag, organisation=make_organisation())
            make_flag(f"other{len(counts)}.{_}")
        client.get(address(flag))
        with CaptureQueriesContext(connection) as queries:
            client.get(address(flag))
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_staff_who_may_look_see_rows_and_no_way_to_change_them(client):
    looker = make_user(is_staff=True)
    with scope.login():
        looker.user_permissions.set(Permission.objects.filter(codename="view_flag"))
    flag = with_variants()
    client.force_login(looker)

    page = page_of(client.get(address(flag)))

    assert "<li>blue = #00f, 75 %</li>" in page
    assert ("Preview…" in page, "Reason for the change" in page, "Add a variant" in page) == (False, False, False)
