"""Whom and which flag the page of reasons finds, however they are named."""

from urllib.parse import parse_qsl

import pytest

from tests.factories import (
    make_flag,
    make_member,
    make_organisation,
    make_user,
)
from tests.modules.flags.why.asking import WHY, ask, sentence, text

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("person", "organisation", "flag"),
    [
        ("ada@lumen.example", "lumen", "new.charts"),
        ("ADA@lumen.example", "", "new.charts"),
        ("ada", "Lumen Cinemas", "charts"),
        ("Byron", "cinema", "New charts"),
    ],
)
def test_everything_is_found_by_what_people_know_of_it(client, superuser, ada, person, organisation, flag):
    make_flag("new.charts", name="New charts", rollout=0)

    response = ask(client, person=person, organisation=organisation, flag=flag)

    assert sentence(response) == (
        "new.charts is OFF for ada@lumen.example at Lumen Cinemas: its rollout is 0 %, which is nobody"
    )


def test_a_flag_is_found_by_words_of_its_name_that_do_not_stand_together(client, superuser, ada):
    make_flag("sector_specific_insights", name="Sector-specific insights")

    response = ask(client, person="ada", flag="Sector insights")

    assert response.context["answer"].told.key == "sector_specific_insights"


def test_public_ids_name_people_and_organisations_too(client, superuser, lumen, ada):
    make_flag("wanted")

    response = ask(client, person=ada.public_id, organisation=lumen.public_id, flag="wanted")

    assert sentence(response).startswith("wanted is ON for ada@lumen.example at Lumen Cinemas")


def test_the_inputs_show_what_was_found(client, superuser, ada):
    make_flag("wanted")

    page = text(ask(client, person="ada", flag="want", at="2099-01-01T10:00:00+02:00"))

    assert [f'value="{shown}"' in page for shown in ("ada@lumen.example", "wanted", "2099-01-01T08:00:00")] == [
        True
    ] * 3


@pytest.mark.parametrize(
    ("question", "words"),
    [
        ({"person": "nobody@x.example"}, "Nobody has this name or address."),
        ({"organisation": "moon"}, "No organisation has this name or slug."),
        ({"flag": "moon"}, "No flag has this key or name."),
        ({"at": "yesterday"}, "Enter a valid date/time."),
        ({"at": "0001-01-01T00:00:00+14:00"}, "Enter a moment between 2000 and 2100."),
        ({"at": "9999-12-31T23:59:59-14:00"}, "Enter a moment between 2000 and 2100."),
    ],
)
def test_what_cannot_be_found_is_said_beside_its_input(client, superuser, ada, question, words):
    make_flag("wanted")

    response = ask(client, **{"person": "ada", "flag": "wanted", **question})

    assert (words in text(response), "case" in response.context) == (True, False)


@pytest.mark.parametrize(
    "question", [{"flag": "wnated"}, {"flag": "The wanted featrue"}, {"organisation": "Lumen Cinmas"}]
)
def test_what_may_be_meant_by_a_slip_of_the_pen_is_one_click_away(client, superuser, ada, question):
    make_flag("wanted", name="The wanted feature")
    asked = {"person": "ada", "flag": "wanted", **question}

    offered = ask(client, **asked).context["choices"]

    (only,) = next(iter(offered.values()))
    assert ask(client, **asked | dict(parse_qsl(only.value[1:]))).context["answer"].told.is_on


def test_an_organisation_that_was_only_assumed_stays_out_of_the_input(client, superuser, lumen, ada):
    make_flag("wanted")

    assumed, given = (ask(client, person="ada", flag="wanted", organisation=slug) for slug in ("", "lumen"))

    assert ('value="Lumen Cinemas"' in text(assumed).split("<datalist")[0], "at <b>Lumen Cinemas" in text(assumed)) == (
        False,
        True,
    )
    assert 'value="Lumen Cinemas"' in text(given).split("<datalist")[0]


def test_where_several_may_be_meant_each_is_one_click_away(client, superuser, lumen, ada):
    make_flag("wanted")
    other = make_member(lumen, email="adam@lumen.example", name="Adam Smith")

    response = ask(client, organisation="lumen", person="ada", flag="wanted")
    chosen = client.get(WHY + response.context["choices"]["person"][1].value)

    assert [one.words for one in response.context["choices"]["person"]] == [
        "Ada Byron (ada@lumen.example)",
        "Adam Smith (adam@lumen.example)",
    ]
    assert chosen.context["case"].asked.person == other


def test_members_of_the_organisation_are_meant_before_others_and_others_can_be_asked_about(client, superuser, ada):
    make_flag("wanted")
    stranger = make_user("adam@else.example")

    found = [ask(client, organisation="lumen", person=name, flag="wanted") for name in ("ada", "adam@else.example")]

    assert [response.context["case"].asked.person for response in found] == [ada, stranger]
    assert "adam@else.example does not belong to Lumen Cinemas" in text(found[1])


def test_the_people_offered_are_those_of_the_organisation(client, superuser, ada):
    make_member(make_organisation("Harbour"), email="esme@harbour.example")

    response = ask(client, organisation="lumen")

    assert [one.value for one in response.context["lists"]["person"]] == ["ada@lumen.example"]


def test_of_somebody_with_several_organisations_the_page_asks_which(client, superuser, lumen, ada):
    make_flag("wanted")
    make_member(make_organisation("Harbour", slug="harbour"), user=ada)

    response = ask(client, person="ada", flag="wanted")

    assert [one.words for one in response.context["choices"]["organisation"]] == ["Harbour", "Lumen Cinemas"]
