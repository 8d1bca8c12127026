"""Bodies of flags as releases hold them; say only what matters for the test."""

import json
from typing import Any

BODY: dict[str, Any] = {
    "name": "A flag",
    "purpose": "",
    "kind": "release",
    "owner": "",
    "review_date": None,
    "value_type": "boolean",
    "off_value": False,
    "visible_to_clients": False,
    "module": "",
    "enabled": True,
    "killed": False,
    "archived": False,
    "rollout": 100_000,
    "bucket_by": "organisation",
    "salt": "salt",
    "hash_version": 1,
    "starts_at": None,
    "ends_at": None,
    "allowed_sectors": [],
    "blocked_sectors": [],
    "needs": [],
    "variants": [],
    "ramp": [],
    "overrides": [],
}
OVERRIDE: dict[str, Any] = {
    "target": {"organisation": "here"},
    "on": True,
    "variant": "",
    "reason": "demo",
    "author": "",
    "starts_at": None,
    "expires_at": None,
}


def body(**changes: Any) -> dict[str, Any]:
    return {**BODY, **changes}


def override(**changes: Any) -> dict[str, Any]:
    return {**OVERRIDE, **changes}


def document(**flags: dict[str, Any]) -> str:
    return json.dumps({"format": 1, "flags": flags})
