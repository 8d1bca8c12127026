"""POST /ofrep/v1/evaluate/flags/{key} and /ofrep/v1/evaluate/flags: one flag, and all that clients may see.

Asking for one is an exposure: somebody is about to act on it. Asking for all is none.
"""

import hashlib
import json
from typing import Any

from django.http import HttpResponse, HttpResponseNotModified
from django.utils.http import parse_etags

from modules.flags import evaluation, protocol
from modules.flags.answers import Reason
from modules.flags.ofrep import asking
from tenants.api import Problem, for_client_tokens, methods
from tenants.ofrep import FLAG_NOT_FOUND

# A client keeps the answer, and asks each time whether it still holds.
KEPT = {"Cache-Control": "private, no-cache", "Vary": "X-API-Key"}


@methods("POST")
@for_client_tokens
def one(request: Any, key: str) -> HttpResponse:
    """The same words, after the same work, for a flag that does not exist and for one that clients must not see."""
    context = asking.context_of(request)
    flag = request.flags.snapshot.flags.get(key)
    if flag is None or not flag.is_visible_to_clients:
        raise Problem(404, FLAG_NOT_FOUND, "There is no flag of this key that clients may see.")
    told = evaluation.explain(key, context=context)
    if told.reason is Reason.UNKNOWN_FLAG:
        raise RuntimeError(f"The flag {key} could not be evaluated.")
    return HttpResponse(_json(protocol.success(told)), content_type="application/json")


@methods("POST")
@for_client_tokens
def all_of_them(request: Any) -> HttpResponse:
    """304 when the client has this very answer already."""
    asking.require_readable_query(request)
    context = asking.context_of(request)
    told = evaluation.all_flags(context, only_for_clients=True)
    flags = [protocol.answer(one) for one in told.values()]
    body = _json({"flags": flags, "metadata": {"release": request.flags.snapshot.version}})
    etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    if _has(request, etag):
        return HttpResponseNotModified(headers={"ETag": etag, **KEPT})
    return HttpResponse(body, content_type="application/json", headers={"ETag": etag, **KEPT})


def _json(answer: Any) -> bytes:
    return json.dumps(answer, separators=(",", ":"), allow_nan=False).encode()


def _has(request: Any, etag: str) -> bool:
    """By the weak comparison (RFC 9110 13.1.2); Django's own would answer a POST with 412."""
    held = [one.removeprefix("W/") for one in parse_etags(request.headers.get("If-None-Match", ""))]
    return etag in held or held == ["*"]
