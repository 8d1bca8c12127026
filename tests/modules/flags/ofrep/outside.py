"""Fills a database for clients outside, as its owner: `fill` prints the token and the ids as JSON, `kill KEY` kills."""

import json
import os
import sys
from typing import Any

import django

VARIANTS: dict[str, tuple[str, Any, dict[str, Any]]] = {
    "colour": ("string", "none", {"red": "#f00"}),
    "limit": ("integer", 0, {"high": 30}),
    "ratio": ("float", 0, {"whole": 2, "never": 2.5}),
    "layout": ("object", {}, {"wide": {"columns": 3, "names": ["a", "b"]}}),
}


def fill() -> dict[str, str]:
    from tests import factories as make

    lumen, abbey = make.make_organisation("Lumen", sector="59140"), make.make_organisation("Abbey")
    ben, iris = make.make_member(lumen), make.make_member(abbey)
    for key, (value_type, off_value, variants) in VARIANTS.items():
        _make_typed(key, variants, value_type=value_type, off_value=off_value)
    shown = {"is_visible_to_clients": True}
    make.make_flag("on", **shown)
    make.make_flag("off", is_killed=True, **shown)
    make.make_flag("hidden")
    make.make_flag("half", rollout=50_000, bucket_by="person", **shown)
    for key, person in (("bens", ben), ("iris", iris)):
        make.make_override(make.make_flag(key, is_enabled=False, **shown), person=person)
    return {"token": make.make_client_token(lumen), "ben": str(ben.public_id), "iris": str(iris.public_id)}


def _make_typed(key: str, variants: dict[str, Any], **fields: Any) -> None:
    """The first variant is everybody's."""
    from modules.flags.models import Flag, FlagVariant

    flag = Flag.objects.create(key=key, name=key, salt=key, is_enabled=True, is_visible_to_clients=True, **fields)
    for place, (name, value) in enumerate(variants.items()):
        FlagVariant.objects.create(flag=flag, name=name, value=value, weight=0 if place else 1)


def kill(key: str) -> str:
    from modules.flags import actions
    from modules.flags.models import Flag

    actions.kill_flag(Flag.objects.get(key=key), by=None, reason="a test")
    return "done"


def main() -> None:
    from django.conf import settings

    from tenants import scope

    settings.DATABASES["default"].update(settings.OWNER_DATABASE or {})
    name, *arguments = sys.argv[1:]
    with scope.login():
        told = fill() if name == "fill" else kill(*arguments)
    sys.stdout.write(json.dumps(told))


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "marketedge.settings")
    django.setup()
    main()
