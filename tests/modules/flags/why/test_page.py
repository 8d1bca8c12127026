"""Who may ask for reasons, what it asks the database, and how people get there."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from modules.flags.models import Flag, FlagRelease
from tenants import scope
from tests.factories import (
    make_flag,
    make_member,
    make_module,
    make_organisation,
    make_override,
    make_user,
    release_flags,
)
from tests.modules.flags.why.asking import WHY, ask, remedies, sentence, text

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("what", ["inactive", "suspended"])
def test_what_keeps_people_out_whatever_flags_say_is_said(client, superuser, what):
    organisation = make_organisation("Closed", status="suspended" if what == "suspended" else "active")
    make_member(organisation, email="iris@closed.example", is_active=what != "inactive")
    make_flag("wanted")

    page = text(ask(client, person="iris", flag="wanted"))

    assert ("deactivated: whatever flags say" in page, "suspended: whatever flags say" in page) == (
        what == "inactive",
        what == "suspended",
    )


def test_nothing_is_counted_as_a_use_and_nothing_is_written(client, superuser, ada):
    make_flag("wanted")

    with CaptureQueriesContext(connection) as queries:
        ask(client, person="ada", flag="wanted")

    writing = [query["sql"] for query in queries if query["sql"].split()[0] in {"INSERT", "UPDATE", "DELETE"}]
    assert [sql for sql in writing if "flags_" in sql] == []


@pytest.mark.parametrize("flag", ["", "flag0"])
def test_the_page_asks_the_same_number_of_queries_whatever_there_is(client, superuser, lumen, ada, flag):
    counts = []
    for more in (1, 3):
        for number in range(more):
            one = make_flag(f"flag{number}" if more == 1 else f"flag3.{number}")
            make_override(one, person=make_member(lumen))
        ask(client, person="ada@lumen.example", flag=flag)
        with CaptureQueriesContext(connection) as queries:
            ask(client, person="ada@lumen.example", flag=flag)
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_who_may_only_look_gets_the_answer_and_no_ways_that_are_closed(client, looker, ada):
    make_flag("wanted", is_enabled=False)

    response = ask(client, person="ada", flag="wanted")

    assert sentence(response).endswith("it is not enabled")
    assert {url for _, url, _ in remedies(response)} == {""}


def test_from_a_flag_the_question_has_it_already(client, superuser):
    flag = make_flag("wanted")

    assert client.get(f"/admin/flags/flag/{flag.pk}/why/").url == f"{WHY}?flag=wanted"


ADDRESSES = [WHY, "/admin/flags/flag/1/why/"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_staff_without_permission_are_refused(client, address):
    client.force_login(make_user(is_staff=True))

    assert client.get(address).status_code == 403


@pytest.mark.parametrize("address", ADDRESSES)
def test_who_is_no_staff_is_refused(client, address):
    client.force_login(make_member(make_organisation(), "admin"))

    assert client.get(address, follow=True).status_code == 403


@pytest.mark.parametrize("text", ["\x00", "%", "'", "<b>", "x" * 300, "9" * 30])
def test_whatever_is_typed_is_answered(client, superuser, text):
    for name in ("person", "organisation", "flag", "at"):
        assert client.get(WHY, {name: text}).status_code in (200, 400)


def test_a_flag_is_found_whose_rows_are_gone(client, superuser, ada):
    make_flag("wanted")
    with scope.login():
        FlagRelease.objects.update(created_at=timezone.now() - timedelta(days=2))
        Flag.objects.all().delete()
    release_flags()
    yesterday = (timezone.now() - timedelta(days=1)).isoformat()

    assert sentence(ask(client, person="ada", flag="wanted", at=yesterday)).startswith("wanted was ON")


def test_the_front_page_and_every_header_lead_to_the_question(client, looker):
    front, other = (client.get(address).content.decode() for address in ("/admin/", "/admin/flags/flag/"))

    assert ("Why does somebody not see a feature?" in front, f'href="{WHY}"' in other) == (True, True)


def test_who_may_not_see_flags_is_not_led_to_them(client):
    client.force_login(make_user(is_staff=True))

    assert WHY not in client.get("/admin/").content.decode()


def test_people_and_organisations_lead_to_their_flags(client, superuser, lumen, ada):
    person = client.get(f"/admin/accounts/user/{ada.pk}/change/").content.decode()
    organisation = client.get(f"/admin/tenants/organisation/{lumen.pk}/change/").content.decode()

    assert (f"{WHY}?person={ada.public_id}" in person, f"{WHY}?organisation=lumen" in organisation) == (True, True)


@pytest.mark.parametrize(
    ("model", "permission"), [("tenants/organisation", "view_organisation"), ("accounts/user", "view_user")]
)
def test_their_pages_lead_there_only_those_who_may_see_flags(client, lumen, ada, model, permission):
    user = make_user(is_staff=True)
    with scope.login():
        user.user_permissions.set(Permission.objects.filter(codename=permission))
    client.force_login(user)
    pk = lumen.pk if "organisation" in model else ada.pk

    response = client.get(f"/admin/{model}/{pk}/change/")

    assert (response.status_code, WHY in response.content.decode()) == (200, False)


def module_access(client, ada) -> str:
    query = {"person": ada.email, "organisation": "lumen", "module": "market_edge_core"}
    return client.get("/admin/modules/analyticsmodule/explain-access/", query).content.decode()


def test_a_module_that_its_flag_closes_leads_to_why(client, superuser, ada):
    make_flag("market_edge_v2", module_key="market_edge_core", is_killed=True)
    make_module("market_edge_core", is_core=True)

    assert f"{WHY}?person={ada.public_id}&amp;organisation=lumen&amp;flag=market_edge_v2" in module_access(client, ada)


def test_a_module_that_is_open_or_closed_by_something_else_does_not(client, superuser, ada):
    make_flag("market_edge_v2", module_key="market_edge_core")
    make_module("market_edge_core", is_core=True)
    is_open = module_access(client, ada)
    with scope.login():
        ada.is_active = False
        ada.save()

    assert [f"{WHY}?person=" in page for page in (is_open, module_access(client, ada))] == [False, False]
