"""What is asked of the provider, how often, and what an answer that makes no sense does."""

import json
import threading
import time
from dataclasses import replace
from typing import Any

import pytest

from accounts import provider as calls
from accounts import provider_keys
from accounts.bounded_http import Answer, Budget, NoAnswer
from accounts.provider_keys import KeyStore
from accounts.refusals import BAD_TOKEN, PROVIDER_DOWN, PROVIDER_REFUSED, Refusal, Refused
from tests.accounts.lying import jwk, key
from tests.accounts.talking import answer, drips, says, talking

FIRST, SECOND = jwk(kid="first"), jwk(key(name="second"), kid="second")


class Keys:
    """Stands for the address of the keys: `listed` is what it answers next, or None when it is down."""

    def __init__(self) -> None:
        self.listed: list[Any] | None = [FIRST]
        self.asked = 0

    def ask(self, url: str, budget: Budget) -> Answer:
        self.asked += 1
        if self.listed is None:
            raise NoAnswer("down")
        return Answer(200, "application/json", json.dumps({"keys": self.listed}).encode())


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> Keys:
    made = Keys()
    monkeypatch.setattr(provider_keys.bounded_http, "ask", made.ask)
    return made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(provider_keys.time, "monotonic", lambda: now[0])
    return now


def outcome(store: KeyStore, kid: str | None = "first", patience: float = 2) -> Refusal | None:
    try:
        store.key(kid, Budget(patience))
    except Refused as refused:
        return refused.refusal
    return None


def test_keys_are_not_asked_for_again_for_ten_minutes(keys, clock):
    store = KeyStore()

    assert [outcome(store), outcome(store), keys.asked] == [None, None, 1]
    clock[0] += 601
    assert [outcome(store), keys.asked] == [None, 2]


def test_a_key_that_the_provider_took_back_is_not_used_after_that(keys, clock):
    store = KeyStore()
    outcome(store)
    keys.listed = [SECOND]
    clock[0] += 601

    assert outcome(store) == BAD_TOKEN


def test_a_new_key_is_found_at_once(keys, clock):
    store = KeyStore()
    outcome(store)
    keys.listed = [FIRST, SECOND]

    assert outcome(store, "second") is None


@pytest.mark.parametrize(("hours", "expected"), [(0, True), (23.9, True), (24.1, False)])
def test_a_known_key_is_at_hand_for_a_day_and_no_other(keys, clock, hours, expected):
    store = KeyStore()
    assert not store.is_at_hand("first")
    outcome(store)
    clock[0] += hours * 3600

    assert (store.is_at_hand("first"), store.is_at_hand("invented")) == (expected, False)


class KeysForThePatient(Keys):
    """Answers those who wait long enough; others wait as long as they can, in vain."""

    def ask(self, url: str, budget: Budget) -> Answer:
        seconds = budget.left()
        if seconds < 3:
            time.sleep(seconds)
            self.asked += 1
            raise NoAnswer("out of time")
        return super().ask(url, budget)


@pytest.fixture
def keys_for_the_patient(monkeypatch: pytest.MonkeyPatch) -> KeysForThePatient:
    made = KeysForThePatient()
    monkeypatch.setattr(provider_keys.bounded_http, "ask", made.ask)
    return made


def test_who_waited_too_short_keeps_nobody_from_asking_who_waits_longer(keys_for_the_patient):
    store = KeyStore()

    assert outcome(store, patience=0.1) == PROVIDER_DOWN
    assert (outcome(store, patience=0.5), keys_for_the_patient.asked) == (PROVIDER_DOWN, 1)
    assert (outcome(store, patience=6), keys_for_the_patient.asked) == (None, 2)


def test_a_new_key_is_looked_for_again_by_who_waits_longer(keys_for_the_patient):
    store = KeyStore()
    outcome(store, patience=6)
    keys_for_the_patient.listed = [FIRST, SECOND]

    assert outcome(store, "second", patience=0.1) == BAD_TOKEN
    assert outcome(store, "second", patience=6) is None


def test_who_waited_for_somebody_in_vain_asks_with_the_time_that_is_left(keys_for_the_patient):
    store = KeyStore()
    first = threading.Thread(target=outcome, args=[store], kwargs={"patience": 0.4})
    first.start()
    while not store._asking:
        time.sleep(0.01)

    assert outcome(store, patience=6) is None
    first.join()


def test_keys_that_nobody_knows_are_not_asked_for_more_often_than_every_half_minute(keys, clock):
    store = KeyStore()
    outcome(store)

    assert [outcome(store, f"invented-{number}") for number in range(9)] == [BAD_TOKEN] * 9
    assert keys.asked == 2
    clock[0] += 31
    outcome(store, "invented")
    assert keys.asked == 3


@pytest.mark.parametrize(("hours", "expected"), [(1, None), (23.9, None), (24.1, PROVIDER_DOWN)])
def test_keys_are_kept_a_day_while_the_provider_is_down(keys, clock, hours, expected):
    store = KeyStore()
    outcome(store)
    keys.listed = None
    clock[0] += hours * 3600

    assert outcome(store) == expected


def test_a_provider_that_is_down_is_not_asked_again_and_again(keys, clock):
    keys.listed = None
    store = KeyStore()

    assert [outcome(store), outcome(store), keys.asked] == [PROVIDER_DOWN, PROVIDER_DOWN, 1]
    keys.listed = [FIRST]
    clock[0] += 6
    assert outcome(store) is None


def test_keys_of_another_address_are_others(keys, clock, settings):
    store = KeyStore()
    outcome(store)
    settings.OIDC_OP_JWKS_ENDPOINT = "https://another.example/keys"
    keys.listed = None

    assert outcome(store) == PROVIDER_DOWN


@pytest.mark.parametrize("listed", [5, "first", {"kid": "first"}])
def test_a_list_that_is_none_is_no_answer(keys, listed):
    keys.listed = listed

    assert outcome(KeyStore()) == PROVIDER_DOWN


@pytest.mark.parametrize("listed", [[], ["first"], [{"kid": 5}], [None], [[FIRST]]])
def test_keys_that_make_no_sense_are_no_keys(keys, listed):
    keys.listed = listed

    assert outcome(KeyStore()) == BAD_TOKEN


class SlowKeys(Keys):
    """Answers when told to, and says when it was asked."""

    def __init__(self) -> None:
        super().__init__()
        self.begun, self.go_on = threading.Event(), threading.Event()

    def ask(self, url: str, budget: Budget) -> Answer:
        self.begun.set()
        self.go_on.wait(5)
        return super().ask(url, budget)


@pytest.fixture
def slow_keys(monkeypatch: pytest.MonkeyPatch) -> SlowKeys:
    made = SlowKeys()
    monkeypatch.setattr(provider_keys.bounded_http, "ask", made.ask)
    return made


def in_threads(number: int, store: KeyStore, kid: str) -> tuple[list[threading.Thread], list[Refusal | None]]:
    found: list[Refusal | None] = []
    threads = [threading.Thread(target=lambda: found.append(outcome(store, kid))) for _ in range(number)]
    for thread in threads:
        thread.start()
    return threads, found


def test_who_has_a_key_does_not_wait_for_those_who_ask_for_another(slow_keys):
    slow_keys.go_on.set()
    store = KeyStore()
    outcome(store)
    slow_keys.go_on.clear()
    slow_keys.begun.clear()
    threads, _ = in_threads(3, store, "second")
    slow_keys.begun.wait(5)
    began = time.monotonic()

    found = outcome(store)

    waited = time.monotonic() - began
    slow_keys.go_on.set()
    for thread in threads:
        thread.join(5)
    assert (found, waited < 1) == (None, True)


def test_one_of_many_with_an_older_key_asks_and_the_others_go_on(slow_keys):
    slow_keys.go_on.set()
    store = KeyStore()
    outcome(store)
    store.known = replace(store.known, read_at=store.known.read_at - 700)
    slow_keys.go_on.clear()
    slow_keys.begun.clear()
    threads, _ = in_threads(1, store, "first")
    slow_keys.begun.wait(5)
    began = time.monotonic()

    found = outcome(store)

    waited = time.monotonic() - began
    slow_keys.go_on.set()
    threads[0].join(5)
    assert (found, waited < 1) == (None, True)


def test_many_who_need_the_same_key_ask_once(slow_keys):
    store = KeyStore()
    threads, found = in_threads(8, store, "first")
    slow_keys.begun.wait(5)
    time.sleep(0.1)
    slow_keys.go_on.set()
    for thread in threads:
        thread.join(5)

    assert (found, slow_keys.asked) == ([None] * 8, 1)


def test_keys_that_could_be_used_are_not_waited_for_to_the_end(keys, clock, monkeypatch):
    store, given = KeyStore(), []
    outcome(store)
    clock[0] += 601

    def ask(url: str, budget: Budget) -> Answer:
        given.append(budget.left())
        return keys.ask(url, budget)

    monkeypatch.setattr(provider_keys.bounded_http, "ask", ask)

    store.key("first", Budget(60))

    assert given == [provider_keys.READ_LIMIT]


@pytest.mark.parametrize(
    ("conversation", "refusal"),
    [
        (says(answer(b"<html>", kind="text/html")), PROVIDER_DOWN),
        (says(answer(b"[]")), PROVIDER_DOWN),
        (says(answer(b"{}")), BAD_TOKEN),
        (says(answer(b'{"id_token": 5}')), BAD_TOKEN),
        (says(answer(b'{"id_token": "a.b.c", "access_token": 5}')), BAD_TOKEN),
        (says(answer(b"", "302 Found", more=b"Location: /elsewhere\r\n")), PROVIDER_REFUSED),
        (says(answer(b'{"error": "invalid_grant"}', "400 Bad Request")), PROVIDER_REFUSED),
        (says(answer(b"{}", "401 Unauthorized")), PROVIDER_REFUSED),
        (says(answer(b"{}", "429 Too Many Requests")), PROVIDER_DOWN),
        (says(answer(b"", "502 Bad Gateway")), PROVIDER_DOWN),
        (drips(b"HTTP/1.1 200 OK\r\n", b"x"), PROVIDER_DOWN),
    ],
)
def test_one_question_and_a_reason_for_every_bad_answer(settings, conversation, refusal):
    with talking(conversation) as server:
        settings.OIDC_OP_TOKEN_ENDPOINT = f"{server.url}oauth/token"

        with pytest.raises(Refused) as refused:
            calls.exchange("code", "verifier", Budget(0.5))

    assert (refused.value.refusal, len(server.heard)) == (refusal, 1)


def test_tokens_do_not_show_what_they_are():
    assert "secret" not in repr(calls.Tokens("secret", "secret"))
