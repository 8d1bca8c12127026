"""What every page shows around its content: who is here, in which organisation, in which mode."""

from typing import Any

from django.http import HttpRequest


def shell(request: HttpRequest) -> dict[str, Any]:
    return {"shell": None}
