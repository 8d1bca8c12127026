"""What the pages that change flags share: a preview before each release, and nothing typed is lost on the way."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import ImproperlyConfigured
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from modules.flags.admin.preview import EDIT, PUBLISH, Previewed, number_seen, preview_page
from modules.flags.effects import is_only_description
from modules.flags.newest import newest_number
from modules.flags.rehearsal import Rehearsal, rehearse
from modules.flags.releases import Overtaken, Refused, hold
from tenants.administration import ActionAdmin


class ReleasingAdmin(ActionAdmin):
    """Saving shows a preview, and publishing it is a release of all flags. Where the whole would make no sense, the
    form says so with all that was typed."""

    def release(self, row: Any, form: Any, *, by: Any) -> None:
        raise ImproperlyConfigured(f"{type(self).__name__} must say which action releases its rows.")

    def told_of_target(self, row: Any, rehearsal: Rehearsal) -> Any:
        """What the preview says of the one whom the row is for, where there is one (`admin/target.py`)."""
        return None

    def is_changed(self, form: Any) -> bool:
        return bool(set(form.changed_data) - {"opened"})

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **options)
        except Previewed as previewed:
            return preview_page(self, request, previewed)
        except Overtaken as overtaken:
            request.overtaken = overtaken  # type: ignore[attr-defined]
            return self.changeform_view(request, *args, **options)
        except Refused as refusal:
            request.refusal = refusal  # type: ignore[attr-defined]
            return super().changeform_view(request, *args, **options)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **options: Any) -> Any:
        form = super().get_form(request, obj, change, **options)
        form.is_shown_again = EDIT in request.POST
        return form

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        if change and not self.is_changed(form):
            self._say_unchanged(request)
            return
        if PUBLISH in request.POST and not hasattr(request, "overtaken"):
            hold(number_seen(request))
            self._publish(request, obj, form)
            return
        rehearsal = rehearse(lambda: self.release(obj, form, by=request.user))
        if rehearsal.is_of_newest and rehearsal.before == rehearsal.after:
            self._say_unchanged(request)
            return
        is_plain = rehearsal.is_of_newest and is_only_description(rehearsal.before, rehearsal.after)
        if not (change and is_plain):
            raise Previewed(rehearsal, obj)
        self._publish(request, obj, form, "It describes the flag and changes nobody's answer. ")

    def _say_unchanged(self, request: HttpRequest) -> None:
        self.message_user(request, "Nothing was changed, so nothing was published.", messages.INFO)

    def _publish(self, request: HttpRequest, row: Any, form: Any, words: str = "") -> None:
        self.release(row, form, by=request.user)
        self.message_user(request, f"{words}Published as release {newest_number()}.", messages.SUCCESS)

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: Any = None) -> HttpResponse:
        return HttpResponseRedirect(self.address_after(obj))

    def response_change(self, request: HttpRequest, obj: Any) -> HttpResponse:
        return HttpResponseRedirect(self.address_after(obj))

    def address_after(self, row: Any) -> str:
        return reverse(f"admin:{self.opts.app_label}_{self.opts.model_name}_change", args=[row.pk])
