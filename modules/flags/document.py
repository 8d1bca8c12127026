"""What a release says of each flag: its document read and checked, whoever wrote it. Pure.

A document is `{"format": 1, "flags": {key: body}}` in canonical JSON: keys sorted, no spaces, times in UTC. What a body
holds stands in `rules_of`.
"""

import json
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from modules.flags.answers import Override

FORMAT = 1
SCALE = 100_000
HASH_VERSION = 1
KEY = re.compile(r"[a-z][a-z0-9_.]{0,79}")
VARIANT = re.compile(r"[a-z0-9][a-z0-9_.-]{0,39}")
SECTOR = re.compile(r"[0-9]{2,5}")
BUCKETS = ("organisation", "person")
KINDS = ("release", "ops", "entitlement")


class Malformed(ValueError):
    """The document, or one flag of it, cannot be used; the text says where and why."""


class TooNew(Malformed):
    """A newer release of the product wrote the document in a form that this one does not know."""


@dataclass(frozen=True, slots=True)
class Variant:
    name: str
    value: Any
    weight: int


@dataclass(frozen=True, slots=True)
class Step:
    """From `at` on, the rollout is this one."""

    at: datetime
    rollout: int


@dataclass(frozen=True, slots=True)
class Rules:
    """One flag, all its rules and overrides, at no particular time."""

    key: str
    enabled: bool = True
    killed: bool = False
    archived: bool = False
    value_type: str = "boolean"
    off_value: Any = False
    visible_to_clients: bool = False
    module: str = ""
    rollout: int = SCALE
    bucket_by: str = "organisation"
    salt: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    allowed_sectors: tuple[str, ...] = ()
    blocked_sectors: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
    ramp: tuple[Step, ...] = ()
    overrides: tuple[Override, ...] = ()

    @property
    def moments(self) -> list[datetime]:
        """When its answers may change by themselves."""
        times = [self.starts_at, self.ends_at, *(step.at for step in self.ramp)]
        times += [moment for override in self.overrides for moment in (override.starts_at, override.expires_at)]
        return [moment for moment in times if moment]


def canonical(document: Mapping[str, Any]) -> str:
    return json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def moment_text(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at else None


def moment_words(at: datetime | None) -> str:
    return f"{at.astimezone(UTC):%d %b %Y %H:%M} UTC" if at else ""


def bodies(text: str) -> dict[str, Any]:
    """The bodies by key, not looked into. Malformed, or TooNew, when that much cannot be read."""
    try:
        document = json_of(text)
    except (ValueError, RecursionError, TypeError) as fault:
        raise Malformed(f"The document is no JSON: {fault}") from None
    if not isinstance(document, dict) or not isinstance(document.get("flags"), dict):
        raise Malformed("The document is no object with `format` and `flags`.")
    form = document.get("format")
    if type(form) is not int or form < 1:
        raise Malformed(f"The document's format is {form!r}, and not a number.")
    if form > FORMAT:
        raise TooNew(f"The document has format {form}, and this release of the product knows up to {FORMAT}.")
    return document["flags"]


def json_of(text: str) -> Any:
    """ValueError, of which Malformed is one, or RecursionError, when it is none, or holds an endless number."""
    return json.loads(text, parse_constant=_no_number, parse_float=_finite)


def require_each_once(text: str) -> None:
    """Malformed where an object says the same name twice, as somebody may who edits it: one of the two would be lost.
    What is no JSON at all is for `bodies` to refuse."""
    try:
        json.loads(text, object_pairs_hook=_each_once)
    except Malformed:
        raise
    except (ValueError, RecursionError):
        return


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    told = dict(pairs)
    if len(told) < len(pairs):
        name = next(name for name, times in Counter(name for name, _ in pairs).items() if times > 1)
        raise Malformed(f"{name[:100]!r} stands twice in the same place. Take one of the two out.")
    return told


def _no_number(text: str) -> Any:
    raise Malformed(f"{text} is not a number that JSON knows.")


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _no_number(text)


def can_be_kept(value: Any) -> bool:
    """Whether the database can keep every text inside, names of fields included: no zero byte, and UTF-8."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            waiting += [*one, *one.values()]
        elif isinstance(one, list):
            waiting += one
        elif isinstance(one, str) and not _is_text(one):
            return False
    return True


def _is_text(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\x00" not in text


def rules_of(key: str, body: Any) -> Rules:
    """The flag's rules, every field checked. Malformed names the flag, the field and what is wrong."""
    read = Body(key, body)
    if not KEY.fullmatch(key):
        raise Malformed(f"{key[:100]!r} cannot be the key of a flag.")
    value_type = read.choice("value_type", tuple(TYPES))
    if read.number("hash_version", 1, HASH_VERSION) != HASH_VERSION or not read.text("salt"):
        raise read.fault("salt", "is empty")
    variants = tuple(_variant(read, value_type, given) for given in read.listed("variants"))
    _require_usable(read, value_type, variants)
    return Rules(
        key=key,
        enabled=read.switch("enabled"),
        killed=read.switch("killed"),
        archived=read.switch("archived"),
        value_type=value_type,
        off_value=read.value("off_value", value_type),
        visible_to_clients=read.switch("visible_to_clients"),
        module=read.text("module"),
        rollout=read.number("rollout", 0, SCALE),
        bucket_by=read.choice("bucket_by", BUCKETS),
        salt=read.text("salt"),
        starts_at=read.moment("starts_at"),
        ends_at=read.moment("ends_at"),
        allowed_sectors=read.texts("allowed_sectors", SECTOR),
        blocked_sectors=read.texts("blocked_sectors", SECTOR),
        needs=read.texts("needs", KEY),
        variants=variants,
        ramp=_ramp(read),
        overrides=tuple(_override(read, given) for given in read.listed("overrides")),
    )


def is_legible(key: str, body: Any) -> bool:
    """Whether people can be told what a body says, whatever sense it makes; other versions may have written it."""
    try:
        _require_kinds(Body(key, body))
    except Malformed:
        return False
    return True


def _require_kinds(read: "Body") -> None:
    for field in ("enabled", "killed", "archived", "visible_to_clients"):
        read.switch(field)
    for field in ("name", "purpose", "kind", "owner", "module", "salt", "bucket_by", "value_type"):
        read.text(field)
    for field, pattern in (("allowed_sectors", SECTOR), ("blocked_sectors", SECTOR), ("needs", KEY)):
        read.texts(field, pattern)
    for field in ("starts_at", "ends_at"):
        read.moment(field)
    read.day("review_date")
    read.given("off_value")
    read.number("rollout", 0, SCALE)
    read.number("hash_version", 1, 1000)
    _require_kinds_of_rows(read)


def _require_kinds_of_rows(read: "Body") -> None:
    for row in read.listed("variants"):
        inner = read.inside("variants", row)
        inner.text("name")
        inner.given("value")
        inner.number("weight", 0, SCALE)
    for row in read.listed("overrides"):
        _override(read, row)
    _ramp(read)


def _require_usable(read: "Body", value_type: str, variants: tuple[Variant, ...]) -> None:
    names = [variant.name for variant in variants]
    if len(set(names)) < len(names):
        raise read.fault("variants", "have the same name twice")
    if variants and not sum(variant.weight for variant in variants):
        raise read.fault("variants", "have no weight: give one of them a weight above 0")
    if value_type != "boolean" and not variants:
        raise read.fault("variants", f"are missing: a flag of type {value_type} has no other value when it is on")


def _variant(read: "Body", value_type: str, given: Any) -> Variant:
    inner = read.inside("variants", given)
    name = inner.text("name")
    if not VARIANT.fullmatch(name):
        raise read.fault("variants", f"have the name {name!r}, which is none")
    return Variant(name, inner.value("value", value_type), inner.number("weight", 0, SCALE))


def _ramp(read: "Body") -> tuple[Step, ...]:
    steps = []
    for given in read.listed("ramp"):
        inner = read.inside("ramp", given)
        at = inner.moment("at")
        if at is None:
            raise read.fault("ramp", "has a step without a time")
        steps.append(Step(at, inner.number("rollout", 0, SCALE)))
    return tuple(sorted(steps, key=lambda step: step.at))


def _override(read: "Body", given: Any) -> Override:
    inner = read.inside("overrides", given)
    target = inner.body.get("target")
    if not isinstance(target, dict) or list(target) not in (["person"], ["organisation"]):
        raise read.fault("overrides", "must name one organisation or one person")
    ((kind, public_id),) = target.items()
    if not isinstance(public_id, str) or not public_id:
        raise read.fault("overrides", "must name their target by its public id")
    return Override(
        target=public_id,
        is_for_person=kind == "person",
        is_on=inner.switch("on"),
        variant=inner.text("variant"),
        reason=inner.text("reason"),
        author=inner.text("author"),
        starts_at=inner.moment("starts_at"),
        expires_at=inner.moment("expires_at"),
    )


TYPES: dict[str, Callable[[Any], bool]] = {
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: type(value) is int,
    "float": lambda value: type(value) in (int, float),
    "object": lambda value: isinstance(value, dict),
}


class Body:
    """One JSON object whose fields are read by their kind; a fault names the flag and the field."""

    def __init__(self, key: str, body: Any) -> None:
        if not isinstance(body, dict):
            raise Malformed(f"{key[:100]!r}: its body is not an object.")
        self.key, self.body = key, body

    def fault(self, field: str, words: str) -> Malformed:
        return Malformed(f"{self.key}: {field} {words}.")

    def inside(self, field: str, given: Any) -> "Body":
        if not isinstance(given, dict):
            raise self.fault(field, "must be objects")
        return Body(f"{self.key}: {field}", given)

    def given(self, field: str) -> Any:
        if field not in self.body:
            raise self.fault(field, "is missing")
        return self.body[field]

    def switch(self, field: str) -> bool:
        value = self.body.get(field)
        if not isinstance(value, bool):
            raise self.fault(field, "is neither true nor false")
        return value

    def text(self, field: str) -> str:
        value = self.body.get(field)
        if not isinstance(value, str):
            raise self.fault(field, "is not text")
        return value

    def choice(self, field: str, choices: tuple[str, ...]) -> str:
        value = self.text(field)
        if value not in choices:
            raise self.fault(field, f"is none of {', '.join(choices)}")
        return value

    def number(self, field: str, least: int, most: int) -> int:
        value = self.body.get(field)
        if type(value) is not int or not least <= value <= most:
            raise self.fault(field, f"is not a whole number from {least} to {most}")
        return value

    def value(self, field: str, value_type: str) -> Any:
        value: Any = self.body.get(field)
        if not TYPES[value_type](value):
            raise self.fault(field, f"is not of the type {value_type}")
        if value_type != "float":
            return value
        try:
            # Clients in stricter languages than JSON take 3 for no number of this type.
            return float(value)
        except OverflowError:
            raise self.fault(field, "is too large a number") from None

    def moment(self, field: str) -> datetime | None:
        value = self.body.get(field)
        if value is None:
            return None
        try:
            at = datetime.fromisoformat(value)
            in_utc = at.astimezone(UTC)
        except (TypeError, ValueError, OverflowError):
            raise self.fault(field, "is not a time such as 2026-01-31T09:00:00+00:00") from None
        if at.tzinfo is None:
            raise self.fault(field, "has no time zone")
        return in_utc

    def day(self, field: str) -> date | None:
        value = self.body.get(field)
        try:
            return None if value is None else date.fromisoformat(value)
        except (TypeError, ValueError):
            raise self.fault(field, "is not a date such as 2026-01-31") from None

    def listed(self, field: str) -> list[Any]:
        value = self.body.get(field)
        if not isinstance(value, list):
            raise self.fault(field, "is not a list")
        return value

    def texts(self, field: str, pattern: re.Pattern[str]) -> tuple[str, ...]:
        values = self.listed(field)
        if not all(isinstance(value, str) and pattern.fullmatch(value) for value in values):
            raise self.fault(field, "holds what cannot be there")
        return tuple(values)
