"""Client tokens: who makes and revokes them, what is kept of them, and which doors they open."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import DatabaseError, connection, transaction
from django.http import HttpResponse, JsonResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import include, path
from django.utils import timezone

from accounts import actions, client_tokens
from accounts.models import ClientToken
from tenants import scope
from tenants.api import for_client_tokens, methods
from tenants.models import AuditEvent
from tenants.redaction import redact
from tests.factories import make_client_token, make_member, make_organisation, make_superuser, make_user

pytestmark = [pytest.mark.django_db, pytest.mark.urls(__name__)]
FLAGS, PEOPLE = "/api/for-clients", "/api/for-people"


@methods("POST")
@for_client_tokens
def flags(request: Any) -> HttpResponse:
    return JsonResponse({"organisation": request.organisation.slug, "is_person": request.user.is_authenticated})


@methods("POST")
def people(request: Any) -> HttpResponse:
    return JsonResponse({})


urlpatterns = [
    path(FLAGS.strip("/"), flags),
    path(PEOPLE.strip("/"), people),
    path("", include("marketedge.urls")),
]


@pytest.fixture
def client() -> Client:
    return Client(enforce_csrf_checks=False, headers={"X-Forwarded-Proto": "https"})


@pytest.fixture
def superuser(client):
    user = make_superuser(email="super@example.com")
    client.force_login(user)
    return user


@pytest.fixture
def lumen():
    return make_organisation("Lumen")


def bearing(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def told(response: Any) -> tuple[int, str]:
    return response.status_code, response.json().get("code", "")


def rows() -> list[ClientToken]:
    with scope.login():
        return list(ClientToken.objects.order_by("pk"))


def events(action: str) -> list[AuditEvent]:
    with scope.login():
        return list(AuditEvent.objects.filter(action=action))


def form(organisation: Any, **changes: str) -> dict[str, Any]:
    given = {"organisation": organisation.pk, "name": "Website", "reason": "the shop", **changes}
    return {"expires_at_0": "", "expires_at_1": "", **given}


def make_by_form(client: Client, organisation: Any, **changes: str) -> Any:
    return client.post("/admin/accounts/clienttoken/add/", form(organisation, **changes))


# In the admin site


def test_a_token_is_shown_on_the_page_that_answers_its_making_and_nowhere_else(client, superuser, lumen):
    page = make_by_form(client, lumen)

    [row] = rows()
    token = page.context["token"]
    pages = [client.get(f"/admin/accounts/clienttoken/{end}").content.decode() for end in ("", f"{row.pk}/change/")]
    assert (page.status_code, token in page.content.decode()) == (200, True)
    assert "no-store" in page.headers["Cache-Control"]
    assert [(token in shown, row.prefix in shown) for shown in pages] == [(False, True)] * 2


def test_what_is_kept_is_the_hash_of_256_random_bits_and_the_beginning(client, superuser, lumen):
    one, other = (make_by_form(client, lumen, name=name).context["token"] for name in ("Website", "Report"))

    assert one != other
    assert all(client_tokens.SHAPE.fullmatch(token) for token in (one, other))
    assert [(row.prefix, row.token_hash) for row in rows()] == [
        (token[:12], client_tokens.hash_of(token)) for token in (one, other)
    ]


def test_making_one_is_an_event_of_the_organisation_without_the_token(client, superuser, lumen):
    token = make_by_form(client, lumen).context["token"]

    [event] = events("client_token.made")
    assert (event.actor, event.organisation, event.reason) == (superuser, lumen, "the shop")
    assert event.data == {"name": "Website", "prefix": token[:12]}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"reason": ""}, "This field is required."),
        ({"expires_at_0": "2020-01-01", "expires_at_1": "00:00:00"}, "This moment has passed."),
    ],
)
def test_without_a_reason_or_with_an_end_in_the_past_none_is_made(client, superuser, lumen, changes, words):
    page = make_by_form(client, lumen, **changes)

    assert (words in page.content.decode(), rows()) == (True, [])


def revoke(client: Client, **changes: str) -> Any:
    chosen = {"action": "revoke", "_selected_action": [row.pk for row in rows()], **changes}
    return client.post("/admin/accounts/clienttoken/", chosen)


def test_revoking_first_says_what_stops_and_asks_why(client, superuser, lumen):
    make_client_token(lumen)

    page = revoke(client).content.decode()

    assert "is refused from its next call on; never used" in page
    assert rows()[0].revoked_at is None


def test_a_revoked_token_is_refused_from_the_next_call_on(client, superuser, lumen):
    token = make_client_token(lumen)
    before = client.post(FLAGS, headers=bearing(token)).status_code

    revoke(client, confirmed="yes", reason="it leaked")

    [event] = events("client_token.revoked")
    assert (before, told(client.post(FLAGS, headers=bearing(token)))) == (200, (401, "invalid_token"))
    assert (event.actor, event.organisation, event.reason) == (superuser, lumen, "it leaked")


def test_a_token_is_not_rewritten(client, superuser, lumen):
    make_client_token(lumen)

    client.post(f"/admin/accounts/clienttoken/{rows()[0].pk}/change/", form(lumen, name="Another"))

    assert rows()[0].name == "Website"


@pytest.mark.parametrize(("path", "is_add"), [("", False), ("add/", True)])
def test_staff_without_the_permission_and_others_are_kept_out(client, lumen, path, is_add):
    make_client_token(lumen)
    answers = []
    for user in (make_user(), make_user(is_staff=True)):
        client.force_login(user)
        answers.append(client.get(f"/admin/accounts/clienttoken/{path}").status_code)
        answers.append(make_by_form(client, lumen).status_code)

    assert (answers, len(rows())) == ([302, 302, 403, 403], 1)


def test_two_who_revoke_the_same_token_at_once_are_told_once(superuser, lumen):
    make_client_token(lumen)
    [first], [second] = rows(), rows()

    with scope.login():
        for token in (first, second):
            actions.revoke_client_token(token, by=superuser, reason="it leaked")

    assert (len(events("client_token.revoked")), second.revoked_at) == (1, first.revoked_at)


def test_staff_who_may_only_look_make_and_revoke_nothing(client, lumen):
    token = make_client_token(lumen)
    staff = make_user(is_staff=True)
    with scope.login():
        staff.user_permissions.set(Permission.objects.filter(codename="view_clienttoken"))
    client.force_login(staff)

    made = make_by_form(client, lumen)
    revoke(client, confirmed="yes", reason="because")

    assert (made.status_code, client.post(FLAGS, headers=bearing(token)).status_code) == (403, 200)


def test_the_list_asks_the_same_number_of_queries_whatever_its_length(client, superuser):
    counts = []
    for more in (1, 3):
        for _ in range(more):
            make_client_token(make_organisation(), created_by=make_user())
        with CaptureQueriesContext(connection) as queries:
            client.get("/admin/accounts/clienttoken/")
        counts.append(len(queries))

    assert counts[0] == counts[1]


# At the door


@pytest.mark.parametrize("header", [{"Authorization": "Bearer {}"}, {"X-API-Key": "{}"}])
def test_a_token_opens_what_is_marked_for_it_in_its_own_organisation_as_nobody(client, lumen, header):
    token = make_client_token(lumen)
    make_organisation("Abbey")
    sent = {name: value.format(token) for name, value in header.items()}

    answer = client.post(FLAGS, headers={**sent, "X-Organization-ID": "abbey"}).json()

    assert answer == {"organisation": "lumen", "is_person": False}


def test_a_token_opens_nothing_that_is_for_people(client, lumen):
    token = make_client_token(lumen)

    assert told(client.post(PEOPLE, headers=bearing(token))) == (403, "not_for_client_tokens")
    assert told(client.get("/api/v1/auth/me", headers=bearing(token))) == (403, "not_for_client_tokens")
    assert told(client.post(PEOPLE, headers={"X-API-Key": token})) == (401, "unauthenticated")


def test_a_token_is_no_session_and_opens_no_page(client, lumen):
    make_client_token(lumen)

    response = client.get("/o/lumen/", headers=bearing(make_client_token(lumen)))

    assert (response.status_code, response.headers["Location"]) == (302, "/sign-in/?next=/o/lumen/")


def test_a_persons_credential_opens_what_is_marked_too(client, bearer, lumen):
    make_member(lumen, subject="auth0|ben")

    answer = client.post(FLAGS, headers=bearer("auth0|ben")).json()

    assert answer == {"organisation": "lumen", "is_person": True}


def test_of_two_headers_both_must_hold_the_same(client, lumen):
    one, other = make_client_token(lumen), make_client_token(lumen)
    pairs = [(one, one), (one, other), (one, "bad"), ("mec_" + "a" * 43, one)]

    answers = [client.post(FLAGS, headers={**bearing(token), "X-API-Key": key}).status_code for token, key in pairs]

    assert answers == [200, 401, 401, 401]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda token: token[:-1],
        lambda token: token + "a",
        lambda token: token[:-1] + ("a" if token[-1] != "a" else "b"),
        lambda token: token.swapcase(),
        lambda token: token[:12],
        lambda token: "mec_",
        client_tokens.hash_of,
    ],
)
def test_what_is_not_the_whole_token_is_refused(client, lumen, spoil):
    token = spoil(make_client_token(lumen))

    assert client.post(FLAGS, headers={"X-API-Key": token}).status_code == 401
    assert told(client.post(FLAGS, headers=bearing(token))) == (401, "invalid_token")


@pytest.mark.parametrize("key", ["", " ", "é", "mec_\x00", "a" * 5000])
def test_a_key_that_is_none_is_refused(client, key):
    assert client.post(FLAGS, headers={"X-API-Key": key}).status_code == 401


def test_an_expired_token_is_refused(client, lumen):
    now = timezone.now()
    past = make_client_token(lumen, created_at=now - timedelta(days=2), expires_at=now - timedelta(seconds=1))
    future = make_client_token(lumen, expires_at=now + timedelta(hours=1))

    answers = [client.post(FLAGS, headers=bearing(token)).status_code for token in (past, future)]

    assert answers == [401, 200]


def test_a_suspended_organisation_is_refused(client):
    token = make_client_token(make_organisation("Lumen", status="suspended"))

    assert told(client.post(FLAGS, headers=bearing(token))) == (403, "organisation_suspended")


def test_too_many_calls_of_one_token_are_told_when_to_come_again(client, settings, lumen):
    settings.CLIENT_TOKEN_RATE = (60, 2)
    one, other = make_client_token(lumen), make_client_token(lumen)
    statuses = [client.post(FLAGS, headers=bearing(one)).status_code for _ in range(2)]

    refused = client.post(FLAGS, headers=bearing(one))

    assert (statuses, told(refused), refused.headers["Retry-After"]) == ([200, 200], (429, "too_many_requests"), "1")
    assert client.post(FLAGS, headers=bearing(other)).status_code == 200


def test_guessing_tokens_is_held_to_the_limit_of_an_address(client, settings):
    settings.ADDRESS_RATE = (60, 2)

    statuses = [client.post(FLAGS, headers={"X-API-Key": f"mec_{n:043}"}).status_code for n in range(3)]

    assert statuses == [401, 401, 429]


# What is known of its use


def test_a_use_is_noted_at_most_once_in_five_minutes(client, lumen):
    token = make_client_token(lumen)
    client.post(FLAGS, headers=bearing(token))
    first = rows()[0].last_used_at

    with CaptureQueriesContext(connection) as queries:
        client.post(FLAGS, headers=bearing(token))
    assert [query["sql"] for query in queries if "UPDATE" in query["sql"] and "clienttoken" in query["sql"]] == []
    assert (first is not None, rows()[0].last_used_at) == (True, first)


def test_a_use_after_five_minutes_is_noted_again(client, lumen):
    long_ago = timezone.now() - timedelta(minutes=6)
    token = make_client_token(lumen, created_at=long_ago, last_used_at=long_ago)

    client.post(FLAGS, headers=bearing(token))

    assert rows()[0].last_used_at not in {None, long_ago}


def test_where_nothing_can_be_written_the_token_still_opens(client, lumen, monkeypatch):
    def breaks(*_: Any, **__: Any) -> None:
        raise DatabaseError("read-only")

    token = make_client_token(lumen)
    monkeypatch.setattr("django.db.models.query.QuerySet.update", breaks)

    assert client.post(FLAGS, headers=bearing(token)).status_code == 200


# Kept closed


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE accounts_clienttoken SET revoked_at = NULL",
        "UPDATE accounts_clienttoken SET organisation_id = 1",
        "DELETE FROM accounts_clienttoken",
        "INSERT INTO accounts_clienttoken (name) VALUES ('mine')",
    ],
)
def test_the_web_makes_and_changes_no_token_outside_the_admin_site(lumen, statement):
    make_client_token(lumen)

    with (
        scope.organisation(lumen.pk),
        pytest.raises(DatabaseError, match="permission denied"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)


def test_a_token_in_a_text_is_hidden_and_its_beginning_is_not(lumen):
    token = make_client_token(lumen)

    assert redact(f"sent {token} today") == "sent [hidden] today"
    assert redact(f"the client {token[:12]} asks") == f"the client {token[:12]} asks"
