"""Flags in the admin site: clear errors, reasons, confirmations, and every change through its action."""

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from modules.flags import actions
from modules.flags.models import Flag, FlagOverride, FlagPrerequisite
from tenants import scope
from tenants.models import AuditEvent
from tests.factories import make_flag, make_member, make_organisation, make_override, make_superuser, make_user
from tests.modules.flags.publishing import FORM, publish

pytestmark = pytest.mark.django_db


@pytest.fixture
def superuser(client):
    user = make_superuser(email="super@example.com")
    client.force_login(user)
    return user


def events() -> list[tuple[str, str]]:
    with scope.login():
        return list(AuditEvent.objects.filter(kind="event").order_by("occurred_at").values_list("action", "reason"))


def errors(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


def test_a_flag_is_made_with_a_percentage_of_three_decimals(client, superuser):
    publish(client, "/admin/flags/flag/add/", {**FORM, "allowed_sectors": "59140, 55"})

    flag = Flag.objects.get()
    assert (flag.rollout, flag.salt, flag.allowed_sectors) == (12_345, "new.flag", ["59140", "55"])
    assert events() == [("flag.created", "try it")]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": ""}, "This field is required"),
        ({"key": "Not a key"}, "Lower-case letters"),
        ({"key": "taken"}, "already exists"),
        ({"percentage": "100.001"}, "less than or equal to 100"),
        ({"percentage": "0.0001"}, "no more than 3 decimal places"),
        ({"percentage": "many"}, "Enter a number"),
        ({"blocked_sectors": "cinema"}, "UK SIC 2007"),
        ({"allowed_sectors": "\u0665\u0669"}, "UK SIC 2007"),
        ({"bucket_by": "moon"}, "Select a valid choice"),
        ({"name": "x" * 121}, "at most 120 characters"),
        ({"purpose": "a\x00b"}, "Null characters are not allowed"),
    ],
)
def test_bad_input_is_a_clear_error_and_saves_nothing(client, superuser, changes, words):
    make_flag("taken")

    response = client.post("/admin/flags/flag/add/", {**FORM, **changes})

    assert words in errors(response)
    assert Flag.objects.count() == 1


def test_the_key_cannot_be_changed(client, superuser):
    flag = make_flag("fixed")

    publish(client, f"/admin/flags/flag/{flag.pk}/change/", {**FORM, "key": "other", "is_enabled": "on"})

    assert (Flag.objects.get().key, Flag.objects.get().rollout) == ("fixed", 12_345)


def test_saving_without_a_change_writes_nothing(client, superuser):
    flag = make_flag("same", name="Same")
    form = {"name": "Same", "percentage": "100", "bucket_by": "organisation", "is_enabled": "on", "reason": "none"}

    publish(client, f"/admin/flags/flag/{flag.pk}/change/", form)

    assert events() == []


def test_prerequisites_are_set_and_circles_refused(client, superuser):
    base, top = make_flag("base"), make_flag("top")
    form = {**FORM, "is_enabled": "on"}

    publish(client, f"/admin/flags/flag/{top.pk}/change/", {**form, "needs": [base.pk]})
    response = publish(client, f"/admin/flags/flag/{base.pk}/change/", {**form, "needs": [top.pk]})

    assert "need each other in a circle" in errors(response)
    assert [str(row) for row in FlagPrerequisite.objects.all()] == ["top needs base"]


def override_form(flag, **changes) -> dict:
    return {"flag": flag.pk, "value": "on", "reason": "demo", **changes}


def test_an_override_is_made_with_its_author(client, superuser):
    flag, organisation = make_flag("wanted"), make_organisation()

    publish(client, "/admin/flags/flagoverride/add/", override_form(flag, organisation=organisation.pk))

    assert FlagOverride.objects.get().author == superuser
    assert events() == [("flag.override_saved", "demo")]


@pytest.mark.parametrize("both", [True, False])
def test_an_override_has_exactly_one_target(client, superuser, both):
    flag = make_flag("wanted")
    targets = {"organisation": make_organisation().pk, "person": make_user().pk} if both else {}

    response = client.post("/admin/flags/flagoverride/add/", override_form(flag, **targets))

    assert "Choose an organisation or a person" in errors(response)


def test_a_second_override_for_a_target_is_a_clear_error(client, superuser):
    flag, organisation = make_flag("wanted"), make_organisation()
    make_override(flag, organisation=organisation)

    response = client.post("/admin/flags/flagoverride/add/", override_form(flag, organisation=organisation.pk))

    assert "already has an override" in errors(response)


@pytest.fixture
def somebody_is_faster(monkeypatch):
    """Saves the same row between the form's look and our save."""

    def install(action: str, make) -> None:
        ours = getattr(actions, action)
        monkeypatch.setattr(actions, action, lambda row, **options: make(row) and ours(row, **options))

    return install


def test_a_key_that_was_taken_meanwhile_is_a_clear_error(client, superuser, somebody_is_faster):
    somebody_is_faster("save_flag", lambda flag: make_flag(flag.key, name="theirs"))

    page = errors(publish(client, "/admin/flags/flag/add/", FORM))

    assert "Not saved: somebody saved the same" in page
    assert events() == []


def test_a_target_that_was_taken_meanwhile_is_a_clear_error(client, superuser, somebody_is_faster):
    flag, organisation = make_flag("wanted"), make_organisation()
    somebody_is_faster("save_override", lambda row: make_override(row.flag, organisation=row.organisation))
    form = override_form(flag, organisation=organisation.pk)

    page = errors(publish(client, "/admin/flags/flagoverride/add/", form))

    assert "Not saved: somebody saved the same" in page
    assert events() == []


def bulk(client, action: str, flag: Flag, **fields):
    return client.post("/admin/flags/flag/", {"action": action, "_selected_action": [flag.pk], **fields})


def test_killing_first_says_what_it_does(client, superuser):
    flag = make_flag("wanted")

    make_override(flag, organisation=make_organisation())
    make_organisation()

    page = errors(bulk(client, "kill", flag))

    assert "is off for everybody in all organisations (2), past its overrides (1)" in page
    assert Flag.objects.get().is_killed is False


@pytest.mark.parametrize("action", ["kill", "restore", "archive"])
def test_no_switch_is_thrown_without_a_reason(client, superuser, action):
    flag = make_flag("wanted")

    assert "Say why" in errors(bulk(client, action, flag, confirmed="yes", reason=" "))
    assert events() == []


@pytest.mark.parametrize(("action", "event"), [("kill", "flag.killed"), ("archive", "flag.archived")])
def test_switched_off_and_restored_with_a_reason_each(client, superuser, action, event):
    flag = make_flag("wanted")

    bulk(client, action, flag, confirmed="yes", reason="broken")
    off = Flag.objects.get()
    bulk(client, "restore", flag, confirmed="yes", reason="mended")
    on = Flag.objects.get()

    assert (off.is_killed or off.is_archived, on.is_killed or on.is_archived) == (True, False)
    assert events() == [(event, "broken"), ("flag.restored", "mended")]


@pytest.mark.parametrize("switch", ["is_killed", "is_archived"])
def test_a_form_that_was_left_open_does_not_undo_a_switch(client, superuser, switch):
    flag = make_flag("wanted", **{switch: True})

    publish(client, f"/admin/flags/flag/{flag.pk}/change/", {**FORM, "is_enabled": "on"})

    assert (getattr(Flag.objects.get(), switch), Flag.objects.get().rollout) == (True, 12_345)


def test_a_flag_cannot_be_deleted(client, superuser):
    flag = make_flag("wanted")

    assert client.post(f"/admin/flags/flag/{flag.pk}/delete/", {"post": "yes"}).status_code == 403


def test_staff_without_permission_cannot_see_flags(client):
    client.force_login(make_user(is_staff=True))

    assert client.get("/admin/flags/flag/").status_code == 403


@pytest.fixture
def looker(client):
    """Staff who may look at flags and not change them."""
    user = make_user(is_staff=True)
    with scope.login():
        user.user_permissions.set(Permission.objects.filter(codename__in=["view_flag", "view_flagoverride"]))
    client.force_login(user)
    return user


def test_staff_who_may_look_read_the_whole_ladder(client, looker):
    flag = make_flag("wanted", rollout=12_345)
    with scope.login():
        FlagPrerequisite.objects.create(flag=flag, needs=make_flag("the.base"))

    page = client.get(f"/admin/flags/flag/{flag.pk}/change/").content.decode()

    assert ("12.345 %" in page, "the.base" in page) == (True, True)


def test_staff_who_may_look_change_nothing(client, looker):
    flag = make_flag("wanted")

    bulk(client, "kill", flag, confirmed="yes", reason="no")
    refused = [
        client.post(f"/admin/flags/flag/{flag.pk}/change/", FORM).status_code,
        client.post("/admin/flags/flag/add/", FORM).status_code,
        client.post("/admin/flags/flagoverride/add/", override_form(flag, person=looker.pk)).status_code,
    ]

    assert refused == [403, 403, 403]
    assert (Flag.objects.get().is_killed, Flag.objects.get().rollout, events()) == (False, 100_000, [])


PAGES = ["/admin/flags/flag/", "/admin/flags/flag/add/", "/admin/flags/flagoverride/", "/admin/flags/flagoverride/add/"]


@pytest.mark.parametrize("page", PAGES)
def test_an_organisations_admin_sees_no_flags(client, page):
    client.force_login(make_member(make_organisation(), "admin"))

    assert client.get(page, follow=True).status_code == 403


@pytest.mark.parametrize("page", PAGES)
def test_whoever_is_not_signed_in_is_led_to_sign_in(client, page):
    assert client.get(page).url == f"/sign-in/?next={page}"


@pytest.mark.parametrize("model", ["flag", "flagoverride"])
def test_lists_ask_the_same_number_of_queries_whatever_their_length(client, superuser, model):
    counts = []
    for more in (1, 3):
        for number in range(more):
            make_override(make_flag(f"flag{more}.{number}"), organisation=make_organisation())
        client.get(f"/admin/flags/{model}/")
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/admin/flags/{model}/")
        counts.append(len(queries))

    assert counts[0] == counts[1]
