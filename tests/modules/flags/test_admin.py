"""Flags in the admin site: clear errors, reasons, confirmations, and every change through its action."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from modules.flags.models import Flag, FlagOverride, FlagPrerequisite
from tenants import scope
from tenants.models import AuditEvent
from tests.factories import make_flag, make_organisation, make_override, make_superuser, make_user

pytestmark = pytest.mark.django_db
FORM = {"key": "new.flag", "name": "New", "percentage": "12.345", "bucket_by": "organisation", "reason": "try it"}


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
    client.post("/admin/flags/flag/add/", {**FORM, "allowed_sectors": "59140, 55"})

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

    client.post(f"/admin/flags/flag/{flag.pk}/change/", {**FORM, "key": "other", "is_enabled": "on"})

    assert (Flag.objects.get().key, Flag.objects.get().rollout) == ("fixed", 12_345)


def test_saving_without_a_change_writes_nothing(client, superuser):
    flag = make_flag("same", name="Same")
    form = {"name": "Same", "percentage": "100", "bucket_by": "organisation", "is_enabled": "on", "reason": "none"}

    client.post(f"/admin/flags/flag/{flag.pk}/change/", form)

    assert events() == []


def test_prerequisites_are_set_and_circles_refused(client, superuser):
    base, top = make_flag("base"), make_flag("top")
    form = {**FORM, "is_enabled": "on"}

    client.post(f"/admin/flags/flag/{top.pk}/change/", {**form, "needs": [base.pk]})
    response = client.post(f"/admin/flags/flag/{base.pk}/change/", {**form, "needs": [top.pk]})

    assert "need each other in a circle" in errors(response)
    assert [str(row) for row in FlagPrerequisite.objects.all()] == ["top needs base"]


def override_form(flag, **changes) -> dict:
    return {"flag": flag.pk, "value": "on", "reason": "demo", **changes}


def test_an_override_is_made_with_its_author(client, superuser):
    flag, organisation = make_flag("wanted"), make_organisation()

    client.post("/admin/flags/flagoverride/add/", override_form(flag, organisation=organisation.pk))

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


def bulk(client, action: str, flag: Flag, **fields):
    return client.post("/admin/flags/flag/", {"action": action, "_selected_action": [flag.pk], **fields})


def test_killing_first_says_what_it_does(client, superuser):
    flag = make_flag("wanted")

    assert "off for every organisation and person" in errors(bulk(client, "kill", flag))
    assert Flag.objects.get().is_killed is False


def test_killed_and_restored_with_a_reason_each(client, superuser):
    flag = make_flag("wanted")

    bulk(client, "kill", flag, confirmed="yes", reason="broken")
    killed = Flag.objects.get().is_killed
    bulk(client, "restore", flag, confirmed="yes", reason="mended")

    assert (killed, Flag.objects.get().is_killed) == (True, False)
    assert events() == [("flag.killed", "broken"), ("flag.restored", "mended")]


def test_a_flag_cannot_be_deleted(client, superuser):
    flag = make_flag("wanted")

    assert client.post(f"/admin/flags/flag/{flag.pk}/delete/", {"post": "yes"}).status_code == 403


def test_staff_without_permission_cannot_see_flags(client):
    client.force_login(make_user(is_staff=True))

    assert client.get("/admin/flags/flag/").status_code == 403


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
