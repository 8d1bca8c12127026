"""Two web processes on one database: what is changed in the admin site of the one, the other obeys."""

import re
import subprocess
from collections.abc import Iterator

import pytest
import requests

from tests.environment import ROOT
from tests.faults.world import GUNICORN, HERE, World, seconds_until, sign_in
from tests.marketedge.serving import free_port

pytestmark = [pytest.mark.served, pytest.mark.alone]
KILL_SWITCH = "/admin/flags/flag/kill-switch/?q=market_edge_v2"
PAGE = f"{HERE}market-edge-core/"
OBEYED_WITHIN = 1.5  # seconds
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
FLAG = re.compile(r'name="flag" value="([0-9]+)"')


@pytest.fixture
def other(world: World) -> Iterator[str]:
    """The address of a second web process, beside the one that `world.serving` starts."""
    port = free_port()
    with world.log.open("ab") as log:
        process = subprocess.Popen(
            world.names.seen_by([str(GUNICORN), "-c", "marketedge/gunicorn.conf.py"]),
            cwd=ROOT,
            env={**world.environment, "WEB_CONCURRENCY": "1", "PORT": str(port)},
            stdout=log,
            stderr=log,
        )
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=40)


def throw(browser: requests.Session, world: World, switch: str) -> None:
    """As somebody does who opens the kill switch, says why and presses the button."""
    page = browser.get(f"{world.url}{KILL_SWITCH}", timeout=20)
    token, flag = TOKEN.search(page.text), FLAG.findall(page.text)
    assert token, page.text
    assert len(flag) == 1, page.text
    form = {"csrfmiddlewaretoken": token[1], "flag": flag[0], "switch": switch, "reason": "a test"}
    answer = browser.post(f"{world.url}{KILL_SWITCH}", data=form, timeout=20, allow_redirects=False)
    assert answer.status_code == 302, answer.text


def test_a_kill_in_the_admin_site_of_one_process_closes_a_page_of_the_other_at_once(world, other):
    with world.serving():
        seconds_until(lambda: world.get("/healthz/ready").status_code == 200, 30)
        seconds_until(lambda: requests.get(f"{other}/healthz/ready", timeout=5).status_code == 200, 30)
        superuser, viewer = sign_in(world, "demonstration|superuser"), sign_in(world)

        def status() -> int:
            return viewer.get(f"{other}{PAGE}", timeout=20, allow_redirects=False).status_code

        before = status()
        throw(superuser, world, "kill")
        closed_after = seconds_until(lambda: status() == 403, OBEYED_WITHIN)
        throw(superuser, world, "restore")
        open_after = seconds_until(lambda: status() == 200, OBEYED_WITHIN)

    assert before == 200
    assert max(closed_after, open_after) < OBEYED_WITHIN
