"""How do two documents of flags differ? Flag by flag and field by field, in words, with names instead of public ids."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from modules.flags import wording
from modules.flags.document import bodies, is_legible

Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that a flag says otherwise. `before` is empty where nothing stood in its place."""

    what: str
    before: str
    after: str

    def __str__(self) -> str:
        return " ".join(filter(None, (self.what, self.before, self.before and "→", self.after)))


ILLEGIBLE = Difference("what it says, now or then, cannot be read here", "", "")


@dataclass(frozen=True, slots=True)
class FlagDifferences:
    """What one flag says otherwise. `state` is "added", "deleted" or "changed"; of one that was added, what is not
    plain is told."""

    key: str
    state: str
    differences: tuple[Difference, ...]

    def __str__(self) -> str:
        said = "; ".join(str(one) for one in self.differences)
        return f"{self.key}: {said}" if self.state == "changed" else f"{self.key}: {self.state} {said}".strip()


def differences(before: str, after: str, names: Names | None = None) -> list[FlagDifferences]:
    """Of two documents, by key. `names` are the names of organisations and people by their public ids (`names.py`).

    Malformed, or TooNew, when a document cannot be read.
    """
    return differences_of_bodies(bodies(before), bodies(after), names)


def differences_of_bodies(
    before: Mapping[str, Any], after: Mapping[str, Any], names: Names | None = None
) -> list[FlagDifferences]:
    """The same of bodies by key, as `drafting.bodies` makes them."""
    return [_of_flag(key, before.get(key), after.get(key), names or {}) for key in changed_keys(before, after)]


def changed_keys(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return sorted(key for key in before.keys() | after.keys() if before.get(key) != after.get(key))


def _of_flag(key: str, before: Any, after: Any, names: Names) -> FlagDifferences:
    if not all(body is None or is_legible(key, body) for body in (before, after)):
        return FlagDifferences(key, "changed", (ILLEGIBLE,))
    if after is None:
        return FlagDifferences(key, "deleted", ())
    if before is None:
        return FlagDifferences(key, "added", tuple(_news(after, names)))
    return FlagDifferences(key, "changed", tuple(_all(before, after, names)))


def _all(before: Mapping[str, Any], after: Mapping[str, Any], names: Names) -> Iterator[Difference]:
    for field, what, words in FIELDS:
        if before.get(field) != after.get(field):
            yield Difference(what, words(before.get(field)), words(after.get(field)))
    yield from _of_overrides(before.get("overrides", []), after.get("overrides", []), names)


def _news(body: Mapping[str, Any], names: Names) -> Iterator[Difference]:
    """What is not plain of a flag that is new."""
    for field, what, words in FIELDS:
        is_plain = body[field] == PLAIN[field] if field in PLAIN else not body[field]
        if not is_plain and field not in TOLD_BY_KEY:
            yield Difference(what, "", words(body[field]))
    yield from _of_overrides([], body.get("overrides", []), names)


def _of_overrides(before: list[Any], after: list[Any], names: Names) -> Iterator[Difference]:
    was, now = _by_target(before), _by_target(after)
    for target in sorted({*was, *now}, key=lambda target: names.get(target, target)):
        if was.get(target) == now.get(target):
            continue
        yield _of_override(f"override for {names.get(target, target)}", was.get(target), now.get(target))


def _of_override(what: str, before: Any, after: Any) -> Difference:
    if before is None:
        return Difference(f"{what} added:", "", _override(after))
    if after is None:
        return Difference(f"{what} removed, it was", "", _override(before))
    return Difference(f"{what}:", _override(before), _override(after))


def _by_target(overrides: Iterable[Any]) -> dict[str, Any]:
    return {target: override for override in overrides for target in override["target"].values()}


def targets(overrides: Iterable[Any]) -> set[tuple[str, str]]:
    """The organisations and people that overrides name, each as ("organisation" or "person", public id)."""
    return {pair for override in overrides for pair in override["target"].items()}


def _override(override: Any) -> str:
    state = "on" if override["on"] else "off"
    words = [f"{state} ({override['variant']})" if override["variant"] else state]
    words += [f"from {wording.moment_of_text(override['starts_at'])}"] if override["starts_at"] else []
    words += [f"until {wording.moment_of_text(override['expires_at'])}"] if override["expires_at"] else []
    author = f", by {override['author']}" if override["author"] else ""
    return f"{' '.join(words)}{author}: {wording.quoted(override['reason'])}"


def _switch(name: str) -> Callable[[Any], str]:
    return lambda is_so: name if is_so else f"not {name}"


def _ramp(steps: Any) -> str:
    return wording.listed(
        f"{wording.percent(step['rollout'])} from {wording.moment_of_text(step['at'])}" for step in steps or []
    )


def _variants(variants: Any) -> str:
    return wording.listed(
        f"{one['name']} = {wording.value(one['value'])} with weight {one['weight']}" for one in variants or []
    )


# Each field of a body, in the order of the ladder: its name in words ("" where its own words say it), and its value's.
FIELDS: tuple[tuple[str, str, Callable[[Any], str]], ...] = (
    ("archived", "", _switch("archived")),
    ("killed", "", _switch("killed")),
    ("starts_at", "on from", lambda text: wording.moment_of_text(text, "always")),
    ("ends_at", "on until", lambda text: wording.moment_of_text(text, "without end")),
    ("needs", "prerequisites", wording.listed),
    ("module", "module", lambda key: key or "none"),
    ("enabled", "", _switch("enabled")),
    ("blocked_sectors", "never for the sectors", wording.listed),
    ("allowed_sectors", "only for the sectors", lambda codes: wording.listed(codes, "all")),
    ("rollout", "rollout", wording.percent),
    ("ramp", "ramp", _ramp),
    ("bucket_by", "percentage by", str),
    ("salt", "salt of the percentage", str),
    ("hash_version", "version of the hash", str),
    ("variants", "variants", _variants),
    ("value_type", "type", str),
    ("off_value", "value when off", wording.value),
    ("visible_to_clients", "", _switch("visible to clients")),
    ("name", "name", wording.quoted),
    ("purpose", "purpose", wording.quoted),
    ("kind", "kind", str),
    ("owner", "owner", wording.quoted),
    ("review_date", "review date", lambda text: text or "none"),
)

# What a new flag need not say: it is as nobody would wonder at, or told by the key already.
TOLD_BY_KEY = {"name", "salt"}
PLAIN: dict[str, Any] = {
    "kind": "release",
    "value_type": "boolean",
    "off_value": False,
    "bucket_by": "organisation",
    "hash_version": 1,
    "enabled": None,
    "rollout": None,
}
