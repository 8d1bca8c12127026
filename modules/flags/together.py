"""Many flags answered at once for one context; what is the same for everybody is worked out when they are compiled."""

from collections.abc import Mapping
from typing import Any

from modules.flags.answers import Context, Outcome
from modules.flags.ladder import NOT_ENABLED, Flag, answer, climb, climb_open

# A flag's value, the name of its variant and its outcome.
Decided = tuple[Any, str, Outcome]


class Together:
    """`flags` by key, in the order in which they answer."""

    __slots__ = ("_decided", "_open", "_values", "flags")

    def __init__(self, flags: Mapping[str, Flag]) -> None:
        self.flags = flags
        # Those whose answer may be another one for somebody else.
        self._open = [(key, flag) for key, flag in flags.items() if flag.fixed is None or flag.fixed.is_on]
        self._values = {key: flag.off_value for key, flag in flags.items()}
        self._decided: dict[str, Decided] = {
            key: (flag.off_value, "off", flag.fixed or NOT_ENABLED) for key, flag in flags.items()
        }

    def values(self, context: Context) -> dict[str, Any]:
        """By key, the values alone."""
        values = self._values.copy()
        for key, flag in self._open:
            outcome = climb(flag, context) if flag.needs else flag.fixed or climb_open(flag, context)
            if outcome.is_on:
                values[key] = answer(flag, outcome, context)[0] if flag.variants else True
        return values

    def decided(self, context: Context) -> dict[str, Decided]:
        """By key, with the reasons."""
        decided = self._decided.copy()
        for key, flag in self._open:
            outcome = climb(flag, context) if flag.needs else flag.fixed or climb_open(flag, context)
            if not outcome.is_on:
                decided[key] = (flag.off_value, "off", outcome)
            elif not flag.variants:
                decided[key] = (True, "on", outcome)
            else:
                decided[key] = (*answer(flag, outcome, context), outcome)
        return decided
