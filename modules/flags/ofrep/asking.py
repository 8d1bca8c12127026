"""For whom does a client ask? The organisation is its credential's, and so is the person where a person calls.

Only a client token may name whom it asks for, by the targeting key; whatever else is in the context is not looked at.
"""

import json
import re
from dataclasses import replace
from typing import Any

from modules.flags.evaluation import Context
from tenants.api import Problem
from tenants.api_organisation import PUBLIC_ID
from tenants.models import Membership
from tenants.ofrep import INVALID_CONTEXT, PARSE_ERROR, TARGETING_KEY_MISSING

TARGETING_KEY = "targetingKey"
OF_STREAMS = ("flagConfigEtag", "flagConfigLastModified")
MOMENT = re.compile(r"[0-9]+|\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
# Before ids that belong to nobody in the organisation. It makes them a bucket, and no target of anybody's override.
NOBODY_HERE = "elsewhere:"


def context_of(request: Any) -> Context:
    """Problem, in the protocol's words, when the body is not what the protocol asks for."""
    given = _context(_body(request))
    ours: Context = request.flags.context
    if request.caller.organisation is None:
        _targeting_key(given, default="")
        return ours
    return replace(ours, person=person_by(_targeting_key(given)))


def require_readable_query(request: Any) -> None:
    """The protocol's parameters for clients that a stream of events has woken: nothing to us, and yet not nonsense."""
    if any(len(request.GET.getlist(name)) > 1 for name in OF_STREAMS):
        raise Problem(400, PARSE_ERROR, f"{' and '.join(OF_STREAMS)} may stand in the address once.")
    moment = request.GET.get(OF_STREAMS[1])
    if moment is not None and not MOMENT.fullmatch(moment):
        raise Problem(400, PARSE_ERROR, f"{OF_STREAMS[1]} is no moment: seconds since 1970, or a time of RFC 3339.")


def person_by(targeting_key: str) -> str:
    """The person or bucket that the key stands for, in the scope's organisation; one query for what looks like an id.

    Ids of other organisations' people get the same answer as ids that nobody has.
    """
    if not PUBLIC_ID.fullmatch(targeting_key):
        return targeting_key
    public_id = targeting_key.lower()
    is_here = Membership.objects.filter(user__public_id=public_id).exists()
    return public_id if is_here else NOBODY_HERE + public_id


def _body(request: Any) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise Problem(400, PARSE_ERROR, "Send the body as JSON, with Content-Type: application/json.")
    try:
        body = json.loads(request.body, parse_constant=_no_number)
    except (ValueError, RecursionError):
        raise Problem(400, PARSE_ERROR, "The body is not JSON.") from None
    if not isinstance(body, dict):
        raise Problem(400, PARSE_ERROR, "The body must be a JSON object.")
    return body


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is not a number that JSON knows")


def _context(body: dict[str, Any]) -> dict[str, Any]:
    given = body.get("context")
    if not isinstance(given, dict):
        raise Problem(400, INVALID_CONTEXT, "The body must hold `context`, a JSON object.")
    return given


def _targeting_key(given: dict[str, Any], default: str | None = None) -> str:
    key = given.get(TARGETING_KEY, default)
    if key is None and TARGETING_KEY not in given:
        raise Problem(400, TARGETING_KEY_MISSING, "The context must hold `targetingKey`: whom the flags are for.")
    if not isinstance(key, str):
        raise Problem(400, INVALID_CONTEXT, "`targetingKey` must be a text.")
    if not _is_text(key):
        raise Problem(400, INVALID_CONTEXT, "`targetingKey` holds half a character.")
    return key


def _is_text(key: str) -> bool:
    """JSON can spell half a surrogate pair, which has no bytes that could be hashed."""
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True
