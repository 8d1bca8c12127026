"""Values of flags as people type them: on and off, plain text, numbers; JSON for objects alone."""

import math
import re
from collections.abc import Callable
from typing import Any

from django.core.exceptions import ValidationError

from modules.flags.document import can_be_kept, canonical, json_of

ON, OFF = {"on", "true", "yes"}, {"off", "false", "no"}
LARGEST = 2**53 - 1  # what every reader of JSON keeps exactly


def value_of(text: str, value_type: str) -> Any:
    """ValidationError says what is expected."""
    return READERS[value_type](text)


def text_of(value: Any) -> str:
    """As it would be typed."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return value if isinstance(value, str) else canonical(value)


def _boolean(text: str) -> bool:
    word = text.strip().lower()
    if word not in ON | OFF:
        raise ValidationError("Enter “on” or “off”, or choose another type for the flag.")
    return word in ON


def _integer(text: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,16}", text.strip()) or abs(int(text)) > LARGEST:
        raise ValidationError("Enter a whole number, such as 25, or choose another type for the flag.")
    return int(text)


def _float(text: str) -> float:
    expected = ValidationError("Enter a number, such as 0.25, or choose another type for the flag.")
    if not re.fullmatch(r"[+-]?[0-9]{1,400}(\.[0-9]{1,400})?([eE][+-]?[0-9]{1,4})?", text.strip()):
        raise expected
    number = float(text)
    if not math.isfinite(number):
        raise expected
    is_whole = text.strip().lstrip("+-").isdecimal() and abs(number) <= LARGEST
    return int(text) if is_whole else number


def _object(text: str) -> dict[str, Any]:
    try:
        value = json_of(text)
    except (ValueError, RecursionError) as fault:
        raise ValidationError(
            'Enter an object in JSON, such as {"limit": 25}: %(fault)s', params={"fault": fault}
        ) from None
    if not isinstance(value, dict):
        raise ValidationError('Enter an object in JSON, such as {"limit": 25}, with braces around it.')
    if not can_be_kept(value):
        raise ValidationError("Take out the sign that no text can have: \\u0000, or one of the \\ud800 kind alone.")
    return value


READERS: dict[str, Callable[[str], Any]] = {
    "boolean": _boolean,
    "string": lambda text: text,
    "integer": _integer,
    "float": _float,
    "object": _object,
}
