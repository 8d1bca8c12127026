"""Overrides in the admin site: for one target each, with a reason, on the flag's page, and never deleted in silence."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone
from django.utils.html import strip_tags

from modules.flags import actions
from modules.flags.models import Flag, FlagOverride, FlagVariant
from tenants import scope
from tenants.models import AuditEvent
from tests.factories import make_flag, make_member, make_organisation, make_override, make_superuser, make_user
from tests.modules.flags.publishing import newest, page_of, publish

pytestmark = pytest.mark.django_db
ADD = "/admin/flags/flagoverride/add/"


@pytest.fixture(autouse=True)
def superuser(client):
    user = make_superuser(email="super@example.com")
    client.force_login(user)
    return user


def address(override: FlagOverride, page: str = "change") -> str:
    return f"/admin/flags/flagoverride/{override.pk}/{page}/"


def events() -> list[tuple[str, str]]:
    with scope.login():
        return list(AuditEvent.objects.filter(kind="event").order_by("occurred_at").values_list("action", "reason"))


def with_variants(key: str = "wanted") -> Flag:
    flag = make_flag(key)
    flag.value_type, flag.off_value = "string", "grey"
    variants = [FlagVariant(name="blue", value="#00f", weight=1), FlagVariant(name="green", value="#0f0", weight=1)]
    with scope.platform():
        return actions.save_flag(flag, by=None, reason="a test", variants=variants)


def test_the_way_from_a_flag_chooses_it_and_offers_its_variants(client):
    flag = with_variants()

    page = page_of(client.get(f"{ADD}?flag={flag.pk}"))

    assert f'<option value="{flag.pk}" selected>wanted</option>' in page
    assert '<option value="green">green</option>' in page


def test_an_override_chooses_a_variant_from_when_to_when_and_leads_back_to_its_flag(client, superuser):
    flag, organisation = with_variants(), make_organisation()
    form = {
        "flag": flag.pk,
        "organisation": organisation.pk,
        "value": "on",
        "variant": "green",
        "reason": "demo",
        "starts_at_0": "2026-12-01",
        "starts_at_1": "09:00",
        "expires_at_0": "2026-12-02",
        "expires_at_1": "09:00",
    }

    answer = publish(client, ADD, form)

    override = FlagOverride.objects.get()
    assert override.starts_at
    assert override.expires_at
    assert (override.variant, override.author, override.starts_at.day) == ("green", superuser, 1)
    assert (override.expires_at.day, answer.url) == (2, f"/admin/flags/flag/{flag.pk}/change/")
    assert events()[-1] == ("flag.override_saved", "demo")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"variant": "red"}, "Select a valid choice"),
        ({"variant": "blue", "value": "off"}, "Choose a variant only where the flag is on."),
        ({"reason": ""}, "This field is required."),
        ({"starts_at_0": "2026-12-02", "starts_at_1": "09:00", "expires_at_0": "2026-12-01", "expires_at_1": "09:00"},
         "The override must expire after it starts."),
        ({"flag": "x"}, "Select a valid choice"),
        ({"value": ""}, "Choose whether it is on or off for them."),
        ({"value": "maybe"}, "Select a valid choice"),
        ({"expires_at_1": "09:00"}, "Enter the date as well: only a time was given."),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_a_clear_error_and_saves_nothing(client, changes, words):
    flag, organisation = with_variants(), make_organisation()
    form = {"flag": flag.pk, "organisation": organisation.pk, "value": "on", "reason": "demo", **changes}

    page = page_of(publish(client, ADD, form))

    assert words in page
    assert FlagOverride.objects.count() == 0


def chosen_of(response: Any) -> list[str]:
    """Which of the two answers is chosen, of a page that offers both."""
    buttons = re.findall(r'<input type="radio" name="value" value="(\w+)"([^>]*)>', page_of(response))
    assert [value for value, _ in buttons] == ["on", "off"]
    return [value for value, attributes in buttons if " checked" in attributes]


@pytest.mark.parametrize(
    ("query", "answers"),
    [("", []), ("?value=on", ["on"]), ("?value=off", ["off"]), ("?value=True", []), ("?value=", [])],
)
def test_neither_answer_is_chosen_but_by_the_address(client, query, answers):
    assert chosen_of(client.get(f"{ADD}{query}")) == answers


@pytest.mark.parametrize(("value", "answers"), [(True, ["on"]), (False, ["off"])])
def test_the_page_of_an_override_has_its_answer_chosen(client, value, answers):
    override = make_override(make_flag("wanted"), organisation=make_organisation(), value=value)

    assert chosen_of(client.get(address(override))) == answers


def test_a_form_without_an_answer_asks_for_it_and_loses_nothing(client):
    flag, organisation = with_variants(), make_organisation(name="Lumen")
    form = {
        "flag": flag.pk,
        "organisation": organisation.pk,
        "variant": "green",
        "reason": "a demo for them",
        "expires_at_0": "2026-12-02",
    }

    answer = client.post(ADD, form)
    page = page_of(answer)

    assert "Choose whether it is on or off for them." in page
    assert chosen_of(answer) == []
    assert [words for words in ("Lumen", 'green" selected', "a demo for them", "2026-12-02") if words not in page] == []


def test_off_is_chosen_and_stays_so_on_the_way_over_the_preview(client):
    flag, organisation = make_flag("wanted"), make_organisation()
    form = {"flag": flag.pk, "organisation": organisation.pk, "value": "off", "reason": "not for them"}

    carried = client.post(ADD, form).context["carried"]
    publish(client, ADD, {**dict(carried), "reason": "not for them"})

    assert FlagOverride.objects.get().value is False


def test_an_answer_that_stays_is_no_change(client):
    override = make_override(make_flag("wanted"), organisation=make_organisation(), value=False)

    answer = publish(client, address(override), {"value": "off", "reason": "a test", "opened": newest()})

    assert "Nothing was changed, so nothing was published." in page_of(client.get(answer.url))
    assert events() == []


def test_a_date_alone_lets_it_expire_as_that_day_begins(client):
    flag, organisation = make_flag("wanted"), make_organisation()
    form = {
        "flag": flag.pk,
        "organisation": organisation.pk,
        "value": "on",
        "reason": "demo",
        "expires_at_0": "02/12/2036",
    }

    publish(client, ADD, form)

    assert FlagOverride.objects.get().expires_at == datetime(2036, 12, 2, tzinfo=UTC)


def test_the_form_says_what_it_asks_for(client):
    page = page_of(client.get(ADD))

    assert "exactly one of the two: an organisation, for everybody there, or a person" in page
    assert "From then on; empty: at once. A date such as 31/12/2026" in page
    assert "Until just before then; empty: for good. A date such as 31/12/2026" in page
    assert "Only for flags with variants." in page


def test_nothing_is_asked_about_variants_of_a_flag_that_has_none(client):
    flag = make_flag("wanted")
    override = make_override(flag, organisation=make_organisation())

    pages = [page_of(client.get(path)) for path in (f"{ADD}?flag={flag.pk}", address(override))]

    assert ['<input type="hidden" name="variant" id="id_variant">' in page for page in pages] == [True, True]


def test_the_variant_of_a_flag_chosen_before_can_be_taken_back(client):
    with_variants()
    form = {"flag": make_flag("plain").pk, "value": "on", "variant": "green", "reason": "demo"}

    page = page_of(client.post(ADD, form))

    assert "Select a valid choice. green is not one of the available choices." in page
    assert '<select name="variant"' in page


def test_the_list_tells_of_each_override_what_it_answers_and_until_when(client, superuser):
    start = datetime(2026, 1, 5, 9, tzinfo=UTC)
    end = timezone.now().replace(year=2036, month=12, day=1, hour=9, minute=30)
    make_override(with_variants("a"), organisation=make_organisation(name="Lumen"), variant="green", author=superuser)
    ada = make_user(email="ada@example.com")
    make_override(
        make_flag("b"), person=ada, value=False, starts_at=start, expires_at=end, reason="They asked for it. " * 9
    )

    page = page_of(client.get("/admin/flags/flagoverride/"))
    first, second = [
        " ".join(strip_tags(row.replace("<", " <")).split()) for row in page.split("<tbody>")[1].split("</tr>")[:2]
    ]

    assert first == "a Lumen on: green current at once for good a test super@example.com"
    assert second == (
        "b ada@example.com off current 05 Jan 2026 09:00 UTC 01 Dec 2036 09:30 UTC"
        " They asked for it. They asked for it. They asked for it. Th… the system"
    )


@pytest.mark.parametrize(("answer", "keys"), [("on", ["a"]), ("off", ["b"]), ("maybe", ["a", "b"]), ("", ["a", "b"])])
def test_the_list_is_narrowed_to_one_answer(client, answer, keys):
    make_override(make_flag("a"), organisation=make_organisation())
    make_override(make_flag("b"), organisation=make_organisation(), value=False)

    shown = client.get(f"/admin/flags/flagoverride/?answer={answer}").context["cl"].result_list

    assert [row.flag.key for row in shown] == keys


def test_the_flags_page_tells_of_each_override_whether_it_is_current(client, superuser):
    flag, now = make_flag("wanted"), timezone.now()
    make_override(flag, organisation=make_organisation(name="Lumen"), author=superuser, reason="a demo for them")
    make_override(flag, organisation=make_organisation(name="Harbour"), expires_at=now - timedelta(days=1))
    make_override(flag, person=make_user(email="ada@example.com"), value=False, starts_at=now + timedelta(days=1))

    page = page_of(client.get(f"/admin/flags/flag/{flag.pk}/change/"))

    rows = [part.split("</tr>")[0] for part in page.split('<th scope="row"><a href="/admin/flags/flagoverride/')[1:]]
    assert len(rows) == 3
    assert all(words in rows[0] for words in ("ada@example.com", "<td>off</td>", "<td>not started</td>"))
    assert all(words in rows[1] for words in ("Harbour", "<td>on</td>", "<td>expired</td>"))
    assert all(
        words in rows[2] for words in ("Lumen", "<td>current</td>", "super@example.com", "a demo for them", "no end")
    )


def test_what_somebody_else_changed_meanwhile_is_said_before_it_is_replaced(client):
    override = make_override(make_flag("wanted"), organisation=make_organisation())
    form = {"value": "on", "reason": "mine", "opened": newest()}
    theirs = FlagOverride.objects.select_related("flag", "organisation").get()
    theirs.value, theirs.reason = False, "an incident"
    with scope.platform():
        actions.save_override(theirs, by=make_user(email="kim@example.com"))

    page = page_of(publish(client, address(override), form))
    publish(client, address(override), {**form, "opened": newest()})

    assert "Somebody else changed it meanwhile: it is off now, by kim@example.com: “an incident”." in page
    assert f'name="opened" value="{newest() - 1}"' in page
    assert (FlagOverride.objects.get().value, FlagOverride.objects.get().reason) == (True, "mine")


def test_deleting_first_says_for_whom_the_answer_changes(client):
    override = make_override(make_flag("wanted"), person=make_member(make_organisation()), value=False)

    page = page_of(client.get(address(override, "delete")))

    assert "0 of 1 organisation and 1 of 1 person" in page
    assert (FlagOverride.objects.count(), events()) == (1, [])


def test_going_back_from_the_preview_shows_what_was_typed(client):
    flag, organisation = with_variants(), make_organisation(name="Lumen")
    form = {"flag": flag.pk, "organisation": organisation.pk, "value": "on", "variant": "green", "_edit": "yes"}

    page = page_of(client.post(ADD, form))

    assert '<option value="green" selected>green</option>' in page
    assert ("Lumen" in page, "errornote" in page) == (True, False)


@pytest.mark.parametrize("reason", ["", "  ", "x" * 501, "\x00"])
def test_nothing_is_deleted_without_a_reason(client, reason):
    override = make_override(make_flag("wanted"), organisation=make_organisation())

    page = page_of(client.post(address(override, "delete"), {"reason": reason, "post": "yes"}))

    assert "Say why, in at most 500 characters" in page
    assert FlagOverride.objects.count() == 1


def test_deleting_keeps_the_reason(client):
    override = make_override(make_flag("wanted"), organisation=make_organisation())

    answer = client.post(address(override, "delete"), {"reason": "the demo is over"})

    assert answer.url == f"/admin/flags/flag/{override.flag_id}/change/"
    assert (FlagOverride.objects.count(), events()) == (0, [("flag.override_deleted", "the demo is over")])


def test_overrides_are_not_deleted_from_the_list(client):
    override = make_override(make_flag("wanted"), organisation=make_organisation())
    form = {"action": "delete_selected", "_selected_action": [override.pk], "post": "yes"}

    client.post("/admin/flags/flagoverride/", form)

    assert FlagOverride.objects.count() == 1


def test_staff_who_may_look_neither_change_nor_delete(client):
    override = make_override(make_flag("wanted"), organisation=make_organisation())
    looker = make_user(is_staff=True)
    with scope.login():
        looker.user_permissions.set(Permission.objects.filter(codename__in=["view_flag", "view_flagoverride"]))
    client.force_login(looker)

    refused = [
        client.post(address(override, "delete"), {"reason": "no"}).status_code,
        client.get(address(override, "delete")).status_code,
        publish(client, address(override), {"value": "", "reason": "no"}).status_code,
    ]

    assert refused == [403, 403, 403]
    assert '<span class="flag-state flag-on">on</span>' in page_of(client.get(address(override)))
    assert FlagOverride.objects.get().value is True


@pytest.mark.parametrize("page", ["change", "delete"])
def test_an_override_that_is_gone_leads_away_with_words(client, page):
    answer = client.get(f"/admin/flags/flagoverride/999999/{page}/", follow=True)

    assert "Perhaps it was deleted" in page_of(answer)
