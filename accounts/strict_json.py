"""JSON as two readers would read it alike: no name given twice, no NaN, no endless nesting."""

import json
from typing import Any


def read_object(text: bytes) -> dict[str, Any]:
    """The object that the text is; ValueError when it is anything else."""
    try:
        found = json.loads(text.decode(), object_pairs_hook=_each_once, parse_constant=_refuse)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if not isinstance(found, dict):
        raise ValueError("not an object")
    return found


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no JSON")
