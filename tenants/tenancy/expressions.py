"""Do two conditions of SQL mean the same? PostgreSQL tells policies in its own words, with brackets and casts more."""

import re
from typing import Any

_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(\w+)|(::|[=(),]))")
_TEXTS = {"text", "varchar", "unknown"}


class NotUnderstood(ValueError):
    """The condition has something in it that none of ours has."""


def is_same(ours: str, theirs: str) -> bool:
    """Whether PostgreSQL's words for a condition are those for ours; a condition that we cannot read is another one."""
    if not ours or not theirs:
        return ours == theirs
    try:
        return meaning(ours) == meaning(theirs)
    except NotUnderstood:
        return False


def meaning(condition: str) -> Any:
    """The condition as a tree, without needless brackets and casts of texts to text."""
    reader = _Reader(_tokens(condition))
    tree = reader.either()
    if reader.tokens:
        raise NotUnderstood(condition)
    return tree


def _tokens(condition: str) -> list[str]:
    found, position = [], 0
    condition = condition.strip()
    while position < len(condition):
        match = _TOKEN.match(condition, position)
        if not match:
            raise NotUnderstood(condition)
        text, word, sign = match.groups()
        found.append(text or (word or sign).lower())
        position = match.end()
    return found


class _Reader:
    """OR binds less than AND, AND less than = and IS NULL, those less than a cast."""

    def __init__(self, tokens: list[str]) -> None:
        self.tokens = tokens

    def either(self) -> Any:
        return self._joined("or", lambda: self._joined("and", self._compared))

    def _joined(self, word: str, part: Any) -> Any:
        parts = [part()]
        while self._take(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else (word, *parts)

    def _compared(self) -> Any:
        left = self._cast()
        if self._take("="):
            return ("=", left, self._cast())
        if self._take("is"):
            self._require("null")
            return ("is null", left)
        return left

    def _cast(self) -> Any:
        value = self._single()
        while self._take("::"):
            kind = self._next()
            value = value if kind in _TEXTS and _is_text(value) else ("::", value, kind)
        return value

    def _single(self) -> Any:
        part = self._next()
        if part == "(":
            inner = self.either()
            self._require(")")
            return inner
        if part in {")", ",", "=", "::"}:
            raise NotUnderstood(part)
        return (part, *self._arguments()) if self._take("(") else part

    def _arguments(self) -> list[Any]:
        found: list[Any] = []
        while not self._take(")"):
            found.append(self.either())
            if self.tokens[:1] != [")"]:
                self._require(",")
        return found

    def _next(self) -> str:
        if not self.tokens:
            raise NotUnderstood("it ends early")
        return self.tokens.pop(0)

    def _take(self, token: str) -> bool:
        if self.tokens[:1] != [token]:
            return False
        self.tokens.pop(0)
        return True

    def _require(self, token: str) -> None:
        if not self._take(token):
            raise NotUnderstood(token)


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("'")
