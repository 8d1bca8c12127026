"""Flags in the admin site: the list, the page of each, and the pages around them."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from modules.flags.admin import history, reverting, use, why
from modules.flags.admin.due import DUE
from modules.flags.admin.kill_switch import KILL_SWITCH
from modules.flags.admin.listing import ListOfFlags
from modules.flags.admin.page import PageOfFlag
from modules.flags.admin.pages import Page
from modules.flags.models import Flag

# What is reached from the list, from a flag, or from both.
PAGES: tuple[Page, ...] = (*why.PAGES, *use.PAGES, *history.PAGES, *reverting.PAGES, *KILL_SWITCH, DUE)


@admin.register(Flag)
class FlagAdmin(ListOfFlags, PageOfFlag):
    change_list_template = "admin/flags/flag/change_list.html"
    change_form_template = "admin/flags/flag/change_form.html"

    class Media:
        css = {"all": ("flags/admin.css", "flags/editing.css")}

    def get_urls(self) -> list[Any]:
        return [*(page.url(self) for page in PAGES), *super().get_urls()]

    def history_view(self, request: HttpRequest, object_id: str, extra_context: Any = None) -> HttpResponse:
        """There is one history: the releases, which know of every change."""
        flag = self.get_object(request, object_id)
        query = f"?{urlencode({'flag': flag.key})}" if flag else ""
        return HttpResponseRedirect(f"{reverse('admin:flags_history')}{query}")

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        pages = [page for page in PAGES if page.of_list and page.is_open(request, self)]
        return super().changelist_view(request, {**(extra_context or {}), "pages_of_list": pages})

    def change_view(self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None) -> Any:
        pages = [page for page in PAGES if page.of_flag and page.is_open(request, self)]
        return super().change_view(request, object_id, form_url, {**(extra_context or {}), "pages_of_flag": pages})
