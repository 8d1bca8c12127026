"""Signing in through a real provider: who enters, who does not, and what each is told."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts import provider
from accounts.local_provider.tokens import Faults
from accounts.models import Identity, Invitation, Session, SignInAttempt, User
from tenants import scope
from tenants.models import AuditEvent, Membership
from tests.accounts.conftest import point_at, query_of
from tests.factories import make_invitation, make_organisation, make_user
from tests.marketedge.serving import MuteServer, free_port

pytestmark = pytest.mark.django_db
BEN, BEN_ADDRESS = "demonstration|cinema-analyst", "ben@lumen-cinemas.example"
UNVERIFIED, UNVERIFIED_ADDRESS = "demonstration|unverified", "kim@elsewhere.example"


def refusals() -> list[str]:
    with scope.login():
        rows = AuditEvent.objects.filter(action="sign_in.refused").order_by("occurred_at")
        return [row.data["code"] for row in rows]


def seats(email: str) -> list[tuple[str, str]]:
    with scope.login():
        rows = Membership.objects.filter(user__email=email).order_by("organisation__name")
        return [(row.organisation.name, row.role) for row in rows.select_related("organisation")]


def test_a_known_person_signs_in_and_lands_on_the_front_page(sign_in, known):
    user = known(BEN)

    response = sign_in(BEN)

    assert (response.status_code, response.url, sign_in.is_signed_in) == (302, "/", True)
    with scope.login():
        assert AuditEvent.objects.get(action="person.signed_in").actor == user


def test_the_question_to_the_provider_has_pkce_nonce_state_and_our_own_address(sign_in, settings):
    asked = query_of(sign_in.begin())

    assert asked["redirect_uri"] == settings.OIDC_CALLBACK_URL
    assert asked["code_challenge_method"] == "S256"
    assert min(len(asked[name]) for name in ("state", "nonce", "code_challenge")) >= 32


def test_the_session_gets_a_new_name_at_every_sign_in(sign_in, known):
    known(BEN)
    names = []

    for _ in range(2):
        sign_in(BEN)
        names.append(sign_in.client.session.session_key)

    assert names[0] != names[1]


def test_an_invited_person_is_made_with_their_role_once(sign_in):
    make_invitation(make_organisation("Lumen"), "BEN@lumen-cinemas.EXAMPLE", role="analyst")

    sign_in(BEN)
    sign_in(BEN)

    assert seats(BEN_ADDRESS) == [("Lumen", "analyst")]
    assert (User.objects.count(), User.objects.get().name, User.objects.get().is_staff) == (1, "Ben Castellan", False)


def test_a_known_person_accepts_a_second_organisations_invitation_by_signing_in(sign_in, known):
    known(BEN, email=BEN_ADDRESS)
    make_invitation(make_organisation("Second"), BEN_ADDRESS, role="viewer")

    sign_in(BEN)

    assert seats(BEN_ADDRESS) == [("Second", "viewer")]


def test_a_stranger_creates_nothing_and_reads_whom_to_ask(sign_in, settings):
    response = sign_in(BEN)

    assert (response.status_code, settings.CONTACT in response.content.decode()) == (403, True)
    assert (User.objects.count(), Identity.objects.count(), refusals()) == (0, 0, ["uninvited"])


def test_a_refusal_is_written_down_with_whom_the_provider_named(sign_in):
    sign_in(BEN)

    with scope.login():
        written = AuditEvent.objects.get(action="sign_in.refused").data
    assert written == {"code": "uninvited", "detail": "", "email": BEN_ADDRESS, "subject": BEN}


@pytest.mark.parametrize(
    "fields",
    [
        {"expires_at": timezone.now() - timedelta(days=1), "created_at": timezone.now() - timedelta(days=2)},
        {"withdrawn_at": timezone.now()},
        {"accepted_at": timezone.now()},
    ],
)
def test_an_invitation_that_is_over_lets_nobody_in(sign_in, fields):
    make_invitation(make_organisation(), BEN_ADDRESS, **fields)

    assert (sign_in(BEN).status_code, User.objects.count()) == (403, 0)


@pytest.mark.parametrize("claim", [False, "true", 1, None])
def test_an_address_counts_only_when_verified_is_the_boolean_true(sign_in, claim):
    make_invitation(make_organisation(), BEN_ADDRESS)
    sign_in.provider.faults = Faults(claims=(("email_verified", claim),))

    assert (sign_in(BEN).status_code, User.objects.count(), refusals()) == (403, 0, ["unverified"])


@pytest.mark.parametrize("address", [None, "", "ben@m\u00fcller.example"])
def test_who_has_no_address_that_counts_is_not_told_to_verify_it(sign_in, address):
    sign_in.provider.faults = Faults(claims=(("email", address), ("email_verified", True)))

    page = sign_in(BEN).content.decode()

    assert (refusals(), "no address that we can use" in page) == (["no_address"], True)


def test_an_address_never_links_to_an_existing_person(sign_in):
    make_user(BEN_ADDRESS)
    make_invitation(make_organisation(), BEN_ADDRESS)

    assert (sign_in(BEN).status_code, refusals(), seats(BEN_ADDRESS)) == (403, ["address_taken"], [])


def test_a_person_is_known_by_the_subject_when_the_address_changed(sign_in, known):
    known(BEN, email="before@example.com")

    sign_in(BEN)

    assert (sign_in.is_signed_in, User.objects.get().email) == (True, "before@example.com")


def test_a_deactivated_person_is_refused(sign_in, known):
    known(BEN, is_active=False)

    assert (sign_in(BEN).status_code, sign_in.is_signed_in, refusals()) == (403, False, ["deactivated"])


def test_a_person_deactivated_meanwhile_is_out_on_the_next_request(sign_in, known):
    user = known(BEN)
    sign_in(BEN)
    with scope.login():
        User.objects.filter(pk=user.pk).update(is_active=False)

    assert sign_in.client.get("/organisations/").url == "/sign-in/?next=/organisations/"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example/"},
        {"iss": None},
        {"aud": "somebody-else"},
        {"aud": ["marketedge-tests", "somebody-else"]},
        {"aud": None},
        {"azp": "somebody-else"},
        {"exp": int(time.time()) - 3600},
        {"exp": None},
        {"iat": int(time.time()) + 3600},
        {"iat": None},
        {"sub": None},
        {"sub": ""},
        {"sub": "a\x00b"},
        {"exp": []},
        {"exp": float("inf")},
        {"iat": "yesterday"},
        {"sub": "a\ud800b"},
        {"nonce": "not-ours"},
        {"nonce": "\ud800"},
        {"nonce": None},
    ],
)
def test_a_token_that_does_not_fit_lets_nobody_in(sign_in, known, claims):
    known(BEN)
    sign_in.provider.faults = Faults(claims=tuple(claims.items()))

    response = sign_in(BEN)

    assert (response.status_code, sign_in.is_signed_in, refusals()) == (403, False, ["bad_token"])


@pytest.mark.parametrize("faults", [Faults(algorithm="HS256"), Faults(kid="unknown")])
def test_a_token_signed_otherwise_lets_nobody_in(sign_in, known, faults):
    known(BEN)
    sign_in.provider.faults = faults

    assert (sign_in(BEN).status_code, sign_in.is_signed_in) == (403, False)


def test_a_token_for_us_alone_in_a_list_is_accepted(sign_in, known):
    known(BEN)
    sign_in.provider.faults = Faults(claims=(("aud", ["marketedge-tests"]),))

    sign_in(BEN)

    assert sign_in.is_signed_in


@pytest.mark.parametrize("status", [500, 503])
def test_a_provider_out_of_order_is_said_so(sign_in, known, status):
    known(BEN)
    sign_in.provider.faults = Faults(token_status=status)

    response = sign_in(BEN)

    assert (response.status_code, "does not answer" in response.content.decode()) == (503, True)


def test_a_provider_that_is_gone_is_said_so(sign_in, known, settings):
    known(BEN)
    callback = sign_in.choose(sign_in.begin(), BEN)
    point_at(settings, f"http://127.0.0.1:{free_port()}/", name=settings.OIDC_ISSUER)

    assert sign_in.arrive(callback).status_code == 503


def test_a_mute_provider_is_given_up_within_the_limit(sign_in, known, settings):
    known(BEN)
    callback = sign_in.choose(sign_in.begin(), BEN)
    settings.OIDC_TIMEOUT = 1
    mute = MuteServer()
    point_at(settings, f"http://127.0.0.1:{mute.port}/", name=settings.OIDC_ISSUER)
    started = time.monotonic()

    response = sign_in.arrive(callback)

    mute.close()
    assert (response.status_code, time.monotonic() - started < 3) == (503, True)


def test_a_callback_works_once(sign_in, known):
    known(BEN)
    callback = sign_in.choose(sign_in.begin(), BEN)
    sign_in.client.get(callback)

    assert (sign_in.arrive(callback).status_code, sign_in.is_signed_in) == (400, True)


def test_an_attempt_lives_ten_minutes(sign_in, known):
    known(BEN)
    callback = sign_in.choose(sign_in.begin(), BEN)
    with scope.login():
        SignInAttempt.objects.update(created_at=timezone.now() - timedelta(seconds=601))

    assert (sign_in.arrive(callback).status_code, sign_in.is_signed_in) == (400, False)


@pytest.mark.parametrize(
    "query", ["", "?error=access_denied", "?error=x&state=unknown", "?code=x&state=unknown", "?state=%00"]
)
def test_nobody_is_signed_out_by_an_address(sign_in, known, query):
    known(BEN)
    sign_in(BEN)

    response = sign_in.arrive(f"/oidc/callback/{query}")

    assert (response.status_code, sign_in.is_signed_in) == (400, True)


def test_an_account_that_the_provider_keeps_out_is_not_called_cancelled_alone(sign_in):
    page = sign_in("cancel").content.decode()

    assert "does not let your account in" in page


def test_cancelling_at_the_provider_is_a_calm_page(sign_in):
    response = sign_in("cancel")

    assert (response.status_code, "cancelled" in response.content.decode(), refusals()) == (403, True, ["cancelled"])


def test_a_tab_that_begins_while_another_signs_in_is_kept(sign_in, known, monkeypatch):
    known(BEN)
    callback = sign_in.choose(sign_in.begin(), BEN)
    exchange, begun = provider.exchange, []

    def begin_then_exchange(*asked: Any) -> provider.Tokens:
        begun.append(sign_in.begin(next="/second/"))
        return exchange(*asked)

    monkeypatch.setattr(provider, "exchange", begin_then_exchange)
    sign_in.client.get(callback)

    assert sign_in.client.get(sign_in.choose(begun[0], BEN)).url == "/second/"


def test_two_tabs_keep_their_own_destination(sign_in, known):
    known(BEN)
    first, second = sign_in.begin(next="/first/"), sign_in.begin(next="/second/")

    assert sign_in.client.get(sign_in.choose(first, BEN)).url == "/first/"
    assert sign_in.client.get(sign_in.choose(second, BEN)).url == "/second/"


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example/", "//evil.example/", "/\\evil.example/", "javascript:alert(1)", "no-such-name", "\x00/"],
)
def test_nobody_is_sent_to_another_site(sign_in, known, elsewhere):
    known(BEN)

    assert sign_in(BEN, next=elsewhere).url == "/"


@pytest.mark.parametrize(("asked", "destination"), [("/organisations/", "/organisations/"), ("no-such-name", "/")])
def test_the_sign_in_page_sends_people_who_are_in_where_they_wanted_to_go(sign_in, known, asked, destination):
    known(BEN)
    sign_in(BEN)

    assert sign_in.client.get("/sign-in/", {"next": asked}).url == destination


def test_signing_out_ends_the_session_and_leads_to_the_providers_sign_out(sign_in, known, settings):
    known(BEN)
    sign_in(BEN)
    session = Session.objects.get().provider_session

    address = sign_in.client.post("/sign-out/").url

    assert sign_in.is_signed_in is False
    assert address.startswith(f"{settings.OIDC_OP_LOGOUT_ENDPOINT}?")
    assert query_of(address) == {
        "client_id": "marketedge-tests",
        "post_logout_redirect_uri": "https://marketedge.example/signed-out/",
        "logout_hint": session,
    }


def test_signing_out_asks_for_a_form(client):
    assert client.get("/sign-out/").status_code == 405


def test_the_librarys_own_sign_out_is_not_there(client):
    assert client.post("/oidc/logout/").status_code == 404


@pytest.mark.parametrize("path", ["/sign-in/", "/signed-out/", "/oidc/authenticate/"])
def test_pages_of_the_sign_in_are_not_kept_by_browsers(client, path):
    assert "no-store" in client.get(path).headers["Cache-Control"]


def test_secrets_do_not_reach_log_or_audit(sign_in, known, caplog):
    known(BEN)
    callback = sign_in.choose(sign_in.begin(), BEN)
    sign_in.provider.faults = Faults(claims=(("nonce", "x"),))

    sign_in.client.get(callback)

    with scope.login():
        written: list[Any] = list(AuditEvent.objects.values_list("data", "reason"))
    assert query_of(callback)["code"] not in f"{written} {caplog.text}"


def test_another_account_is_offered_where_it_may_help(sign_in):
    stranger, stale = sign_in(BEN), sign_in.arrive("/oidc/callback/")

    offered = ["/oidc/authenticate/?prompt=login" in page.content.decode() for page in (stranger, stale)]
    assert offered == [True, False]


@pytest.mark.django_db(transaction=True)
def test_two_first_sign_ins_at_once_make_one_person(provider, settings):
    import threading

    from accounts.id_tokens import Claims
    from accounts.provisioning import person_for

    make_invitation(make_organisation(), BEN_ADDRESS)
    claims = Claims(settings.OIDC_ISSUER, BEN, BEN_ADDRESS, True, "Ben")
    found: list[int] = []

    def enter() -> None:
        from django.db import connection

        try:
            found.append(person_for(claims).pk)
        finally:
            connection.close()

    together = [threading.Thread(target=enter) for _ in range(4)]
    for thread in together:
        thread.start()
    for thread in together:
        thread.join()

    assert (len(found), len(set(found)), User.objects.count()) == (4, 1, 1)
    with scope.login():
        assert (Membership.objects.count(), Invitation.objects.get().accepted_at is not None) == (1, True)
