"""Why a flag answered as it did, to be read after "because": with numbers, names, and times in the reader's zone."""

from collections.abc import Callable

from modules.flags import wording
from modules.flags.answers import Reason
from modules.flags.document import SCALE, Rules
from modules.flags.explaining import Explanation

Because = Callable[[Explanation, Rules], str]


def because(told: Explanation, rules: Rules | None) -> str:
    """Without a full stop."""
    say = BECAUSE.get(told.reason)
    return say(told, rules or Rules(told.key)) if say else told.sentence.rstrip(".")


def number(count: int) -> str:
    return f"{count:,}"


def unit(told: Explanation) -> str:
    return "person" if told.flag.is_by_person else "organisation"


def _forced(told: Explanation, rules: Rules) -> str:
    return f"the operator forces it {'on' if told.is_on else 'off'}, which beats everything"


def _no_module_known(told: Explanation, rules: Rules) -> str:
    return f"it belongs to the module {told.flag.module}, and without an organisation nobody has it"


def _overridden(told: Explanation, rules: Rules) -> str:
    override = told.override
    if override is None:
        return "it is overridden"
    until = f" until {wording.moment(override.expires_at)}" if override.expires_at else ""
    target = "person" if override.is_for_person else "organisation"
    author = override.author or "the system"
    state = "on" if override.is_on else "off"
    return f"an override for the {target} turns it {state}{until} ({author}: “{override.reason}”)"


def _percentage(told: Explanation, rules: Rules) -> str:
    if told.flag.rollout in (0, SCALE):
        return (
            f"its rollout is {wording.percent(told.flag.rollout)}, which is {'everybody' if told.is_on else 'nobody'}"
        )
    return (
        f"the {unit(told)} is {'in' if told.is_on else 'outside'} the {wording.percent(told.flag.rollout)} rollout"
        f" (bucket {number(told.bucket or 0)} of {number(SCALE)}; on below {number(told.flag.rollout)})"
    )


BECAUSE: dict[Reason, Because] = {
    Reason.UNKNOWN_FLAG: lambda told, rules: "there is no such flag, so what the calling code says by default holds",
    Reason.FORCED: _forced,
    Reason.BEFORE_WINDOW: lambda told, rules: f"its window only begins {wording.moment(rules.starts_at)}",
    Reason.AFTER_WINDOW: lambda told, rules: f"its window ended {wording.moment(rules.ends_at)}",
    Reason.ENTITLEMENT_UNKNOWN: _no_module_known,
    Reason.PERSON_OVERRIDE: _overridden,
    Reason.ORGANISATION_OVERRIDE: _overridden,
    Reason.NOBODY_TO_COUNT: lambda told, rules: f"its percentage goes by {unit(told)}, and none was chosen",
    Reason.OUTSIDE_ROLLOUT: _percentage,
    Reason.IN_ROLLOUT: _percentage,
}
