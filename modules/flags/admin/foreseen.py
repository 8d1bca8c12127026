"""What a change of flags would do to whom, for the page that asks whether it shall be made."""

from collections.abc import Callable
from typing import Any

from django.template.loader import render_to_string
from django.utils import timezone

from modules.flags.admin.caveats import unread
from modules.flags.effects import effects
from modules.flags.rehearsal import rehearse
from modules.flags.releases import Refused

SHOWN = 10  # flags of which it is told; more are not read


def foreseen(run: Callable[[], Any]) -> str:
    """A piece of a page. `run` calls the action, on rows that are used for nothing else, and is taken back."""
    try:
        told = rehearse(run)
    except Refused as refusal:
        return render_to_string("admin/flags/_refusal.html", {"problems": refusal.messages})
    found = effects(told.before, told.after, at=timezone.now())
    more = len(found.flags) - SHOWN
    found.flags = found.flags[:SHOWN]
    caveats = unread(told.number, told.held)
    context = {"effects": found, "are_examples_closed": True, "more": more, "caveats": caveats}
    return render_to_string("admin/flags/_foreseen.html", context)
