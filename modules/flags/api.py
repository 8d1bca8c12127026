"""/api/v1/flags/: what the product's own pages may know of flags, for the call's organisation and person."""

from typing import Any

from django.http import HttpResponse, JsonResponse

from modules.flags import evaluation
from modules.flags.explaining import Explanation
from tenants.api import methods


@methods("GET")
def flags(request: Any) -> HttpResponse:
    """All at once, so that none of them counts as seen."""
    told = evaluation.all_flags(only_for_clients=True)
    answer = {"release": request.flags.snapshot.version, "flags": [_told(one) for one in told.values()]}
    return JsonResponse(answer)


def _told(one: Explanation) -> dict[str, Any]:
    return {
        "key": one.key,
        "is_on": one.is_on,
        "value": one.value,
        "variant": one.variant,
        "reason": str(one.reason),
        "rung": one.rung,
    }
