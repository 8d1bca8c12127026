"""How soon is a release obeyed? Measured in this process, promised for the others."""

import time

from modules.flags import watching
from modules.flags.models import FlagRelease
from modules.flags.releases import ONLY_KILLS

LONGEST_WAIT = 1.5  # seconds that a page waits to be able to tell
PAUSE = 0.02


def obeyed(release: int) -> str:
    return f"{_obeyed(release)}{_what_is_missing(release)}"


def _what_is_missing(release: int) -> str:
    reason = FlagRelease.objects.values_list("reason", flat=True).get(number=release)
    _, is_missing, fault = reason.partition(f"({ONLY_KILLS}")
    return f" Only kills are in it. Put the rest right, and publish it: {fault.removesuffix(')')}" if is_missing else ""


def _obeyed(release: int) -> str:
    """A sentence on a release that has been committed; waits until this process obeys it, as long as that may take."""
    state = watching.store.state()
    if state.is_stale and not state.refused:
        problem = f" ({state.problem})" if state.problem else ""
        return (
            f"Release {release} is kept. This process cannot read the flags at the moment{problem}, and obeys as soon "
            "as it can; others obey within a second and a half."
        )
    began = time.monotonic()
    while (waited := time.monotonic() - began) < LONGEST_WAIT:
        if watching.store.current().version >= release:
            return f"Release {release} holds: here after {waited * 1000:.0f} ms, everywhere within a second and a half."
        time.sleep(PAUSE)
    return f"Release {release} is kept, and this process has not followed within a second and a half: see /health."
