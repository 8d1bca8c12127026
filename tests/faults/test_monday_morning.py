"""Monday at nine: fifty people sign in at once from one address, and the provider takes two seconds for each answer."""

import os
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace

import pytest
import requests

from accounts.demonstration import PEOPLE
from accounts.local_provider.tokens import Faults
from tests.faults.world import HERE, World, seconds_until, sign_in

pytestmark = [pytest.mark.served, pytest.mark.alone]
CROWD = 50
PATIENCE = 60.0  # seconds until the last of them is in
PENDING = re.compile(r'name="pending" value="([^"]+)"')


def come_in(world: World, subject: str, seen: Counter[str]) -> bool:
    """One person, from the sign-in page to the product, following pages that say when to come again."""
    _give_way()
    browser = requests.Session()
    browser.headers["Connection"] = "close"
    answer = browser.get(f"{world.url}/oidc/authenticate/", timeout=30)
    answer = answered(browser, answer, seen)
    pending = PENDING.search(answer.text)
    assert pending, answer.text
    form = {"pending": pending[1], "subject": subject}
    answer = browser.post(f"{world.issuer}authorize", data=form, timeout=30)
    answer = answered(browser, answer, seen)
    return answer.status_code == 200 and "Sign out" in answer.text


def _give_way() -> None:
    """The crowd's own browsers are on other machines: here they take no processor from what answers them."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


def _warm_up(world: World, browser: requests.Session) -> None:
    """It has served people before that day: its threads have their connections to the database."""
    cookies = browser.cookies.get_dict()
    with ThreadPoolExecutor(12) as many:
        answers = list(many.map(lambda _: world.get(HERE, cookies=cookies).status_code, range(60)))
    assert 200 in answers


def answered(browser: requests.Session, answer: requests.Response, seen: Counter[str]) -> requests.Response:
    ends_at = time.monotonic() + PATIENCE
    while (again := answer.headers.get("Refresh") or answer.headers.get("Retry-After")) and time.monotonic() < ends_at:
        seen[f"{answer.status_code}"] += 1
        time.sleep(float(again))
        answer = browser.get(answer.url, timeout=30)
    return answer


WATCH = """
import http.client, sys, time
port, cookie, stop = int(sys.argv[1]), sys.argv[2], time.monotonic() + 120
while time.monotonic() < stop:
    for path in ("{here}", "/healthz/live"):
        began = time.monotonic()
        line = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        line.connect()
        connected = time.monotonic()
        line.request("GET", path, headers={{"Cookie": cookie}})
        status = line.getresponse().status
        print(path, status, time.monotonic() - began, connected - began, flush=True)
        line.close()
    time.sleep(0.1)
"""


@contextmanager
def watching(world: World, browser: requests.Session) -> Iterator[list[tuple[str, int, float, float]]]:
    """Pages that have nothing to do with signing in, opened all the while by a process of its own: how each ended,
    after how many seconds, and how many of them it took to connect."""
    cookie = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    told: list[tuple[str, int, float, float]] = []
    watch = subprocess.Popen(
        [sys.executable, "-c", WATCH.format(here=HERE), str(world.port), cookie], stdout=subprocess.PIPE, text=True
    )
    try:
        yield told
    finally:
        watch.terminate()
        lines, _ = watch.communicate(timeout=10)
    for path, status, seconds, connecting in (line.split() for line in lines.splitlines()):
        told.append((path, int(status), float(seconds), float(connecting)))


@pytest.mark.parametrize("workers", [1, 2])
def test_fifty_people_sign_in_at_nine_and_nobody_else_notices(world, workers):
    with world.serving(workers, WEB_THREADS="16", OIDC_TIMEOUT="6"):
        seconds_until(lambda: world.get("/healthz/ready").status_code == 200, 20)
        bystander = sign_in(world)
        _warm_up(world, bystander)
        world.provider.faults = replace(Faults(), seconds_late=2.0)
        arrived: list[bool] = []
        seen: Counter[str] = Counter()
        subjects = [person.subject for person in PEOPLE if person.is_known and person.is_active][:9]
        crowd = [
            threading.Thread(target=lambda at=at: arrived.append(come_in(world, subjects[at % 9], seen)), daemon=True)
            for at in range(CROWD)
        ]
        try:
            with watching(world, bystander) as told:
                for person in crowd:
                    person.start()
                for person in crowd:
                    person.join(PATIENCE)
        finally:
            world.provider.faults = Faults()

    assert arrived == [True] * CROWD
    assert {status for _, status, *_ in told} == {200}
    slowest = max(told, key=lambda one: one[2])
    assert slowest[2] < 1, slowest
