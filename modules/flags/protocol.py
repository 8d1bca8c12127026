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
FLAG_NOT_FOUND, TYPE_MISMATCH = "FLAG_NOT_FOUND", "TYPE_MISMATCH"


def reason(told: Explanation) -> str:
    return REASONS.get(told.reason, TARGETING_MATCH)


def fault(told: Explanation, value_type: str) -> str | None:
    """Why the answer is none for somebody who wants this type of value; None when it is one."""
    if told.reason is Reason.UNKNOWN_FLAG:
        return FLAG_NOT_FOUND
    return None if TYPES[value_type](told.value) else TYPE_MISMATCH


def metadata(told: Explanation) -> dict[str, Any]:
    return {"release": told.version, "rung": told.rung, "reason": str(told.reason)}
