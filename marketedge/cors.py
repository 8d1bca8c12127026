"""Which other origins may read what we answer: those on the list, letter by letter. Everybody else gets no header."""

import re
from typing import Any
from urllib.parse import SplitResult

from corsheaders.middleware import CorsMiddleware
from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from marketedge.environment import is_origin

OPENERS = (
    "CORS_ALLOW_ALL_ORIGINS",
    "CORS_ORIGIN_ALLOW_ALL",
    "CORS_ALLOWED_ORIGIN_REGEXES",
    "CORS_ORIGIN_REGEX_WHITELIST",
    "CORS_ORIGIN_WHITELIST",
    "CORS_ALLOW_PRIVATE_NETWORK",
)


class ExactCorsMiddleware(CorsMiddleware):
    def origin_found_in_white_lists(self, origin: str, url: SplitResult) -> bool:
        """The library's own compares what it parses, and so lets other spellings and paths through."""
        return origin in settings.CORS_ALLOWED_ORIGINS


def of_last_resort(environ: dict[str, Any]) -> dict[str, str]:
    """The same for an answer that no middleware sees, from the caller's words alone: nothing here can fail again."""
    if not re.match(settings.CORS_URLS_REGEX, str(environ.get("PATH_INFO", ""))):
        return {}
    origin, same = str(environ.get("HTTP_ORIGIN", "")), {"Vary": "Origin"}
    if origin not in settings.CORS_ALLOWED_ORIGINS:
        return same
    return {**same, "Access-Control-Allow-Origin": origin, "Access-Control-Allow-Credentials": "true"}


@register("security")
def origins_are_exact(**_: Any) -> list[CheckMessage]:
    problems: list[CheckMessage] = [
        Error(
            f"{name} lets origins in that are not on the list.",
            "Take it out; name each in CORS_ALLOWED_ORIGINS.",
            id="marketedge.E020",
        )
        for name in OPENERS
        if getattr(settings, name, None)
    ]
    if not all(is_origin(origin) for origin in settings.CORS_ALLOWED_ORIGINS):
        hint = "Write each as browsers do: scheme, host and port in lower case, without *, path or default port."
        problems.append(Error("CORS_ALLOWED_ORIGINS holds what is no origin.", hint, id="marketedge.E021"))
    return problems
