"""A sign-in under way: what was put into the session when it began, found by its state, and spent once."""

import time
from dataclasses import dataclass
from typing import Any

from django.contrib.sessions.backends.base import UpdateError
from django.http import HttpRequest

LIFETIME = 600
STATES = "oidc_states"


@dataclass(frozen=True)
class Attempt:
    nonce: str
    code_verifier: str
    next_url: str
    link_hash: str


def note(request: HttpRequest, **more: str) -> None:
    """Keep more beside the attempt that was begun last, so that two tabs do not share it."""
    states = request.session[STATES]
    state = max(states, key=lambda key: states[key]["added_on"])
    states[state].update(more)
    request.session.modified = True


def spend(request: HttpRequest) -> Attempt | None:
    """The attempt that the callback belongs to, taken away; None when it is unknown, used or too old."""
    states: dict[str, Any] = request.session.get(STATES) or {}
    found = states.pop(request.GET.get("state", ""), None)
    if found is None:
        return None
    try:
        # Saved now: signing in is slow, and the same callback may come a second time meanwhile.
        request.session.save()
    except UpdateError:
        # Another tab ended this session, and its successor's cookie is not ours to touch.
        return None
    # Read again when next needed, so that what other tabs begin meanwhile is kept.
    request.session = type(request.session)(request.session.session_key)
    if time.time() - found["added_on"] > LIFETIME:
        return None
    return Attempt(found["nonce"], found["code_verifier"], found.get("next_url") or "", found.get("link_hash") or "")
