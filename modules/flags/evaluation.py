"""The only reader of flags: `is_on`, `value` and `explain`, for the context in use or for one that is given.

They ask the database nothing, write nothing and never raise: where something is wrong, the default of the calling code
holds, and a line in the log says why. These three count what they answer; `all_flags` and `all_values` do not.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import datetime
from typing import Any

from modules.flags import watching
from modules.flags.answers import Context, Outcome, Reason
from modules.flags.explaining import Answers, Explanation
from modules.flags.explaining import explain as explained
from modules.flags.exposure import flushing as flushing  # whoever counts also writes it: importing it sees to that
from modules.flags.exposure.counting import ledger
from modules.flags.ladder import (
    UNKNOWN_OFF,
    UNKNOWN_ON,
    Flag,
    answer,
    climb,
    climb_open,
)
from modules.flags.snapshot import Snapshot

__all__ = [
    "Context",
    "Explanation",
    "Reason",
    "all_flags",
    "all_values",
    "explain",
    "forced",
    "is_on",
    "pinned",
    "resumed",
    "using",
    "value",
]

logger = logging.getLogger(__name__)
NOBODY = Context()
_told: set[tuple[str, str]] = set()


class Pinned:
    """A context with the flags as they are when it first asks, for the whole request or task.

    `forced` is for tests. The context may be a function, which is called at the first question that needs it.
    Answers count as use of a flag unless somebody only wants to know, or a test forces flags.
    """

    __slots__ = ("_context", "_snapshot", "forced", "is_counted")

    def __init__(
        self, context: Context | Callable[[], Context], forced: dict[str, Any] | None = None, is_counted: bool = True
    ) -> None:
        self._context = context
        self._snapshot: Snapshot | None = None
        self.forced = forced or {}
        self.is_counted = is_counted and not self.forced

    @property
    def snapshot(self) -> Snapshot:
        if self._snapshot is None:
            newest = watching.store.current()
            self._snapshot = newest.with_forced(self.forced) if self.forced else newest
        return self._snapshot

    @property
    def context(self) -> Context:
        if callable(self._context):
            self._context = self._context()
        return self._context

    @property
    def version(self) -> int | None:
        """The release that answered here; None when nothing has been asked yet."""
        return None if self._snapshot is None else self._snapshot.version


_pinned: ContextVar[Pinned | None] = ContextVar("flags", default=None)


def pinned() -> Pinned | None:
    """What `using` set up here, if it did."""
    return _pinned.get()


@contextmanager
def using(context: Context | Callable[[], Context], *, is_counted: bool = True) -> Iterator[Pinned]:
    """Answer for this context inside, from one snapshot: half of a change is never seen.

    Who only looks how flags answer somebody says so with `is_counted`: it is no use of them.
    """
    outer = _pinned.get()
    is_counted = is_counted and (outer is None or outer.is_counted)
    with resumed(Pinned(context, outer.forced if outer else None, is_counted)) as inner:
        yield inner


@contextmanager
def forced(**states: Any) -> Iterator[None]:
    """For tests: inside, these flags are on or off, or have these values, whatever the database says."""
    outer = _pinned.get()
    context = (lambda: outer.context) if outer else NOBODY
    with resumed(Pinned(context, {**(outer.forced if outer else {}), **states})):
        yield


@contextmanager
def resumed(inner: Pinned) -> Iterator[Pinned]:
    """Answer again as inside a `using` that is over: for what is made later, but belongs to the same request."""
    token = _pinned.set(inner)
    try:
        yield inner
    finally:
        _pinned.reset(token)


def is_on(key: str, context: Context | None = None, default: bool = False) -> bool:
    """Whether the flag is on, whatever the type of its value."""
    try:
        here = _pinned.get()
        snapshot = (watching.store.settled or watching.store.current()) if here is None else here.snapshot
        try:
            flag = snapshot.flags[key]
        except KeyError:
            _tell_unknown(key, default)
            return default
        if context is None:
            context = NOBODY if here is None else here.context
        outcome = flag.fixed
        if outcome is None:
            outcome = climb(flag, context) if flag.needs else climb_open(flag, context)
        if here is None or here.is_counted:
            ledger.note((flag, outcome, context))
        return outcome.is_on
    except Exception:
        _tell_failed(key, default)
        return default


def value(key: str, context: Context | None = None, default: Any = None) -> Any:
    """The flag's value: of the variant that was chosen, or what it answers when it is off."""
    try:
        here = _pinned.get()
        snapshot = (watching.store.settled or watching.store.current()) if here is None else here.snapshot
        try:
            flag = snapshot.flags[key]
        except KeyError:
            _tell_unknown(key, default)
            return default
        if context is None:
            context = NOBODY if here is None else here.context
        outcome = climb(flag, context)
        chosen, variant = answer(flag, outcome, context)
        if here is None or here.is_counted:
            ledger.note((flag, (outcome, variant) if outcome.is_on and flag.variants else outcome, context))
        return chosen
    except Exception:
        _tell_failed(key, default)
        return default


def explain(key: str, context: Context | None = None, default: Any = False, at: datetime | None = None) -> Explanation:
    """The flag's answer with its reason; at another moment than now, as today's release would have it then."""
    try:
        here = _pinned.get()
        snapshot = (watching.store.settled or watching.store.current()) if here is None else here.snapshot
        is_counted = here is None or here.is_counted
        if at is not None:
            snapshot, is_counted = snapshot.at(at), False
        try:
            flag = snapshot.flags[key]
        except KeyError:
            _tell_unknown(key, default)
            return unknown(key, default, snapshot.version)
        if context is None:
            context = NOBODY if here is None else here.context
        outcome = flag.fixed
        if outcome is None:
            outcome = climb(flag, context) if flag.needs else climb_open(flag, context)
        noted: Outcome | tuple[Outcome, str] = outcome
        if not outcome.is_on:
            chosen, variant = flag.off_value, "off"
        elif not flag.variants:
            chosen, variant = True, "on"
        else:
            chosen, variant = answer(flag, outcome, context)
            noted = outcome, variant
        if is_counted:
            ledger.note((flag, noted, context))
        return Explanation(chosen, variant, outcome, snapshot.version, flag, context)
    except Exception:
        _tell_failed(key, default)
        return unknown(key, default, 0)


def all_flags(context: Context | None = None, *, only_for_clients: bool = False) -> Mapping[str, Explanation]:
    """Every flag's answer from one snapshot; `only_for_clients` leaves out what clients must not see."""
    snapshot, context = _here(context)
    together = snapshot.visible_to_clients if only_for_clients else snapshot.together
    try:
        return Answers(together, context, snapshot.version)
    except Exception:
        return {key: _one_of_all(flag, context, snapshot.version) for key, flag in together.flags.items()}


def all_values(context: Context | None = None) -> dict[str, Any]:
    """Every flag's value from one snapshot, without the reasons."""
    snapshot, context = _here(context)
    try:
        return snapshot.together.values(context)
    except Exception:
        return {key: _one_value_of_all(flag, context) for key, flag in snapshot.flags.items()}


def _one_value_of_all(flag: Flag, context: Context) -> Any:
    try:
        return answer(flag, climb(flag, context), context)[0]
    except Exception:
        _tell_failed(flag.key, flag.off_value)
        return flag.off_value


def _one_of_all(flag: Flag, context: Context, version: int) -> Explanation:
    try:
        return explained(flag, context, version)
    except Exception:
        _tell_failed(flag.key, flag.off_value)
        return unknown(flag.key, flag.off_value, version)


def unknown(key: str, default: Any, version: int) -> Explanation:
    """The default of the calling code, as an explanation."""
    outcome: Outcome = UNKNOWN_ON if _is_true(default) else UNKNOWN_OFF
    return Explanation(default, "default", outcome, version, Flag(_words(key)), NOBODY)


def _here(context: Context | None) -> tuple[Snapshot, Context]:
    here = _pinned.get()
    if here is None:
        return watching.store.current(), context or NOBODY
    return here.snapshot, context or here.context


def _tell_unknown(key: str, default: Any) -> None:
    if _is_news("unknown", key):
        logger.warning("The flag %s is unknown: its default %s holds.", _words(key), _words(default))


def _tell_failed(key: Any, default: Any) -> None:
    if _is_news("failed", key):
        logger.exception("The flag %.100s could not be evaluated: its default %s holds.", _words(key), _words(default))


def _is_news(what: str, key: Any) -> bool:
    """Each fault is told once for a key, and not more often than there is memory for."""
    told = (what, _words(key)[:100])
    if told in _told or len(_told) >= 10_000:
        return False
    _told.add(told)
    return True


def _words(given: Any) -> str:
    """Whatever calling code gives, even where its own words fail."""
    try:
        return str(given)
    except Exception:
        return f"({type(given).__name__} that cannot be written)"


def _is_true(default: Any) -> bool:
    """What cannot say, such as a table of numbers, stands for off."""
    try:
        return bool(default)
    except Exception:
        return False
