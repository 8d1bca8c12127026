"""The admin site: Django's own, entered through the same sign-in as everything else."""

from functools import wraps
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from accounts.views import sign_out
from modules.flags.glance import at_a_glance
from tenants.sturdiness import require_readable


class PlatformAdminSite(AdminSite):
    site_header = "MarketEdge administration"
    site_title = "MarketEdge administration"
    index_title = "Platform"
    enable_nav_sidebar = True

    def get_urls(self) -> list[Any]:
        """Django's, without its pages for passwords, and without the one that leads from any id to an address."""
        left_out = {"password_change", "password_change_done", "view_on_site"}
        return [entry for entry in super().get_urls() if getattr(entry, "name", None) not in left_out]

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:
        inner = super().admin_view(view, cacheable)

        @wraps(inner)
        def readable(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            require_readable(request.GET)
            return inner(request, *args, **kwargs)

        readable.is_for_staff = True  # type: ignore[attr-defined]
        return readable

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        flags = at_a_glance() if request.user.has_perm("flags.view_flag") else []
        return super().index(request, {**(extra_context or {}), "flags_at_a_glance": flags})

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        return sign_out(request)

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """There is no password form: strangers go to the sign-in, signed-in people without permission are refused."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.GET.get("next") or reverse("admin:index"))
        if not self.has_permission(request):
            raise PermissionDenied("The admin site is for staff of Zebra Associates.")
        return HttpResponseRedirect(reverse("admin:index"))
