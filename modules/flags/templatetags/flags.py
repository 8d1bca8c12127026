"""Flags in templates: `{% flag "key" as is_wanted %}{% if is_wanted %}`, and `{% flag_value "key" "default" %}`."""

from typing import Any

from django import template

from modules.flags import evaluation

register = template.Library()


@register.simple_tag
def flag(key: str, default: bool = False) -> bool:
    return evaluation.is_on(key, default=default)


@register.simple_tag
def flag_value(key: str, default: Any = "") -> Any:
    return evaluation.value(key, default=default)
