"""What clients outside are answered: each flag that they may see, for their own organisation, by the protocol."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from modules.flags import ladder
from modules.flags.ladder import bucket
from tests.factories import (
    make_client_token,
    make_entitlement,
    make_member,
    make_module,
    make_organisation,
    make_user,
)
from tests.modules.flags.documents import body, override
from tests.modules.flags.ofrep.conftest import ALL, ANYBODY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("released")]


def by_key(response: Any) -> dict[str, Any]:
    return {one["key"]: one for one in response.json()["flags"]}


# One flag


def test_a_flag_is_answered_with_value_variant_reason_and_metadata(ask):
    answer = ask("shown")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert answer.json() == {
        "key": "shown",
        "value": True,
        "reason": "SPLIT",
        "variant": "on",
        "metadata": {"release": 7, "rung": 11, "reason": "in the rollout"},
    }


@pytest.mark.parametrize(
    ("key", "value", "variant", "reason"),
    [
        ("shown_off", False, "off", "DISABLED"),
        ("for_lumen", True, "on", "TARGETING_MATCH"),
        ("colour", "#f00", "red", "SPLIT"),
    ],
)
def test_variant_and_reason_are_always_there(ask, key, value, variant, reason):
    told = ask(key).json()

    assert (told["value"], told["variant"], told["reason"]) == (value, variant, reason)


@pytest.mark.parametrize("number", [0, 3, 2.5])
def test_a_flag_of_type_float_is_a_float_for_strict_clients(ask, release, number):
    variants = [{"name": "much", "value": number, "weight": 1}]
    release(8, ratio=body(visible_to_clients=True, value_type="float", off_value=0, variants=variants))

    assert f'"value":{float(number)}' in ask("ratio").content.decode()


@pytest.mark.parametrize("key", ["hidden", "hidden_for_lumen", "unheard.of"])
def test_what_clients_must_not_see_is_answered_like_what_does_not_exist(ask, key):
    answer = ask(key)

    assert answer.status_code == 404
    assert answer.json() == {
        "key": key,
        "errorCode": "FLAG_NOT_FOUND",
        "errorDetails": "There is no flag of this key that clients may see.",
    }


def test_hidden_and_unknown_flags_cost_the_same_queries(ask):
    counts = []
    ask()  # notes that the token is in use
    for key in ("hidden_for_lumen", "unheard.of"):
        with CaptureQueriesContext(connection) as queries:
            ask(key, context={"targetingKey": str(uuid.uuid4())})
        counts.append(len(queries))

    assert counts[0] == counts[1]


def test_asking_for_what_does_not_exist_fills_no_log(ask, caplog):
    ask("unheard.of")

    assert [record.name for record in caplog.records] == ["marketedge.request"]


@pytest.mark.parametrize(
    "key",
    ["with/slash", "with%2Fslash", "%00", "%0A", "%FF", "..", "a%20b", "%F0%9F%8E%AC", "k" * 3000, "a%3Fb", "a;b"],
)
def test_a_key_that_is_none_is_not_found(ask, key):
    answer = ask(key)

    assert (answer.status_code, answer.json()["errorCode"]) == (404, "FLAG_NOT_FOUND")


def test_a_flag_that_cannot_be_evaluated_is_our_fault_and_told_with_an_incident(ask, monkeypatch):
    def breaks(*_: Any) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr("modules.flags.evaluation.climb_open", breaks)

    answer = ask("shown")

    told = answer.json()
    assert (answer.status_code, told["errorCode"], told["key"]) == (500, "GENERAL", "shown")
    assert told["errorDetails"] == f"Something went wrong on our side. Incident id: {told['incident']}"


# All flags


def test_asking_for_one_is_counted_as_use_and_asking_for_all_is_not(ask, ledger_of_flags, lumen):
    ask()
    of_all = ledger_of_flags.taken()
    ask("shown")
    ask("hidden")

    assert (of_all, ledger_of_flags.taken()) == ({}, {("shown", str(lumen.public_id), True, 11): 1})


def test_all_are_answered_that_clients_may_see_and_no_other(ask):
    answer = ask()

    assert {key: one["value"] for key, one in by_key(answer).items()} == {
        "shown": True,
        "shown_off": False,
        "for_lumen": True,
        "colour": "#f00",
    }
    assert answer.json()["metadata"] == {"release": 7}


def test_all_are_answered_as_each_alone(ask):
    assert all(ask(key).json() == one for key, one in by_key(ask()).items())


def test_one_that_cannot_be_evaluated_keeps_nobody_from_the_others(ask, monkeypatch):
    def breaks_for_one(flag: Any, context: Any) -> Any:
        if flag.key == "colour":
            raise ZeroDivisionError("a secret")
        return ladder.climb_open(flag, context)

    for together_or_alone in ("together", "explaining"):
        monkeypatch.setattr(f"modules.flags.{together_or_alone}.climb_open", breaks_for_one)

    told = by_key(ask())

    assert told["colour"]["errorCode"] == "GENERAL"
    assert (len(told), told["shown"]["value"]) == (4, True)


def test_the_same_answer_again_is_304_without_a_body(ask):
    first = ask()

    again = ask(If_None_Match=first.headers["ETag"])

    assert (again.status_code, again.content, again.headers["ETag"]) == (304, b"", first.headers["ETag"])


@pytest.mark.parametrize("form", ["W/{}", '"other", {}', "*"])
def test_the_tag_may_be_weak_one_of_several_or_any(ask, form):
    tag = ask().headers["ETag"]

    assert ask(If_None_Match=form.format(tag)).status_code == 304


@pytest.mark.parametrize("tag", ["", '"other"', "no-tag", '"', "W/", '"x', "\\", ", ,"])
def test_another_tag_or_none_is_answered_whole(ask, tag):
    assert ask(If_None_Match=tag).status_code == 200


def test_after_a_change_the_tag_is_another(ask, release):
    before = ask().headers["ETag"]

    release(8, shown=body(visible_to_clients=True, killed=True))
    after = ask(If_None_Match=before)

    assert (after.status_code, by_key(after)["shown"]["value"], after.headers["ETag"] != before) == (200, False, True)


def test_for_another_person_the_tag_is_another_where_the_answer_is(ask, release):
    release(8, half=body(visible_to_clients=True, bucket_by="person", rollout=50_000, salt="half"))
    inside, outside = (
        next(str(n) for n in range(99) if (bucket("half", str(n)) < 50_000) is want) for want in (True, False)
    )

    one, other = (ask(context={"targetingKey": key}) for key in (inside, outside))

    assert [by_key(answer)["half"]["value"] for answer in (one, other)] == [True, False]
    assert one.headers["ETag"] != other.headers["ETag"]


def test_answers_may_be_kept_where_they_are_asked_about_each_time(ask):
    one, whole = ask("shown"), ask()
    again = ask(If_None_Match=whole.headers["ETag"])

    assert one.headers["Cache-Control"] == "no-store"
    assert [answer.headers["Cache-Control"] for answer in (whole, again)] == ["private, no-cache"] * 2
    assert {"Authorization", "X-API-Key"} <= {name.strip() for name in whole.headers["Vary"].split(",")}


# For whom


def test_the_organisation_is_the_tokens_whatever_the_context_says(ask, release, lumen):
    abbey = make_organisation("Abbey", sector="55100")
    for_abbey = override(target={"organisation": str(abbey.public_id)})
    release(
        8,
        abbeys=body(visible_to_clients=True, enabled=False, overrides=[for_abbey]),
        hotels=body(visible_to_clients=True, allowed_sectors=["55100"]),
        prices=body(visible_to_clients=True, module="prices"),
        cinemas=body(visible_to_clients=True, allowed_sectors=["59140"]),
    )
    claims = {"organisation": str(abbey.public_id), "sector": "55100", "entitled_modules": ["prices"]}

    told = by_key(ask(context={"targetingKey": "x", **claims}))

    assert {key: one["value"] for key, one in told.items()} == {
        "abbeys": False,
        "hotels": False,
        "prices": False,
        "cinemas": True,
    }
    assert told["prices"]["metadata"]["reason"] == "not entitled"


def test_the_modules_are_those_that_the_organisation_has_now(ask, release, lumen):
    make_entitlement(lumen, make_module("market_edge_core", is_core=False), ends_at=timezone.now() + timedelta(days=1))
    release(8, theirs=body(visible_to_clients=True, module="market_edge_core"))

    assert ask("theirs").json()["value"] is True


def test_a_member_named_by_the_targeting_key_has_the_members_override(ask, release, lumen):
    ben = make_member(lumen)
    release(8, bens=_for_person(ben))

    answers = [ask("bens", context={"targetingKey": key}).json()["value"] for key in (_id(ben), _id(ben).upper(), "x")]

    assert answers == [True, True, False]


def test_nothing_is_learnt_of_other_organisations_people(ask, release, lumen):
    iris, nobody = make_member(make_organisation("Abbey")), str(uuid.uuid4())
    release(8, iris=_for_person(iris), half=body(visible_to_clients=True, bucket_by="person", rollout=50_000))

    theirs, nobodys = (by_key(ask(context={"targetingKey": key})) for key in (_id(iris), nobody))

    assert (theirs["iris"]["value"], theirs["iris"]) == (False, nobodys["iris"])
    assert theirs["half"]["metadata"]["rung"] in {10, 11}


def test_the_id_of_somebody_elsewhere_is_a_bucket_of_its_own(ask, release):
    release(8, half=body(visible_to_clients=True, bucket_by="person", rollout=50_000, salt="half"))
    ids = [str(uuid.UUID(int=number)) for number in range(8)]

    told = [ask("half", context={"targetingKey": one}).json()["value"] for one in ids]

    assert told == [bucket("half", f"elsewhere:{one}") < 50_000 for one in ids]
    assert told != [bucket("half", one) < 50_000 for one in ids]


def test_any_other_key_is_the_bucket_that_the_ladder_gives_it(ask, release):
    release(8, half=body(visible_to_clients=True, bucket_by="person", rollout=50_000, salt="half"))
    keys = ["visitor-1", "visitor-2", "", "Zoë", "\x00", " ", "a" * 10_000]

    told = [ask("half", context={"targetingKey": key}).json()["value"] for key in keys]

    assert told == [bool(key) and bucket("half", key) < 50_000 for key in keys]


def test_one_call_asks_the_database_a_few_times_whatever_the_number_of_flags(ask, release, lumen):
    member = _id(make_member(lumen))
    counts = []
    for number in (1, 30):
        release(number, **{f"flag{n}": body(visible_to_clients=True) for n in range(number)})
        ask(context={"targetingKey": member})
        with CaptureQueriesContext(connection) as queries:
            ask(context={"targetingKey": member})
        counts.append(len([query for query in queries if "set_config" not in query["sql"]]))

    assert counts == [5, 5]


# People's own credentials


def test_with_a_persons_token_the_person_is_theirs_whatever_the_key_says(client, bearer, release, lumen):
    ben, greta = make_member(lumen, subject="auth0|ben"), make_member(lumen)
    release(8, bens=_for_person(ben), gretas=_for_person(greta))

    for given in ({"targetingKey": _id(greta)}, {}):
        answer = client.post(ALL, {"context": given}, content_type="application/json", headers=bearer("auth0|ben"))
        assert {key: one["value"] for key, one in by_key(answer).items()} == {"bens": True, "gretas": False}


def test_pages_of_our_own_ask_by_session_with_their_csrf_token(release, lumen):
    ben = make_member(lumen)
    release(8, bens=_for_person(ben))
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(ben)
    browser.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    page = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}

    without = browser.post(ALL, ANYBODY, content_type="application/json", headers=page)
    with_it = browser.post(ALL, ANYBODY, content_type="application/json", headers={**page, "X-CSRF-Token": "a" * 32})

    assert (without.status_code, without.json()["errorCode"]) == (403, "GENERAL")
    assert by_key(with_it)["bens"]["value"] is True


def test_another_site_is_not_answered_by_session(client, lumen):
    client.force_login(make_member(lumen))

    answer = client.post(ALL, ANYBODY, content_type="application/json", headers={"Origin": "https://app.example"})

    assert answer.status_code == 401


def test_somebody_without_an_organisation_is_refused(client, bearer):
    make_user(subject="auth0|nobody")

    answer = client.post(ALL, ANYBODY, content_type="application/json", headers=bearer("auth0|nobody"))

    assert (answer.status_code, answer.json()["errorCode"]) == (403, "GENERAL")


def test_a_token_of_another_organisation_gets_that_ones_answers(ask):
    abbey = make_client_token(make_organisation("Abbey"))

    assert (ask("for_lumen").json()["value"], ask("for_lumen", token=abbey).json()["value"]) == (True, False)


def _id(person: Any) -> str:
    return str(person.public_id)


def _for_person(person: Any) -> dict[str, Any]:
    return body(visible_to_clients=True, enabled=False, overrides=[override(target={"person": _id(person)})])
