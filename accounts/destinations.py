"""Where may somebody be sent after signing in? To a path of this site, and never back into the sign-in."""

from django.http import HttpRequest
from django.utils.http import url_has_allowed_host_and_scheme

LONGEST = 1000
# Ending or beginning a sign-in is never what somebody wanted to reach by signing in.
CLOSED = ("/oidc/", "/sign-in/", "/sign-out/", "/signed-out/")


def wanted(request: HttpRequest) -> str:
    """The `next` of the address, when it is such a path; else nothing."""
    path = request.GET.get("next", "")
    return path if is_ours(path) else ""


def is_ours(path: str) -> bool:
    # Browsers read a backslash as a slash, and skip over some control characters.
    is_plain = len(path) <= LONGEST and path.isprintable() and "\\" not in path
    is_path = path.startswith("/") and not path.startswith("//") and not path.startswith(CLOSED)
    return is_plain and is_path and url_has_allowed_host_and_scheme(path, allowed_hosts=None, require_https=True)
