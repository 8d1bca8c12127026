"""System check: every flag that code asks for is declared, and every declared one is asked for.

Only `manage.py check --deploy` runs it, and so `make check`: it reads all the code, a third of a second, which no other
command and no start should wait for.
"""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register

from modules import registry
from modules.flags import declared


@register("flags", deploy=True)
def check_flags_asked_for(**options: Any) -> list[CheckMessage]:
    return list(_misdeclared(declared.uses(settings.BASE_DIR)))


def _misdeclared(used: list[declared.Use]) -> Iterator[CheckMessage]:
    asked_for = set(declared.DECLARED) | {key for spec in registry.all_specs() for key in spec.flags}
    opening = {spec.flag for spec in registry.all_specs() if spec.flag}
    for use in declared.undeclared(used, asked_for | opening):
        yield Error(
            f"{use}: the flag {use.key} is asked for and declared nowhere.",
            hint="Name it in the ModuleSpec of its module (`flags=(...)`), or in modules/flags/declared.py.",
            id="modules.flags.E001",
        )
    for key in declared.unused(used, asked_for):
        yield Error(
            f"The flag {key} is declared, and no code asks for it.",
            hint="Take the declaration out, where it was forgotten; or mend the key, where it was mistyped.",
            id="modules.flags.E002",
        )
