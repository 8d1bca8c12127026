"""Filters for the pages of flags in the admin site."""

from typing import Any

from django import template

register = template.Library()


@register.filter
def thousands(count: int) -> str:
    """Digits in groups of three, whatever the reader's language."""
    return f"{count:,}"


@register.filter(name="of")
def of(words: dict[str, Any], key: str) -> Any:
    return words.get(key, "")
