"""To the provider and back: whose answer counts, how often, and where people end up."""

import time
from typing import Any

import pytest
from django.test import Client

from accounts import attempts, destinations, flow
from accounts.local_provider.tokens import Faults
from accounts.models import SignInAttempt
from accounts.turns import Turns
from tenants import scope
from tenants.models import AuditEvent
from tests.accounts.conftest import REFUSED, query_of, without
from tests.factories import make_organisation

pytestmark = pytest.mark.django_db
BEN = "demonstration|cinema-analyst"


def audited(action: str) -> list[dict[str, Any]]:
    with scope.login():
        return [event.data for event in AuditEvent.objects.filter(action=action)]


def pending() -> int:
    with scope.login():
        return SignInAttempt.objects.count()


def state_of(address: str) -> str:
    return query_of(address)["state"]


# Whose answer counts


def test_the_answer_to_another_browsers_question_lets_nobody_in(sign_in, known):
    known(BEN)
    callback = sign_in.choose(sign_in.begin(), BEN)
    victim = Client(headers={"X-Forwarded-Proto": "https"})

    response = victim.get(callback, follow=True)

    assert (response.status_code, "_auth_user_id" in victim.session, pending()) == (400, False, 1)


def test_a_cookie_of_another_attempt_does_not_help(sign_in, known):
    known(BEN)
    callback = sign_in.choose(sign_in.begin(), BEN)
    other = Client(headers={"X-Forwarded-Proto": "https"})
    other.get("/oidc/authenticate/")
    [theirs], [ours] = ([name for name in browser.cookies if "attempt" in name] for browser in (other, sign_in.client))
    other.cookies[ours] = other.cookies[theirs].value

    assert other.get(callback, follow=True).status_code == 400


def test_two_tabs_that_begin_at_the_same_moment_both_arrive(sign_in, known):
    known(BEN)
    browser = sign_in.client
    tabs = [Client(headers={"X-Forwarded-Proto": "https"}) for _ in range(2)]
    begun = [tab.get("/oidc/authenticate/", {"next": f"/{name}/"}) for tab, name in zip(tabs, "ab", strict=True)]
    for answer in begun:
        browser.cookies.update(answer.cookies)

    arrived = [browser.get(sign_in.choose(answer.headers["Location"], BEN)).headers["Location"] for answer in begun]

    assert arrived == ["/a/", "/b/"]


def test_ten_sign_ins_may_be_pending_and_then_the_oldest_ends(sign_in, known, monkeypatch):
    known(BEN)
    now = [time.time()]
    monkeypatch.setattr(attempts.time, "time", lambda: now[0])
    begun = []
    for _ in range(11):
        begun.append(sign_in.begin())
        now[0] += 1

    first, second = (sign_in.choose(address, BEN) for address in begun[:2])
    assert pending() == 10
    assert sign_in.arrive(first).status_code == 400
    assert sign_in.client.get(second).url == "/"


def test_cookies_of_names_that_nobody_could_have_been_given_are_left_alone(client):
    cookies = "; ".join(f"__Host-attempt-[{number}]=1" for number in range(12))

    answer = client.get("/oidc/authenticate/", headers={"Cookie": cookies})

    assert answer.status_code == 302
    assert [cookie["max-age"] for name, cookie in answer.cookies.items() if "attempt" in name] == [600]


def test_of_two_callbacks_at_once_one_gets_the_attempt(sign_in):
    sign_in.begin()
    attempt = SignInAttempt.objects.get()

    assert [attempts.spend(attempt), attempts.spend(attempt)] == [True, False]


def test_attempts_that_nobody_came_back_from_are_forgotten(sign_in):
    sign_in.begin()
    with scope.login():
        SignInAttempt.objects.update(created_at="2026-01-01T00:00:00Z")

    sign_in.begin()

    assert pending() == 1


def test_the_attempts_cookie_is_for_this_host_this_browser_and_ten_minutes(sign_in):
    sign_in.begin()

    [cookie] = [cookie for name, cookie in sign_in.client.cookies.items() if "attempt" in name]
    kept = {name: cookie[name] for name in ("path", "domain", "secure", "httponly", "samesite", "max-age")}
    assert cookie.key.startswith("__Host-attempt-")
    assert kept == {"path": "/", "domain": "", "secure": True, "httponly": True, "samesite": "Lax", "max-age": 600}


def test_a_sign_in_that_ended_leaves_no_cookie_of_the_attempt(sign_in, known):
    known(BEN)

    sign_in(BEN)

    left = [name for name, cookie in sign_in.client.cookies.items() if "attempt" in name and cookie.value]
    assert left == []


def test_what_is_in_the_table_does_not_answer_for_an_attempt(sign_in):
    address = sign_in.begin()
    [secret] = [cookie.value.partition(".")[2] for name, cookie in sign_in.client.cookies.items() if "attempt" in name]

    row = SignInAttempt.objects.values().get()

    assert not {state_of(address), secret} & {str(value) for value in row.values()}


@pytest.mark.parametrize("issuer", ["https://evil.example/", "", "x"])
def test_an_answer_of_another_provider_is_refused(sign_in, known, issuer):
    known(BEN)
    callback = without(sign_in.choose(sign_in.begin(), BEN), "iss")

    response = sign_in.arrive(f"{callback}&iss={issuer}")

    assert (response.status_code, sign_in.is_signed_in) == (403, False)
    assert audited("sign_in.refused")[0]["detail"] == "the answer is another provider's"


@pytest.mark.parametrize("is_named", [True, False])
def test_an_answer_that_names_our_provider_or_nobody_is_taken(sign_in, known, settings, is_named):
    known(BEN)
    callback = sign_in.choose(sign_in.begin(), BEN)
    assert query_of(callback)["iss"] == settings.OIDC_ISSUER

    sign_in.client.get(callback if is_named else without(callback, "iss"))

    assert sign_in.is_signed_in


def test_an_answer_without_the_providers_name_is_refused_where_the_provider_gives_it(sign_in, known, settings):
    known(BEN)
    settings.OIDC_REQUIRES_ISS = True
    callback = without(sign_in.choose(sign_in.begin(), BEN), "iss")

    assert (sign_in.arrive(callback).status_code, sign_in.is_signed_in) == (403, False)


@pytest.mark.parametrize("name", ["state", "code", "iss", "error"])
def test_what_is_said_twice_is_not_believed(sign_in, known, name):
    known(BEN)
    callback = sign_in.choose(sign_in.begin(), BEN)
    value = query_of(callback).get(name, "x")

    response = sign_in.arrive(f"{callback}&{name}={value}&{name}={value}")

    assert (response.status_code, sign_in.is_signed_in, pending()) == (400, False, 1)


@pytest.mark.parametrize("method", ["post", "head", "put", "delete", "options"])
def test_the_provider_sends_people_back_by_get_alone(sign_in, known, method):
    known(BEN)
    callback = sign_in.choose(sign_in.begin(), BEN)

    response = getattr(sign_in.client, method)(callback)

    assert (response.status_code in {200, 405}, sign_in.is_signed_in, pending()) == (True, False, 1)


def test_an_error_ends_its_attempt_and_signs_nobody_out(sign_in, known):
    known(BEN)
    sign_in(BEN)
    callback = sign_in.choose(sign_in.begin(), "cancel")

    response = sign_in.arrive(callback)

    assert (response.status_code, sign_in.is_signed_in, pending()) == (403, True, 0)
    assert "Go on as" in response.content.decode()


def test_what_the_provider_says_about_an_error_is_not_repeated_on_the_page(sign_in):
    address = sign_in.begin()

    response = sign_in.arrive(f"/oidc/callback/?state={state_of(address)}&error=x&error_description=call+0900+123")

    assert (response.status_code, "0900" in response.content.decode()) == (403, False)


def test_an_answer_with_a_code_that_is_missing_or_odd_is_a_page(sign_in):
    for code in ("", "&code=", "&code=%00", "&code=%ff", f"&code={'x' * 5000}"):
        response = sign_in.arrive(f"/oidc/callback/?state={state_of(sign_in.begin())}{code}")

        assert response.status_code in {400, 403}


# Where people end up


def test_a_refusal_leaves_neither_code_nor_state_in_the_address(sign_in):
    response = sign_in.client.get(sign_in.choose(sign_in.begin(), BEN))

    assert (response.status_code, response.url) == (302, REFUSED)


def test_a_refusal_is_told_once_with_the_id_that_the_log_has(sign_in):
    page = sign_in(BEN)

    with scope.login():
        incident = AuditEvent.objects.get(action="sign_in.refused").request_id
    assert (page.status_code, incident in page.content.decode()) == (403, True)
    assert sign_in.client.get(REFUSED).url == "/sign-in/"


def test_who_starts_again_still_gets_where_they_wanted_to_go(sign_in):
    page = sign_in("cancel", next="/organisations/?q=a")

    assert 'href="/sign-in/?next=%2Forganisations%2F%3Fq%3Da"' in page.content.decode()


def test_who_starts_again_is_not_asked_for_the_same_organisation_again(sign_in):
    make_organisation("Lumen", auth0_organisation_id="org_lumen")

    page = sign_in("cancel", next="/o/lumen/")

    assert 'href="/sign-in/"' in page.content.decode()


def test_a_refusal_that_nobody_signed_is_none(client, settings):
    client.cookies[f"{settings.COOKIE_PREFIX}refusal"] = "WyJzdGFsZSIsICJ4Il0:1abcde:forged"

    assert client.get(REFUSED).url == "/sign-in/"


def test_whoever_is_refused_is_not_sent_in_circles(sign_in):
    page = sign_in.client.get(sign_in.choose(sign_in.begin(next="/organisations/"), BEN), follow=True)

    assert [path for path, _ in page.redirect_chain] == [REFUSED]


def test_answers_that_belong_to_nothing_leave_no_line_in_the_audit(client):
    client.get("/oidc/callback/?code=x&state=y", follow=True)

    assert audited("sign_in.refused") == []


def test_a_fault_of_ours_is_a_page_with_an_incident_id(sign_in, known, monkeypatch):
    known(BEN)
    callback = sign_in.choose(sign_in.begin(), BEN)
    sign_in.client.raise_request_exception = False
    monkeypatch.setattr("accounts.id_tokens._claims", lambda _: 1 / 0)

    response = sign_in.client.get(callback)

    assert (response.status_code, response.headers["X-Request-ID"] in response.content.decode()) == (500, True)


def test_another_site_can_lead_to_the_button_but_not_press_it(client):
    for site in ("cross-site", "same-site"):
        response = client.get("/oidc/authenticate/?next=/a/", headers={"Sec-Fetch-Site": site})

        assert (response.url, pending()) == ("/sign-in/?next=%2Fa%2F", 0)


@pytest.mark.parametrize("site", ["same-origin", "none"])
def test_the_button_and_the_persons_own_bookmark_begin_a_sign_in(client, settings, site):
    response = client.get("/oidc/authenticate/", headers={"Sec-Fetch-Site": site})

    assert response.url.startswith(f"{settings.OIDC_OP_AUTHORIZATION_ENDPOINT}?")


def test_the_host_that_a_visitor_names_is_not_where_the_provider_sends_people(client, settings):
    settings.ALLOWED_HOSTS = ["*"]

    asked = query_of(client.get("/oidc/authenticate/", headers={"Host": "evil.example"}).url)

    assert asked["redirect_uri"] == settings.OIDC_CALLBACK_URL


@pytest.mark.parametrize(
    "path",
    [
        "",
        "x",
        "https://evil.example/",
        "//evil.example/",
        "///evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/\t/evil.example/",
        "/\n/evil.example/",
        " //evil.example/",
        "javascript:alert(1)",
        "/x\x00",
        "http:evil.example",
        "https://marketedge.example@evil.example/",
        "/oidc/authenticate/",
        "/oidc/callback/?code=x",
        "/sign-in/",
        "/sign-out/",
        f"/{'x' * 1000}",
    ],
)
def test_what_is_no_path_of_ours_is_not_where_people_go(path):
    assert not destinations.is_ours(path)


@pytest.mark.parametrize(
    "path", ["/", "/o/lumen/?a=//b&c=d", "/%2F%2Fevil.example/", "/@evil.example/", "/ä/", "/x:80/"]
)
def test_paths_of_ours_are_where_people_go(path):
    assert destinations.is_ours(path)


# The provider's time


@pytest.fixture
def late(sign_in, known):
    """The callback of somebody whose provider answers each question after 1.5 seconds."""
    known(BEN)
    callback = sign_in.choose(sign_in.begin(), BEN)
    sign_in.provider.faults = Faults(seconds_late=1.5)
    return callback


def test_the_code_and_the_keys_are_asked_for_within_one_time(sign_in, late, settings):
    settings.OIDC_TIMEOUT = 2
    began = time.monotonic()

    response = sign_in.arrive(late)

    assert (response.status_code, time.monotonic() - began < 2.8) == (503, True)


def test_a_provider_that_is_slow_but_in_time_lets_people_in(sign_in, late, settings):
    settings.OIDC_TIMEOUT = 6

    assert sign_in.client.get(late).url == "/"


def test_who_finds_no_turn_waits_on_a_page_that_comes_again_by_itself(sign_in, known, monkeypatch):
    known(BEN)
    callback = sign_in.choose(sign_in.begin(), BEN)
    monkeypatch.setattr(flow, "turns", Turns(1))
    with flow.turns.taken():
        page = sign_in.client.get(callback)

    assert (page.status_code, page.headers["Refresh"] in {"1", "2", "3"}, pending()) == (200, True, 1)
    assert (page.headers["Referrer-Policy"], "no-store" in page.headers["Cache-Control"]) == ("no-referrer", True)
    assert sign_in.client.get(callback).url == "/"


def test_a_turn_is_given_back_whatever_happens(sign_in, known, monkeypatch):
    known(BEN)
    monkeypatch.setattr(flow, "turns", Turns(1))
    sign_in.provider.faults = Faults(token_status=500)
    refused = sign_in(BEN)
    sign_in.provider.faults = Faults()

    assert (refused.status_code, sign_in(BEN).url) == (503, "/")


def test_so_many_may_wait_for_the_provider_at_once(settings):
    assert (settings.WEB_THREADS, settings.OIDC_CALLS_AT_ONCE) == (16, 6)


def test_places_are_for_so_many_and_are_waited_for_no_longer_than_told():
    places = Turns(2)

    with places.taken() as first, places.taken() as second, places.taken() as third, places.taken(wait=0.05) as fourth:
        assert (first, second, third, fourth) == (True, True, False, False)
    with places.taken() as afterwards:
        assert afterwards


# The organisation that is signed in to


def ids_asked_for(sign_in: Any, **query: str) -> str | None:
    return query_of(sign_in.begin(**query)).get("organization")


def test_a_sign_in_may_be_begun_for_an_organisation(sign_in):
    make_organisation("Lumen", auth0_organisation_id="org_lumen")
    make_organisation("Harbour")

    assert ids_asked_for(sign_in) is None
    assert ids_asked_for(sign_in, organisation="lumen") == "org_lumen"
    assert ids_asked_for(sign_in, next="/o/lumen/?from=mail") == "org_lumen"
    assert ids_asked_for(sign_in, organisation="harbour") is None
    assert ids_asked_for(sign_in, organisation="no-such") is None
    assert ids_asked_for(sign_in, organisation="\x00") is None


def test_the_sign_in_page_passes_the_organisation_on(client):
    page = client.get("/sign-in/?organisation=lumen&next=/a/").content.decode()

    assert '/oidc/authenticate/?next=%2Fa%2F&amp;organisation=lumen"' in page


def test_two_tabs_keep_their_own_organisation(sign_in, known):
    known(BEN)
    make_organisation("Lumen", auth0_organisation_id="org_lumen")
    make_organisation("Harbour", auth0_organisation_id="org_harbour")
    lumen, _harbour = sign_in.begin(organisation="lumen"), sign_in.begin(organisation="harbour")
    sign_in.provider.faults = Faults(claims=(("org_id", "org_lumen"),))

    assert sign_in.client.get(sign_in.choose(lumen, BEN)).url == "/"
