"""The page between a form and its release: what changes in words, and for whom. It holds no lock and writes nothing."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils import timezone

from modules.flags.admin.caveats import unread
from modules.flags.differences import differences
from modules.flags.effects import effects
from modules.flags.models import FlagRelease
from modules.flags.names import names_between
from modules.flags.rehearsal import Rehearsal

PUBLISH, EDIT, SEEN = "_publish", "_edit", "_seen"
# Not carried from the form to the page and back: the page has its own.
LEFT_OUT = {"csrfmiddlewaretoken", PUBLISH, EDIT, SEEN, "_save", "_preview", "reason"}


class Previewed(Exception):
    """Undoes what a form began, for its preview to be shown instead."""

    def __init__(self, rehearsal: Rehearsal, row: Any) -> None:
        super().__init__()
        self.rehearsal, self.row = rehearsal, row


def number_seen(request: HttpRequest) -> int:
    """The newest release when the preview was shown; -1 for none."""
    sent = request.POST.get(SEEN, "")
    return int(sent) if sent.isdecimal() and len(sent) < 10 else -1


def preview_page(model_admin: Any, request: HttpRequest, previewed: Previewed) -> HttpResponse:
    told = previewed.rehearsal
    context = {
        **model_admin.admin_site.each_context(request),
        "title": "Preview before publishing",
        "subtitle": str(previewed.row),
        "opts": model_admin.opts,
        "differences": differences(told.before, told.after, names_between(told.before, told.after)),
        "targets": model_admin.told_of_target(previewed.row, told),
        "effects": effects(told.before, told.after, at=timezone.now()),
        "number": told.number,
        "caveats": unread(told.number, told.held),
        "overtaken_by": _overtaken_by(request, told.number),
        "carried": [(name, value) for name, values in _sent(request) for value in values],
        "reason": request.POST.get("reason", ""),
        "media": model_admin.media,
    }
    return TemplateResponse(request, "admin/flags/preview.html", context)


def _sent(request: HttpRequest) -> list[tuple[str, list[str]]]:
    return [(name, values) for name, values in request.POST.lists() if name not in LEFT_OUT]


def _overtaken_by(request: HttpRequest, number: int) -> FlagRelease | None:
    """The release that came between an earlier preview and this one."""
    if not hasattr(request, "overtaken") or number_seen(request) < 0:
        return None
    return FlagRelease.objects.filter(number=number).first()
