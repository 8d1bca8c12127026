"""What the flags say becomes rows and the first release; back again, the rows of sectors become lists."""

import json
from datetime import UTC

from django.db import migrations

REASON = "what the flags said when releases began"


def forwards(apps, schema_editor):
    """Lists of sectors become rows. Whoever reads releases answers from now on as whoever reads rows did."""
    flags = list(apps.get_model("flags", "Flag").objects.order_by("key"))
    rules = apps.get_model("flags", "SectorRule").objects
    for flag in flags:
        for effect, codes in (("allow", flag.allowed_sectors), ("block", flag.blocked_sectors)):
            for code in dict.fromkeys(codes):
                rules.create(flag=flag, prefix=code, effect=effect)
    number = 1 if flags else 0
    if flags:
        document = {"format": 1, "flags": {flag.key: described(flag) for flag in flags}}
        text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        apps.get_model("flags", "FlagRelease").objects.create(number=1, document=text, reason=REASON)
    apps.get_model("flags", "FlagPointer").objects.create(id=1, number=number)


def backwards(apps, schema_editor):
    rules = apps.get_model("flags", "SectorRule").objects.order_by("pk")
    for flag in apps.get_model("flags", "Flag").objects.order_by("pk"):
        flag.allowed_sectors = [rule.prefix for rule in rules.filter(flag=flag, effect="allow")]
        flag.blocked_sectors = [rule.prefix for rule in rules.filter(flag=flag, effect="block")]
        flag.save(update_fields=["allowed_sectors", "blocked_sectors"])
    rules.delete()
    apps.get_model("flags", "FlagRelease").objects.all().delete()
    apps.get_model("flags", "FlagPointer").objects.all().delete()


def described(flag):
    """As the first form of the document has it."""
    return {
        "name": flag.name,
        "purpose": flag.purpose,
        "kind": flag.kind,
        "owner": flag.owner,
        "review_date": None,
        "value_type": "boolean",
        "off_value": False,
        "visible_to_clients": False,
        "module": flag.module_key,
        "enabled": flag.is_enabled,
        "killed": flag.is_killed,
        "archived": flag.is_archived,
        "rollout": flag.rollout,
        "bucket_by": flag.bucket_by,
        "salt": flag.salt,
        "hash_version": flag.hash_version,
        "starts_at": moment(flag.window_starts_at),
        "ends_at": moment(flag.window_ends_at),
        "allowed_sectors": sorted(set(flag.allowed_sectors)),
        "blocked_sectors": sorted(set(flag.blocked_sectors)),
        "needs": sorted(flag.needs_rows.values_list("needs__key", flat=True)),
        "variants": [],
        "ramp": [],
        "overrides": sorted(map(override, flag.overrides.all()), key=lambda one: sorted(one["target"].items())),
    }


def override(row):
    if row.person_id:
        target = {"person": str(row.person.public_id)}
    else:
        target = {"organisation": str(row.organisation.public_id)}
    return {
        "target": target,
        "on": row.value,
        "variant": "",
        "reason": row.reason,
        "author": row.author.email if row.author_id else "",
        "starts_at": moment(row.starts_at),
        "expires_at": moment(row.expires_at),
    }


def moment(at):
    return at.astimezone(UTC).isoformat() if at else None


class Migration(migrations.Migration):

    dependencies = [
        ("flags", "0002_releases"),
        ("tenants", "0001_initial"),
        ("accounts", "0001_initial"),
    ]

    operations = [migrations.RunPython(forwards, backwards)]
