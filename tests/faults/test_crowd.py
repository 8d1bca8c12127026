"""Three times as many stuck requests as threads: health answers, and the surplus is refused at once."""

import threading
import time

import pytest
import requests

from tests.faults.world import HERE, LIMITS, PAGE_LIMIT, World, seconds_until, sign_in

pytestmark = [pytest.mark.served, pytest.mark.alone]
THREADS = int(LIMITS["WEB_THREADS"])
Told = tuple[int, float, str, str]


def ask_all_at_once(world: World, browser: requests.Session, count: int) -> tuple[list[Told], list[threading.Thread]]:
    told: list[Told] = []

    def ask() -> None:
        began = time.monotonic()
        response = requests.get(f"{world.url}{HERE}", cookies=browser.cookies, timeout=30, allow_redirects=False)
        seconds = time.monotonic() - began
        told.append((response.status_code, seconds, response.headers.get("Retry-After", ""), response.text))

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    return told, threads


@pytest.mark.parametrize("workers", [1, 4])
def test_stuck_requests_leave_threads_for_health_and_refusals(world, workers):
    with world.serving(workers):
        seconds_until(lambda: world.get("/healthz/ready").status_code == 200, 20)
        browser = sign_in(world)
        world.line.mute()
        told, threads = ask_all_at_once(world, browser, 3 * THREADS * workers)
        time.sleep(0.5)

        slowest = max(time_to_live(world) for _ in range(20))
        at_once = [answer for answer in told if answer[1] < 1.5]
        for thread in threads:
            thread.join()
        world.line.heal()
        again = seconds_until(lambda: open_page(world, browser) == 200, 5)

    assert slowest < 1
    assert [answer[0] for answer in told] == [503] * len(threads)
    assert len(at_once) >= THREADS * workers
    assert all(retry == "5" and "Too many people" in text for _, _, retry, text in at_once)
    assert max(seconds for _, seconds, _, _ in told) < PAGE_LIMIT
    assert all("Incident id" in text for *_, text in told)
    assert again < 5


def time_to_live(world: World) -> float:
    began = time.monotonic()
    assert world.get("/healthz/live", timeout=5).status_code == 200
    return time.monotonic() - began


def open_page(world: World, browser: requests.Session) -> int:
    return browser.get(f"{world.url}{HERE}", timeout=20, allow_redirects=False).status_code


def test_callers_who_connect_and_say_nothing_take_no_thread(world):
    import socket

    with world.serving(1):
        seconds_until(lambda: world.get("/healthz/ready").status_code == 200, 20)
        silent = [socket.create_connection(("127.0.0.1", world.port)) for _ in range(5 * THREADS)]

        slowest = max(time_to_live(world) for _ in range(20))
        page = world.get("/sign-in/", timeout=3).status_code

        for caller in silent:
            caller.close()

    assert (page, slowest < 1) == (200, True)
