"""Flags of a release in the language of flagd: JSON targeting rules, for its evaluator, `openfeature-flagd-core`.

Its language knows less than ours, or another thing. So the caller of flagd gives the off value as the default (a killed
flag is DISABLED there, and answers with it), prerequisites are written out where they are needed, and "nobody to count"
is a rule of its own. flagd hashes not the text but its CBOR form: a salt made by `salted` begins with the head of that
form, so that both hash the same bytes.
"""

from datetime import datetime
from typing import Any

NOW = {"var": "$flagd.timestamp"}
OFF, ON = "off", "on"
ALL = 100_000
Rule = Any


def salted(words: str, middle: str, unit_length: int) -> str:
    """A salt with which `salt + middle + unit` is, byte by byte, the CBOR form of `words + middle + unit`."""
    length = len((words + middle).encode()) + unit_length
    assert 24 <= length < 128  # longer and shorter texts have another head
    return f"x{chr(length)}{words}"


def flag_set(bodies: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {"flags": {key: _flag(key, bodies) for key in bodies}}


def _flag(key: str, bodies: dict[str, dict[str, Any]]) -> dict[str, Any]:
    body = bodies[key]
    values = {variant["name"]: variant["value"] for variant in body["variants"]} or {ON: True}
    return {
        "state": "DISABLED" if _is_closed(body) else "ENABLED",
        "variants": {OFF: body["off_value"], **values},
        "defaultVariant": OFF,
        "targeting": targeting(key, bodies),
    }


def _is_closed(body: dict[str, Any]) -> bool:
    return body["killed"] or body["archived"]


def targeting(key: str, bodies: dict[str, dict[str, Any]]) -> Rule:
    """One chain of conditions, each with the variant that it leads to; the first that holds decides."""
    body = bodies[key]
    unit = {"var": body["bucket_by"]}
    chain: list[Rule] = [_is_closed(body), OFF]
    chain += [{"!": _is_within(body["starts_at"], body["ends_at"])}, OFF]
    for needed in body["needs"]:
        chain += [{"==": [targeting(needed, bodies), OFF]}, OFF]
    if body["module"]:
        chain += [{"!": {"in": [body["module"], {"var": "entitled_modules"}]}}, OFF]
    for kind in ("person", "organisation"):
        for override in body["overrides"]:
            if kind in override["target"]:
                chain += [_is_hit(override, kind), _overridden(override, body)]
    chain += [not body["enabled"], OFF]
    chain += [_begins_with_one_of(body["blocked_sectors"]), OFF]
    if body["allowed_sectors"]:
        chain += [{"!": _begins_with_one_of(body["allowed_sectors"])}, OFF]
    chain += [{"!": unit}, OFF]
    for step in reversed(body["ramp"]):
        chain += [{">=": [NOW, _seconds(step["at"])]}, _share(step["rollout"], body)]
    return {"if": [*chain, _share(body["rollout"], body)]}


def _is_within(starts_at: str | None, ends_at: str | None) -> Rule:
    begun = {">=": [NOW, _seconds(starts_at)]} if starts_at else True
    return {"and": [begun, {"<": [NOW, _seconds(ends_at)]} if ends_at else True]}


def _seconds(moment: str) -> int:
    return int(datetime.fromisoformat(moment).timestamp())


def _is_hit(override: dict[str, Any], kind: str) -> Rule:
    is_target = {"==": [{"var": kind}, override["target"][kind]]}
    return {"and": [is_target, _is_within(override["starts_at"], override["expires_at"])]}


def _overridden(override: dict[str, Any], body: dict[str, Any]) -> Rule:
    return (override["variant"] or _variant(body)) if override["on"] else OFF


def _begins_with_one_of(codes: list[str]) -> Rule:
    return {"or": [False, *({"starts_with": [{"var": "sector"}, code]} for code in codes)]}


def _share(rollout: int, body: dict[str, Any]) -> Rule:
    """Inside the percentage or not. At its ends nobody is counted, here as there."""
    if rollout in (0, ALL):
        return _variant(body) if rollout else OFF
    inside = {"fractional": [_counted(body, ":"), [ON, rollout], [OFF, ALL - rollout]]}
    return {"if": [{"==": [inside, ON]}, _variant(body), OFF]}


def _variant(body: dict[str, Any]) -> Rule:
    if not body["variants"]:
        return ON
    weights = [[variant["name"], variant["weight"]] for variant in body["variants"]]
    return {"fractional": [_counted(body, ":variant:"), *weights]}


def _counted(body: dict[str, Any], middle: str) -> Rule:
    """What flagd is to hash; the head of its CBOR form is what the salt begins with."""
    return {"cat": [body["salt"][2:] + middle, {"var": body["bucket_by"]}]}
