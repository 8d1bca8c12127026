"""All flags at one moment, compiled from a release's document. Pure: it asks no database.

Windows, ramps and expiries are data: `next_at` says when some answer changes by itself, and the snapshot for that time
is compiled from the same document.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from modules.flags.answers import Reason
from modules.flags.document import Malformed, Rules, bodies, canonical, rules_of
from modules.flags.ladder import FORCED_ON, OFF, Flag, compiled
from modules.flags.soundness import DEEPEST
from modules.flags.together import Together

logger = logging.getLogger(__name__)
NO_FLAGS = canonical({"format": 1, "flags": {}})
EVERY_HASH = 2**32


@dataclass(frozen=True, slots=True)
class Snapshot:
    """`version` is the release's number, 0 for none. It holds from `made_at` to `next_at`, seconds since the epoch."""

    version: int
    flags: Mapping[str, Flag]
    next_at: float = float("inf")
    made_at: float = float("-inf")
    document: str = field(default=NO_FLAGS, repr=False)
    forced: Mapping[str, Any] = field(default_factory=dict, repr=False)
    together: Together = field(init=False, repr=False)
    visible_to_clients: Together = field(init=False, repr=False)

    def __post_init__(self) -> None:
        visible = {key: flag for key, flag in self.flags.items() if flag.is_visible_to_clients}
        object.__setattr__(self, "together", Together(self.flags))
        object.__setattr__(self, "visible_to_clients", Together(visible))

    def at(self, moment: datetime) -> "Snapshot":
        """The same release at another moment."""
        return compile_release(self.version, self.document, moment, self.forced)

    def with_forced(self, forced: Mapping[str, Any]) -> "Snapshot":
        return compile_release(self.version, self.document, datetime.now(UTC), {**self.forced, **forced})


def compile_release(version: int, document: str, at: datetime, forced: Mapping[str, Any] | None = None) -> Snapshot:
    """Malformed, or TooNew, when the document as a whole cannot be read. A flag that cannot is logged and left out:
    its default holds."""
    return compile_rules(rules_in(version, document), at, version=version, document=document, forced=forced)


def compile_rules(
    rules: Mapping[str, Rules],
    at: datetime,
    *,
    version: int = 0,
    document: str = NO_FLAGS,
    forced: Mapping[str, Any] | None = None,
) -> Snapshot:
    forced = forced or {}
    flags = {key: compiled(one, at, _state(forced.get(key))) for key, one in rules.items()}
    for key, value in forced.items():
        _force(flags.setdefault(key, Flag(key)), value)
    _link(flags, {key: one.needs for key, one in rules.items()})
    return Snapshot(version, flags, _next_at(rules, at), at.timestamp(), document, forced)


def rules_in(version: int, document: str) -> dict[str, Rules]:
    """By key, without the flags that cannot be read."""
    rules = {}
    for key, body in bodies(document).items():
        try:
            rules[key] = rules_of(key, body)
        except Malformed as fault:
            logger.error("Release %s of the flags has one that cannot be read; its default holds. %s", version, fault)
    return rules


def _state(forced: Any) -> bool | None:
    return None if forced is None else bool(forced)


def _force(flag: Flag, value: Any) -> None:
    """On or off; any other value is what the flag answers, on."""
    flag.fixed = FORCED_ON if value else OFF[Reason.FORCED]
    if not isinstance(value, bool):
        flag.fixed, flag.variants = FORCED_ON, ((EVERY_HASH, "forced", value),)


def _next_at(rules: Mapping[str, Rules], at: datetime) -> float:
    later = [moment.timestamp() for one in rules.values() for moment in one.moments if moment > at]
    return min(later, default=float("inf"))


def _link(flags: dict[str, Flag], needs: Mapping[str, tuple[str, ...]]) -> None:
    """Give each flag all that it needs, and turn off those whose prerequisites make no sense."""
    open_ones = {key: keys for key, keys in needs.items() if keys and flags[key].fixed is None}
    for key in open_ones:
        _require_present(flags[key], open_ones[key], flags)
    in_circles = [key for key in open_ones if key in _reachable(key, open_ones)]
    for key in in_circles:
        _turn_off(flags[key], Reason.PREREQUISITE_CIRCLE, open_ones[key][0])
    for key, keys in open_ones.items():
        if flags[key].fixed is None:
            _gather(flags[key], keys, flags, open_ones)


def _require_present(flag: Flag, keys: tuple[str, ...], flags: Mapping[str, Flag]) -> None:
    missing = next((key for key in keys if key not in flags), None)
    if missing is not None:
        _turn_off(flag, Reason.PREREQUISITE_MISSING, missing)


def _turn_off(flag: Flag, reason: Reason, because: str) -> None:
    flag.fixed, flag.because = OFF[reason], because


def _reachable(key: str, needs: Mapping[str, tuple[str, ...]]) -> set[str]:
    reached: set[str] = set()
    waiting = list(needs[key])
    while waiting:
        one = waiting.pop()
        if one not in reached:
            reached.add(one)
            waiting.extend(needs.get(one, ()))
    return reached


def _gather(flag: Flag, keys: tuple[str, ...], flags: dict[str, Flag], needs: Mapping[str, tuple[str, ...]]) -> None:
    """Layer by layer, as far as something is open; the deepest are asked first, and each once."""
    layers: list[list[str]] = []
    layer = list(keys)
    while layer and len(layers) < DEEPEST:
        layers.append(layer)
        layer = [next_key for key in layer if flags[key].fixed is None for next_key in needs.get(key, ())]
        layer = list(dict.fromkeys(layer))
    if len(layers) >= DEEPEST:
        _turn_off(flag, Reason.PREREQUISITES_TOO_DEEP, "")
        return
    ordered = dict.fromkeys(key for layer in reversed(layers) for key in layer)
    flag.needs = tuple(flags[key] for key in ordered)
