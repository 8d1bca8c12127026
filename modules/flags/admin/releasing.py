"""What the pages that change flags share."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponseRedirect

from modules.flags.releases import Refused
from tenants.administration import ActionAdmin


class ReleasingAdmin(ActionAdmin):
    """Every save is a release of all flags; where the whole would make no sense, the page says so."""

    def changeform_view(self, request: HttpRequest, *args: Any, **options: Any) -> Any:
        try:
            return super().changeform_view(request, *args, **options)
        except Refused as refusal:
            self.message_user(request, f"Not saved: {' '.join(refusal.messages)}", messages.ERROR)
            return HttpResponseRedirect(request.get_full_path())
