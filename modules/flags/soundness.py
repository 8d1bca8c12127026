"""May this document be published? Stricter than reading it: what makes no sense to people is refused, by name. Pure."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from modules.flags.document import KINDS, Body, Malformed, Rules, bodies, can_be_kept, is_legible, rules_of

DEEPEST = 50  # prerequisites that may follow each other
LONGEST = {"name": 120, "owner": 200, "module": 60, "salt": 80}  # characters that the rows can hold
LONGEST_REASON = 500


def require_sound(text: str) -> dict[str, Rules]:
    """The rules of every flag; Malformed says of the first fault which flag and what to change."""
    told = bodies(text)
    rules = {key: rules_of(key, body) for key, body in told.items()}
    for key, body in told.items():
        _require_storable(Body(key, body))
        _require_description(Body(key, body))
        _require_order(rules[key])
        _require_targets(rules[key])
        _require_needs(rules[key], rules)
    for key in rules:
        _require_end(key, rules)
    return rules


def body_in(document: str, key: str) -> dict[str, Any] | None:
    """What a release of any version says of a flag; None where it says nothing that people can be told."""
    try:
        body = bodies(document).get(key)
    except Malformed:
        return None
    return body if is_legible(key, body) else None


def _require_storable(body: Body) -> None:
    """What the database has no room or no sign for."""
    for field, most in LONGEST.items():
        if len(body.text(field)) > most:
            raise body.fault(field, f"is longer than {most} characters")
    for field, value in body.body.items():
        if not can_be_kept(value):
            raise body.fault(field, "holds a sign that no text can have")


def _require_description(body: Body) -> None:
    body.text("name")
    body.text("purpose")
    body.text("owner")
    body.choice("kind", KINDS)
    body.day("review_date")


def _require_order(rules: Rules) -> None:
    if rules.starts_at and rules.ends_at and rules.ends_at <= rules.starts_at:
        raise Malformed(f"{rules.key}: its window must end after it starts.")
    times = [step.at for step in rules.ramp]
    if len(set(times)) < len(times):
        raise Malformed(f"{rules.key}: two steps of its ramp are at the same time.")


def _require_targets(rules: Rules) -> None:
    seen, names = set(), {variant.name for variant in rules.variants}
    for override in rules.overrides:
        target = (override.is_for_person, _in_one_spelling(override.target))
        if target in seen:
            raise Malformed(f"{rules.key}: two overrides for {override.target}.")
        if override.starts_at and override.expires_at and override.expires_at <= override.starts_at:
            raise Malformed(f"{rules.key}: the override for {override.target} must expire after it starts.")
        if not override.reason:
            raise Malformed(f"{rules.key}: the override for {override.target} has no reason.")
        if len(override.reason) > LONGEST_REASON:
            raise Malformed(f"{rules.key}: an override's reason is longer than {LONGEST_REASON} characters.")
        if override.variant and (override.variant not in names or not override.is_on):
            raise Malformed(f"{rules.key}: an override chooses {override.variant}, which is none of its variants.")
        seen.add(target)


def _in_one_spelling(public_id: str) -> str:
    """The database finds an id in any of the ways to write it."""
    try:
        return str(UUID(public_id))
    except ValueError:
        return public_id


def _require_needs(rules: Rules, known: Mapping[str, Rules]) -> None:
    missing = [key for key in rules.needs if key not in known]
    if missing:
        raise Malformed(f"{rules.key}: its prerequisite {missing[0]} does not exist.")


def _require_end(key: str, known: Mapping[str, Rules]) -> None:
    """No way along the prerequisites comes back to where it began, or goes on too long."""
    layer = [key]
    for _ in range(DEEPEST):
        layer = sorted({needed for one in layer for needed in known[one].needs})
        if key in layer:
            raise Malformed(f"{key}: its prerequisites need each other in a circle.")
        if not layer:
            return
    raise Malformed(f"{key}: its prerequisites lead in a circle, or more than {DEEPEST} follow each other.")
