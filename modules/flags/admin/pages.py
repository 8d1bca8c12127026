"""What a page of our own beside Django's list and form of flags must say of itself."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, wraps
from typing import Any

from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path


@dataclass(frozen=True)
class Page:
    """`view(request, ..., model_admin=)` answers at `route` below the list, for those who may see flags; with
    `is_for_editors`, for those who may change them.

    `of_list` and `of_flag` are the words of the way there, from the list and from a flag; empty for none. A page of a
    flag takes its primary key as `<int:pk>`. `name` is the URL's, within `admin:`. `number` tells how many things wait
    there.
    """

    route: str
    view: Callable[..., HttpResponse]
    name: str
    of_list: str = ""
    of_flag: str = ""
    is_for_editors: bool = False
    number: Callable[[], int] | None = None

    @property
    def url_name(self) -> str:
        return f"admin:{self.name}"

    def url(self, model_admin: ModelAdmin) -> URLPattern:
        view = partial(self.view, model_admin=model_admin)
        return path(self.route, model_admin.admin_site.admin_view(self._guarded(view, model_admin)), name=self.name)

    def is_open(self, request: HttpRequest, model_admin: ModelAdmin) -> bool:
        if self.is_for_editors:
            return model_admin.has_change_permission(request)
        return model_admin.has_view_permission(request)

    def _guarded(self, view: Callable[..., HttpResponse], model_admin: ModelAdmin) -> Callable[..., HttpResponse]:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if not self.is_open(request, model_admin):
                raise PermissionDenied(f"You may not {'change' if self.is_for_editors else 'see'} flags.")
            return view(request, *args, **kwargs)

        return checked
