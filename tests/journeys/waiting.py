"""Waiting for what comes soon; how soon it has to come is measured where nothing else runs (`make test-alone`)."""

import time

from playwright.sync_api import Page


def until_it_answers(page: Page, path: str, status: int, within: float = 10.0) -> None:
    """Asks for the page again and again until it has this status."""
    ends_at = time.monotonic() + within
    while (answered := page.goto(path)) is None or answered.status != status:
        assert time.monotonic() < ends_at, f"{path} does not answer {status} within {within} seconds"
        page.wait_for_timeout(100)
