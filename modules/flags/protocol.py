"""What OpenFeature and its protocol call an answer's reason and its faults."""

from typing import Any

from modules.flags.answers import Reason
from modules.flags.document import TYPES
from modules.flags.explaining import Explanation

STATIC, TARGETING_MATCH, SPLIT, DISABLED, DEFAULT = "STATIC", "TARGETING_MATCH", "SPLIT", "DISABLED", "DEFAULT"
REASONS = {
    Reason.UNKNOWN_FLAG: DEFAULT,
    Reason.FORCED: STATIC,
    Reason.ARCHIVED: DISABLED,
    Reason.KILLED: DISABLED,
    Reason.BEFORE_WINDOW: DISABLED,
    Reason.AFTER_WINDOW: DISABLED,
    Reason.NOT_ENABLED: DISABLED,
    Reason.OUTSIDE_ROLLOUT: SPLIT,
    Reason.IN_ROLLOUT: SPLIT,
}
FLAG_NOT_FOUND, TYPE_MISMATCH, GENERAL = "FLAG_NOT_FOUND", "TYPE_MISMATCH", "GENERAL"


def reason(told: Explanation) -> str:
    return REASONS.get(told.reason, TARGETING_MATCH)


def fault(told: Explanation, value_type: str) -> str | None:
    """Why the answer is none for somebody who wants this type of value; None when it is one."""
    if told.reason is Reason.UNKNOWN_FLAG:
        return FLAG_NOT_FOUND
    return None if TYPES[value_type](told.value) else TYPE_MISMATCH


def answer(told: Explanation) -> dict[str, Any]:
    """One flag among all, as the remote protocol writes it."""
    if told.reason is Reason.UNKNOWN_FLAG:
        return {"key": told.key, "errorCode": GENERAL, "errorDetails": "The flag could not be evaluated."}
    return success(told)


def success(told: Explanation) -> dict[str, Any]:
    return {
        "key": told.key,
        "value": told.value,
        "reason": reason(told),
        "variant": told.variant,
        "metadata": metadata(told),
    }


def metadata(told: Explanation) -> dict[str, Any]:
    return {"release": told.version, "rung": told.rung, "reason": str(told.reason)}
