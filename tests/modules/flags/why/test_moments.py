"""The page of reasons asked about another moment, or in a process that has no news."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from modules.flags import actions
from modules.flags.models import FlagRelease
from modules.flags.watching import State
from tenants import scope
from tests.factories import (
    make_entitlement,
    make_flag,
    make_module,
)
from tests.modules.flags.why.asking import ask, sentence, text

pytestmark = pytest.mark.django_db


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
