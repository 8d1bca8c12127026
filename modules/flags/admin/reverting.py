"""Back to what an older release said: all flags or one, after a look at what that changes, with a reason."""

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone

from modules.flags import actions
from modules.flags.admin.history import compared_bodies, held_number, release_or_404
from modules.flags.admin.pages import Page
from modules.flags.document import Malformed, bodies
from modules.flags.drafting import draft
from modules.flags.effects import effects
from modules.flags.models import FlagRelease
from modules.flags.newest import newest_number
from modules.flags.releases import Overtaken, Refused
from modules.flags.restoring import Restored
from modules.flags.soundness import require_sound


class RevertForm(forms.Form):
    """`newest` is the release that was the newest when the page was shown."""

    newest = forms.IntegerField(min_value=0, max_value=2**31 - 1, widget=forms.HiddenInput)
    reason = forms.CharField(
        max_length=400, label="Reason", help_text="Why? Kept in the history and the audit beside your name."
    )


def revert(request: HttpRequest, number: int, *, model_admin: ModelAdmin) -> HttpResponse:
    release, key = release_or_404(number), request.GET.get("flag", "")
    form = RevertForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        done = _reverted(request, form, number, key)
        if done is not None:
            return done
        form = RevertForm({**request.POST.dict(), "newest": newest_number()})
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Take {key} back to release {number}" if key else f"Take all flags back to release {number}",
        "opts": model_admin.opts,
        "release": release,
        "flag": key,
        "form": form,
        "newest": form["newest"].value() if form.is_bound else newest_number(),
        "holds": held_number(),
        **_shown(release, key),
    }
    return TemplateResponse(request, "admin/flags/revert.html", context)


def _shown(release: FlagRelease, key: str) -> dict[str, Any]:
    """What would change, or why it cannot be."""
    try:
        now, wanted = draft(), _wanted(release, key)
        require_sound(wanted)
        return {
            "deleted": sorted(bodies(now).keys() - bodies(wanted).keys()),
            "compared": compared_bodies(bodies(now), bodies(wanted)),
            "effects": effects(now, wanted, at=timezone.now()),
        }
    except (Malformed, Refused) as fault:
        return {"refusal": " ".join(fault.messages) if isinstance(fault, Refused) else str(fault)}


def _wanted(release: FlagRelease, key: str) -> str:
    return actions.with_flag_of(key, release.number) if key else release.document


def _reverted(request: HttpRequest, form: RevertForm, number: int, key: str) -> HttpResponse | None:
    """Back to the history when it is done; None, with what was refused in a message, when the page is to stay."""
    given = {"by": request.user, "reason": form.cleaned_data["reason"], "newest": form.cleaned_data["newest"]}
    try:
        done = actions.revert_flag_to(key, number, **given) if key else actions.revert_to(number, **given)
    except Overtaken as refusal:
        messages.warning(request, " ".join(refusal.messages))
        return None
    except Refused as refusal:
        messages.error(request, f"Nothing was changed: {' '.join(refusal.messages)}")
        return None
    _tell(request, done, number, key)
    return HttpResponseRedirect(reverse("admin:flags_history"))


def _tell(request: HttpRequest, done: Restored, number: int, key: str) -> None:
    what = f"The flag {key} says" if key else "All flags say"
    messages.success(request, f"{what} again what release {number} said.")
    for line in done.left_out:
        messages.warning(request, f"Left out: {line}.")


PAGES = (Page("history/<int:number>/revert/", revert, "flags_revert", is_for_editors=True),)
