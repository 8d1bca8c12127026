"""The preview of an override says of its own target what it gets before, afterwards and later, and why."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from modules.flags.models import Flag, FlagOverride
from tenants.models import Organisation
from tests.factories import (
    make_flag,
    make_member,
    make_organisation,
    make_override,
    make_superuser,
    make_user,
)
from tests.modules.flags.publishing import page_of

pytestmark = pytest.mark.django_db
ADD = "/admin/flags/flagoverride/add/"
END = datetime(2036, 12, 1, tzinfo=UTC)
UNTIL_END = {"expires_at_0": "2036-12-01"}


@pytest.fixture(autouse=True)
def superuser(client):
    client.force_login(make_superuser(email="super@example.com"))


def previewed(client: Any, flag: Flag, **fields: Any) -> dict[str, list[tuple[str, str, str]]]:
    """By target, the answers with when and why."""
    response = client.post(ADD, {"flag": flag.pk, "value": "on", "reason": "demo", **fields})
    page_of(response)
    return told_in(response)


def told_in(response: Any) -> dict[str, list[tuple[str, str, str]]]:
    return {
        target.name: [(answer.when, answer.words, answer.because) for answer in target.answers]
        for target in response.context["targets"].shown
    }


def test_the_answer_of_an_organisation_before_afterwards_and_when_it_has_expired(client):
    flag, harbour = make_flag("wanted", rollout=0), make_organisation(name="Harbour Hotels")

    told = previewed(client, flag, organisation=harbour.pk, **UNTIL_END)

    assert told == {
        "Harbour Hotels": [
            ("Now", "off", "its rollout is 0 %, which is nobody"),
            (
                "Afterwards",
                "on",
                "an override for the organisation turns it on until 01 Dec 2036 00:00 UTC (super@example.com: “demo”)",
            ),
            ("From 01 Dec 2036 00:00 UTC", "off", "its rollout is 0 %, which is nobody"),
        ]
    }


def test_times_are_told_in_the_editors_zone(client):
    flag, harbour = make_flag("wanted", rollout=0), make_organisation(name="Harbour Hotels")

    told = previewed(client, flag, organisation=harbour.pk, expires_at_0="2036-07-01", _zone="Europe/London")

    assert "until 01 Jul 2036 00:00 BST" in told["Harbour Hotels"][1][2]
    assert told["Harbour Hotels"][2][0] == "From 01 Jul 2036 00:00 BST"


def test_the_page_shows_it(client):
    flag, harbour = make_flag("wanted", rollout=0), make_organisation(name="Harbour Hotels")

    page = page_of(client.post(ADD, {"flag": flag.pk, "organisation": harbour.pk, "value": "on", "reason": "demo"}))

    assert "<caption>Harbour Hotels</caption>" in page
    assert '<th scope="row">Now</th> <td data-label="Answer"><span class="flag-state flag-off">off</span></td>' in page
    assert '<th scope="row">Afterwards</th> <td data-label="Answer"><span class="flag-state flag-on">on</span>' in page


def test_where_the_answer_stays_the_same_its_reason_is_told(client):
    flag, harbour = make_flag("wanted", is_killed=True), make_organisation(name="Harbour Hotels")

    told = previewed(client, flag, organisation=harbour.pk, **UNTIL_END)

    killed = "it is killed, which beats every override"
    assert told == {"Harbour Hotels": [("Now", "off", killed), ("Afterwards", "off", killed)]}


def test_an_override_that_starts_later_changes_the_answer_then(client):
    flag, harbour = make_flag("wanted", is_enabled=False), make_organisation(name="Harbour Hotels")

    told = previewed(client, flag, organisation=harbour.pk, starts_at_0="2036-11-01")

    assert [(when, words) for when, words, _ in told["Harbour Hotels"]] == [
        ("Now", "off"),
        ("Afterwards", "off"),
        ("From 01 Nov 2036 00:00 UTC", "on"),
    ]


def test_a_person_is_told_of_in_each_active_organisation(client):
    flag = make_flag("wanted", allowed_sectors=["55"], bucket_by="person")
    ada = make_member(make_organisation(name="Harbour", sector="55100"), email="ada@example.com")
    make_member(make_organisation(name="Lumen", sector="59140"), user=ada)
    make_member(make_organisation(name="Gone", status=Organisation.Status.SUSPENDED), user=ada)

    told = previewed(client, flag, person=ada.pk, value="off")

    assert {name: [words for _, words, _ in answers] for name, answers in told.items()} == {
        "ada@example.com in Harbour": ["on", "off"],
        "ada@example.com in Lumen": ["off", "off"],
    }


def test_of_many_organisations_some_are_shown_and_the_others_counted(client):
    flag, ada = make_flag("wanted"), make_user()
    for _ in range(7):
        make_member(make_organisation(), user=ada)

    page = page_of(client.post(ADD, {"flag": flag.pk, "person": ada.pk, "value": "off", "reason": "demo"}))

    assert (page.count(f"<caption>{ada.email} in "), "And in 2 more organisations." in page) == (5, True)


def test_a_person_without_an_organisation_is_told_of_alone(client):
    told = previewed(client, make_flag("wanted"), person=make_user(email="ada@example.com").pk, value="off")

    assert list(told) == ["ada@example.com in no organisation"]


def test_what_the_operator_forces_holds_in_the_preview_too(client, settings):
    settings.FLAGS_FORCED = {"wanted": False}
    flag, harbour = make_flag("wanted", rollout=0), make_organisation(name="Harbour Hotels")

    told = previewed(client, flag, organisation=harbour.pk)

    assert told["Harbour Hotels"][1] == ("Afterwards", "off", "the operator forces it off, which beats everything")


def test_deleting_an_override_tells_what_its_target_gets_without_it(client):
    override = make_override(
        make_flag("wanted", rollout=0), organisation=make_organisation(name="Harbour Hotels"), expires_at=END
    )

    told = told_in(client.get(f"/admin/flags/flagoverride/{override.pk}/delete/"))

    assert [(when, words) for when, words, _ in told["Harbour Hotels"]] == [("Now", "on"), ("Afterwards", "off")]


def test_the_preview_of_a_flag_tells_of_no_target(client):
    flag = make_flag("wanted")
    form = {"name": "Wanted", "percentage": "50", "bucket_by": "organisation", "is_enabled": "on", "reason": "demo"}

    assert client.post(f"/admin/flags/flag/{flag.pk}/change/", form).context["targets"] is None


def test_an_override_that_has_expired_already_changes_nothing(client):
    yesterday = timezone.now() - timedelta(days=1)
    flag, harbour = make_flag("wanted", rollout=0), make_organisation(name="Harbour Hotels")

    told = previewed(client, flag, organisation=harbour.pk, expires_at_0=f"{yesterday:%Y-%m-%d}")

    assert [words for _, words, _ in told["Harbour Hotels"]] == ["off", "off"]
    assert FlagOverride.objects.count() == 0


def test_as_many_queries_for_a_person_of_one_organisation_as_of_three(client):
    counts = []
    for number in (1, 3):
        flag, ada = make_flag(f"wanted{number}"), make_user()
        for _ in range(number):
            make_member(make_organisation(), user=ada)
        with CaptureQueriesContext(connection) as queries:
            assert len(previewed(client, flag, person=ada.pk)) == number
        counts.append(len(queries))

    assert counts[0] == counts[1]
