"""Where people land, and where they choose."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests.factories import make_member, make_organisation, make_superuser, make_user

pytestmark = pytest.mark.django_db


def names_on(response) -> list[str]:
    return [choice.name for choice in response.context["organisations"]]


def test_a_member_of_one_organisation_lands_in_it(client):
    client.force_login(make_member(make_organisation("Lumen")))

    assert client.get("/").url == "/o/lumen/"


def test_a_member_of_two_chooses(client):
    user = make_member(make_organisation("Zoo"))
    make_member(make_organisation("Abbey"), user=user)
    make_organisation("Neighbour")
    client.force_login(user)

    assert client.get("/").url == "/organisations/"
    assert names_on(client.get("/organisations/")) == ["Abbey", "Zoo"]


def test_the_last_organisation_is_remembered(client):
    user = make_member(make_organisation("Zoo"))
    make_member(make_organisation("Abbey"), user=user)
    client.force_login(user)
    client.get("/o/zoo/")

    assert client.get("/").url == "/o/zoo/"


def test_a_person_of_no_organisation_reads_whom_to_ask(client, settings):
    client.force_login(make_user())

    response = client.get("/")

    assert (response.status_code, settings.CONTACT in response.content.decode()) == (403, True)


def test_a_superuser_chooses_among_all(client):
    make_organisation("Lumen")
    make_organisation("Abbey")
    client.force_login(make_superuser())

    assert names_on(client.get("/organisations/")) == ["Abbey", "Lumen"]


@pytest.mark.parametrize(("text", "names"), [("lum", ["Lumen"]), ("%", []), ("x" * 5000, []), ("'; --", [])])
def test_the_choice_can_be_searched(client, text, names):
    make_organisation("Lumen")
    make_organisation("Abbey")
    client.force_login(make_superuser())

    assert names_on(client.get("/organisations/", {"q": text})) == names


@pytest.mark.parametrize("page", ["0", "-1", "99999999999999999999999", "x", "\x00", ""])
def test_any_page_number_is_answered(client, page):
    client.force_login(make_superuser())

    assert client.get("/organisations/", {"page": page}).status_code == 200


def test_the_choice_asks_the_same_number_of_queries_for_200_organisations(client):
    client.force_login(make_superuser())
    counts = []
    for more in (1, 199):
        for _ in range(more):
            make_organisation()
        client.get("/organisations/")
        with CaptureQueriesContext(connection) as queries:
            client.get("/organisations/")
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_a_superuser_entering_an_organisation_is_written_down_once_in_a_session(client):
    from tenants import scope
    from tenants.models import AuditEvent

    organisation, superuser = make_organisation("Lumen"), make_superuser()
    client.force_login(superuser)

    client.get("/o/lumen/")
    client.get("/o/lumen/")

    with scope.login():
        [event] = AuditEvent.objects.filter(action="organisation.entered_as_superuser")
    assert (event.actor, event.organisation) == (superuser, organisation)
