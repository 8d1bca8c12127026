"""The page that answers why a flag is on or off: whom it finds, what it says, and what it asks the database."""

from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from modules.flags import actions
from modules.flags.models import Flag, FlagPrerequisite, FlagRelease
from modules.flags.watching import State
from tenants import scope
from tests.factories import (
    make_entitlement,
    make_flag,
    make_member,
    make_module,
    make_organisation,
    make_override,
    make_superuser,
    make_user,
    release_flags,
)

pytestmark = pytest.mark.django_db
WHY = "/admin/flags/flag/why/"


@pytest.fixture
def superuser(client):
    user = make_superuser(email="super@example.com")
    client.force_login(user)
    return user


@pytest.fixture
def lumen():
    return make_organisation("Lumen Cinemas", slug="lumen", sector="59140")


@pytest.fixture
def ada(lumen):
    return make_member(lumen, email="ada@lumen.example", name="Ada Byron")


def ask(client, **question):
    response = client.get(f"{WHY}?{urlencode(question)}", follow=True)
    assert response.status_code == 200
    return response


def sentence(response) -> str:
    """The answer as it is read aloud."""
    context = response.context
    told = context["answer"].told
    asked = context["case"].asked
    state = "ON" if told.is_on else "OFF"
    return (
        f"{told.key} {context['verb']} {state} for {asked.person} at {asked.organisation}: {context['answer'].because}"
    )


def text(response) -> str:
    return " ".join(response.content.decode().split())


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


def test_without_a_flag_all_flags_are_told_each_with_the_way_to_its_reasons(client, superuser, ada):
    make_flag("b.off", is_enabled=False)
    make_flag("a.on")

    lines = ask(client, person="ada").context["lines"]

    assert [(line.told.key, line.told.is_on, line.because) for line in lines] == [
        ("a.on", True, "its rollout is 100 %, which is everybody"),
        ("b.off", False, "it is not enabled"),
    ]
    assert (
        sentence(client.get(lines[1].url)) == "b.off is OFF for ada@lumen.example at Lumen Cinemas: it is not enabled"
    )


def test_every_rung_is_drawn_with_what_was_seen_there(client, superuser, lumen, ada):
    flag = make_flag("wanted", allowed_sectors=["59"])
    make_override(flag, organisation=lumen, expires_at=datetime(2026, 1, 1, 9, tzinfo=UTC), author=superuser)

    steps = ask(client, person="ada", flag="wanted").context["answer"].steps

    assert [(step.number, step.state) for step in steps] == [*((n, "passed") for n in range(11)), (11, "decided")]
    assert steps[7].says == "an override by super@example.com expired 01 Jan 2026 09:00 UTC; the flag is enabled"
    assert steps[9].says == "allowed are 59; here it is 59140"


def test_rungs_below_the_deciding_one_are_not_reached(client, superuser, ada):
    make_flag("wanted", is_killed=True)

    steps = ask(client, person="ada", flag="wanted").context["answer"].steps

    assert [step.state for step in steps] == ["passed", "passed", "decided", *["not reached"] * 9]


def test_the_bucket_is_held_against_the_threshold_as_the_engine_does(client, superuser, lumen, ada):
    make_flag("wanted", rollout=1)

    response = ask(client, person="ada", flag="wanted")

    (scale,) = [step.scale for step in response.context["answer"].steps if step.scale]
    assert (scale.place, scale.below) == (response.context["answer"].told.bucket, 1)
    assert f"(bucket {scale.place:,} of 100,000; on below 1)" in response.context["answer"].because
    assert f"at {scale.place:,} of 100,000" in text(response)


def test_an_override_is_told_with_its_reason_author_and_times(client, superuser, lumen, ada):
    flag = make_flag("wanted")
    until = datetime(2099, 1, 1, 9, tzinfo=UTC)
    make_override(flag, person=ada, value=False, reason="the demo", author=superuser, expires_at=until)

    response = ask(client, person="ada", flag="wanted")

    assert response.context["answer"].because == (
        "an override for the person turns it off until 01 Jan 2099 09:00 UTC (super@example.com: “the demo”)"
    )
    assert [words in text(response) for words in ("“the demo”", "super@example.com", "at once")] == [True] * 3


def test_a_prerequisite_is_told_with_its_own_reason_and_a_link_to_it(client, superuser, ada):
    base, top = make_flag("base", is_killed=True), make_flag("top")
    with scope.login():
        FlagPrerequisite.objects.create(flag=top, needs=base)
    release_flags()

    response = ask(client, person="ada", flag="top")
    (need,) = response.context["answer"].steps[4].needs

    assert (need.key, need.is_on, need.because) == ("base", False, "it is killed, which beats every override")
    assert sentence(client.get(response.context["needs_urls"]["base"])).startswith("base is OFF for ada@lumen.example")


def test_a_module_that_the_organisation_lacks_closes_the_flag(client, superuser, lumen, ada):
    make_flag("wanted", module_key="alert_system")

    assert ask(client, person="ada", flag="wanted").context["answer"].because == (
        "the organisation does not have the module alert_system"
    )


def test_variants_are_drawn_with_their_weights_and_the_second_hash(client, superuser, ada):
    flag = make_flag("wanted")
    with scope.login():
        flag.variants.create(name="blue", value=True, weight=1)
        flag.variants.create(name="red", value=False, weight=3)
    release_flags()

    response = ask(client, person="ada", flag="wanted")
    step = response.context["answer"].steps[11]

    assert [(one.name, one.starts, one.length, one.percent) for one in step.shares] == [
        ("blue", 0, 25_000, "25 %"),
        ("red", 25_000, 75_000, "75 %"),
    ]
    (chosen,) = [one for one in step.shares if one.is_chosen]
    assert chosen.name == response.context["answer"].told.variant
    assert chosen.starts <= step.place < chosen.starts + chosen.length


def remedies(response) -> list[tuple[str, str, str]]:
    return [(one.words, one.url, one.then) for one in response.context["answer"].remedies]


def test_what_would_change_it_leads_there_and_says_whether_it_is_enough(client, superuser, lumen, ada):
    flag = make_flag("wanted", is_enabled=False, blocked_sectors=["59"])

    assert remedies(ask(client, person="ada", flag="wanted")) == [
        (
            "Enable it: for all whom the rest of its ladder lets in.",
            f"/admin/flags/flag/{flag.pk}/change/",
            "By itself that is not enough: it would still be off, because the sector 59 is blocked.",
        ),
        (
            "Or make an exception: an override for ada@lumen.example.",
            f"/admin/flags/flagoverride/add/?flag={flag.pk}&person={ada.pk}",
            "",
        ),
        (
            "Or make an exception for everybody there: an override for Lumen Cinemas.",
            f"/admin/flags/flagoverride/add/?flag={flag.pk}&organisation={lumen.pk}",
            "",
        ),
    ]


def test_raising_the_rollout_to_what_the_page_says_is_enough(client, superuser, ada):
    flag = make_flag("wanted", rollout=1)

    told = ask(client, person="ada", flag="wanted").context["answer"].told
    words = ask(client, person="ada", flag="wanted").context["answer"].remedies[0].words
    with scope.platform():
        flag.rollout = told.bucket + 1
        actions.save_flag(flag, by=None, reason="enough")

    assert words == f"Raise its rollout to {(told.bucket + 1) / 1000:g} % or more."
    assert ask(client, person="ada", flag="wanted").context["answer"].told.is_on


def test_a_ramp_that_will_reach_them_is_something_to_wait_for(client, superuser, ada):
    flag = make_flag("wanted", rollout=0)
    with scope.login():
        flag.ramp_steps.create(at=datetime(2099, 1, 1, 9, tzinfo=UTC), rollout=100_000)
    release_flags()

    assert remedies(ask(client, person="ada", flag="wanted"))[0][0] == (
        "Wait: its ramp reaches 100 % 01 Jan 2099 09:00 UTC."
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"is_killed": True}, "Restore it"),
        ({"is_archived": True}, "no longer archived"),
        ({"window_ends_at": datetime(2020, 1, 1, tzinfo=UTC)}, "Change its window"),
        ({"window_starts_at": datetime(2099, 1, 1, tzinfo=UTC)}, "Change its window"),
        ({"module_key": "alert_system"}, "Give the organisation the module alert_system"),
        ({"blocked_sectors": ["59140"]}, "Change the sectors"),
        ({"allowed_sectors": ["55"]}, "Change the sectors"),
    ],
)
def test_each_rung_that_closes_has_its_own_way_out_which_is_enough(client, superuser, ada, fields, words):
    make_flag("wanted", **fields)

    first = ask(client, person="ada", flag="wanted").context["answer"].remedies[0]

    assert (words in first.words, bool(first.url), first.then) == (True, True, "It would be on then.")


def test_a_moment_of_the_past_is_answered_by_its_release(client, superuser, ada):
    flag = make_flag("wanted")
    with scope.login():
        FlagRelease.objects.update(created_at=timezone.now() - timedelta(days=2))
    with scope.platform():
        actions.kill_flag(flag, by=superuser, reason="broken")
    yesterday = (timezone.now() - timedelta(days=1)).isoformat()

    past, now = (ask(client, person="ada", flag="wanted", at=at) for at in (yesterday, ""))

    assert [(page.context["verb"], page.context["answer"].told.is_on) for page in (past, now)] == [
        ("was", True),
        ("is", False),
    ]
    assert ("Release 1" in text(past), "Release 2" in text(now), "“broken”" in text(now)) == (True, True, True)
    assert past.context["answer"].remedies == []
    assert sentence(client.get(past.context["same_now_url"])).startswith("wanted is OFF")


def test_a_module_counts_that_was_entitled_then_and_is_not_any_more(client, superuser, lumen, ada):
    make_flag("wanted", module_key="market_edge_core")
    with scope.login():
        FlagRelease.objects.update(created_at=timezone.now() - timedelta(days=9))
    module = make_module("market_edge_core", is_core=False)
    ended = timezone.now() - timedelta(days=1)
    make_entitlement(lumen, module, starts_at=ended - timedelta(days=5), ends_at=ended)
    then = (ended - timedelta(days=1)).isoformat()

    answers = [ask(client, person="ada", flag="wanted", at=at).context["answer"].told.is_on for at in (then, "")]

    assert answers == [True, False]


def test_the_link_to_an_answer_keeps_its_moment_and_names_nobody_by_address(client, superuser, ada):
    flag = make_flag("wanted")
    link = ask(client, person="ada", flag="wanted").context["permanent_url"]
    with scope.platform():
        actions.kill_flag(flag, by=superuser, reason="broken")

    assert sentence(client.get(link)).startswith("wanted was ON for ada@lumen.example at Lumen Cinemas")
    assert "ada%40" not in link


def test_a_moment_is_typed_in_the_zone_of_the_reader_and_sent_on_as_the_same_moment(client, superuser, ada):
    make_flag("wanted")
    client.cookies["editors_zone"] = "Europe/Paris"

    typed = ask(client, person="ada", flag="wanted", at="2026-06-01T11:00:00")
    link = typed.redirect_chain[0][0]
    client.cookies["editors_zone"] = "Asia/Tokyo"
    elsewhere = client.get(link)

    assert [page.context["case"].at for page in (typed, elsewhere)] == [datetime(2026, 6, 1, 9, tzinfo=UTC)] * 2
    assert ("on 01 Jun 2026 11:00 CEST" in text(typed), "on 01 Jun 2026 18:00 JST" in text(elsewhere)) == (True, True)


def test_a_flag_that_did_not_exist_then_says_so(client, superuser, ada):
    make_flag("wanted")

    response = ask(client, person="ada", flag="wanted", at="2020-01-01T09:00")

    assert "there is no such flag" in response.context["answer"].because
    assert "There was no release of the flags yet." in text(response)


def test_what_the_operator_forces_is_the_answer_and_is_said_of_the_past_too(client, superuser, ada, settings):
    make_flag("wanted", is_killed=True)
    settings.FLAGS_FORCED = {"wanted": True}

    now = ask(client, person="ada", flag="wanted")
    past = ask(client, person="ada", flag="wanted", at=timezone.now().isoformat())

    assert sentence(now).endswith("the operator forces it on, which beats everything")
    assert [page.context["answer"].told.is_on for page in (now, past)] == [True, False]
    assert "At present the operator forces this flag to on in running processes." in text(past)


def test_a_process_without_news_of_the_flags_says_so(client, superuser, ada, flag_store):
    make_flag("wanted")
    flag_store.says(State(1, 1, "file", True, 90.0, "connection refused"))

    page = text(ask(client, person="ada", flag="wanted"))

    assert "has had no news of the flags for 90 seconds" in page


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


@pytest.fixture
def looker(client):
    """Staff who may look at flags and not change them."""
    user = make_user(is_staff=True)
    with scope.login():
        user.user_permissions.set(Permission.objects.filter(codename="view_flag"))
    client.force_login(user)
    return user


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
