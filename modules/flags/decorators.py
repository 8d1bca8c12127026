"""For views that exist only where a flag is on."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import Http404

from modules.flags import evaluation


def needs_flag(key: str, *, default: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Where the flag is off, the answer is that of an address that does not exist."""

    def decorated(view: Callable[..., Any]) -> Callable[..., Any]:
        @wraps(view)
        def behind_flag(*args: Any, **options: Any) -> Any:
            if not evaluation.is_on(key, default=default):
                raise Http404
            return view(*args, **options)

        return behind_flag

    return decorated
