"""What is true of the flags beyond what their rows say: a list of rows alone would lie about it."""

from typing import Any

from django.conf import settings
from django.utils import timezone

from modules.flags import watching
from modules.flags.admin.standing import forced_words
from modules.flags.models import FlagRelease

FOLLOWS_WITHIN = 2.0  # seconds in which every process is to know a release


def caveats() -> list[str]:
    """Sentences for the top of a page; one query."""
    newest = FlagRelease.objects.order_by("-number").values("number", "created_at").first()
    return [*_forced(), *_stale(newest)]


def _forced() -> list[str]:
    if not settings.FLAGS_FORCED:
        return []
    words = ", ".join(f"{key} {forced_words(key)}" for key in sorted(settings.FLAGS_FORCED))
    return [f"The operator decides over some flags, whatever is said here (FLAGS_FORCED): {words}."]


def unread(newest: int, held: int) -> list[str]:
    """Of a newest release that cannot be read here, so that an older one holds. No query."""
    if newest == held:
        return []
    holds = f"release {held} holds" if held else "the defaults of the code hold"
    return [
        f"Release {newest} cannot be read here: it is damaged, or of a newer version of the product. Until one can be, "
        f"{holds}."
    ]


def _stale(newest: Any) -> list[str]:
    """Of this process, which answers like its fellows; those may know more or less."""
    state = watching.store.state()
    number = newest["number"] if newest else 0
    if state.refused:
        return unread(state.refused, state.version)
    if state.is_stale:
        since = "has never read" if state.seconds_since_look is None else "has not read"
        for_long = "" if state.seconds_since_look is None else f" for {state.seconds_since_look:.0f} seconds"
        problem = f" ({state.problem})" if state.problem else ""
        return [
            f"This process {since} the flags from the database{for_long}{problem}: it answers with release "
            f"{state.version}, and the newest is {number}. Changes are kept, and obeyed when it reads again."
        ]
    is_late = newest and (timezone.now() - newest["created_at"]).total_seconds() > FOLLOWS_WITHIN
    if is_late and state.version != number:
        return [f"This process answers with release {state.version}, and the newest is {number}: see /health."]
    return []
