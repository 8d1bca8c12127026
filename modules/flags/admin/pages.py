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
    """`view(request, ..., model_admin=)` answers at `route` below the list, for those who may see flags.

    `of_list` and `of_flag` are the words of the way there, from the list and from a flag; empty for none. A page of a
    flag takes its primary key as `<int:pk>`. `name` is the URL's, within `admin:`.
    """

    route: str
    view: Callable[..., HttpResponse]
    name: str
    of_list: str = ""
    of_flag: str = ""

    @property
    def url_name(self) -> str:
        return f"admin:{self.name}"

    def url(self, model_admin: ModelAdmin) -> URLPattern:
        view = partial(self.view, model_admin=model_admin)
        return path(self.route, model_admin.admin_site.admin_view(_for_viewers(view, model_admin)), name=self.name)


def _for_viewers(view: Callable[..., HttpResponse], model_admin: ModelAdmin) -> Callable[..., HttpResponse]:
    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not model_admin.has_view_permission(request):
            raise PermissionDenied("You may not see flags.")
        return view(request, *args, **kwargs)

    return checked
