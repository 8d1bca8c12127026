"""The verbs of `manage.py flags` that change: set, kill, restore, revert, import."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from modules.flag_operations.looking import flag_named
from modules.flags import actions
from modules.flags.models import Flag
from modules.flags.restoring import Restored
from tenants.operations import ChangingCommand, UsageError


def switch(text: str) -> bool:
    if text not in {"on", "off"}:
        raise ArgumentTypeError(f"{text!r} is neither on nor off.")
    return text == "on"


def percentage(text: str) -> int:
    """In thousandths of a percent."""
    try:
        thousandths = Decimal(text) * 1000
        if 0 <= thousandths <= 100_000 and thousandths == int(thousandths):
            return int(thousandths)
    except (ArithmeticError, ValueError):
        pass
    raise ArgumentTypeError(f"{text!r} is not a percentage from 0 to 100, with up to three decimals.")


def day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a date such as 2027-01-31.") from None


# What `set` may change: the flag's field, its option, and how the option is read.
FIELDS: dict[str, tuple[str, Callable[[str], Any]]] = {
    "name": ("--name", str),
    "purpose": ("--purpose", str),
    "kind": ("--kind", str),
    "owner": ("--owner", str),
    "review_date": ("--review-date", day),
    "module_key": ("--module", str),
    "is_enabled": ("--enabled", switch),
    "rollout": ("--percentage", percentage),
    "bucket_by": ("--bucket-by", str),
    "is_visible_to_clients": ("--visible-to-clients", switch),
}


class Sensible(ChangingCommand):
    """A refusal of the flags' own rules ends the command with its words, and exit code 1."""

    def change(self, *args: Any, **options: Any) -> list[str]:
        try:
            return self.change_flags(**options)
        except ValidationError as refusal:
            raise CommandError(" ".join(refusal.messages)) from None

    def change_flags(self, *args: Any, **options: Any) -> list[str]:
        raise NotImplementedError("A verb says what it changes.")


class Set(Sensible):
    help = "Change fields of the flag KEY; with --create make it, off unless --enabled on."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key")
        parser.add_argument("--create", action="store_true", help="the flag is new")
        for field, (option, read) in FIELDS.items():
            parser.add_argument(option, dest=field, type=read, default=None)

    def change_flags(self, *, by: Any, reason: str, key: str, create: bool, **options: Any) -> list[str]:
        flag = _new(key) if create else flag_named(key)
        wanted = {field: options[field] for field in FIELDS if options[field] is not None}
        changed = {field: value for field, value in wanted.items() if getattr(flag, field) != value}
        lines = [f"{key}: {field} {getattr(flag, field)!r} -> {value!r}" for field, value in changed.items()]
        for field, value in changed.items():
            setattr(flag, field, value)
        if not (create or changed):
            return []
        flag.name = flag.name or key
        flag.salt = flag.salt or key
        flag.full_clean(exclude=["prerequisites"])
        actions.save_flag(flag, by=by, reason=reason, fields=None if create else changed)
        return [f"add flag {key}", *lines] if create else lines


def _new(key: str) -> Flag:
    if Flag.objects.filter(key=key).exists():
        raise UsageError(f"There is a flag {key} already: leave --create out.")
    return Flag(key=key)


class Kill(Sensible):
    help = "Turn the flag KEY off for everybody at once, past every override."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key")

    def change_flags(self, *, by: Any, reason: str, key: str, **options: Any) -> list[str]:
        flag = flag_named(key)
        if flag.is_killed:
            return []
        actions.kill_flag(flag, by=by, reason=reason)
        return [f"kill {key}: off for everybody"]


class Restore(Sensible):
    help = "The flag KEY is neither killed nor archived any more: the rest of its ladder holds again."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key")

    def change_flags(self, *, by: Any, reason: str, key: str, **options: Any) -> list[str]:
        flag = flag_named(key)
        if not (flag.is_killed or flag.is_archived):
            return []
        actions.restore_flag(flag, by=by, reason=reason)
        return [f"restore {key}"]


class Revert(Sensible):
    help = "Make all flags say again what the release NUMBER said; that is a new release."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("number", type=int)

    def change_flags(self, *, by: Any, reason: str, number: int, **options: Any) -> list[str]:
        return _told(self, actions.revert_to(number, by=by, reason=reason))


class Import(Sensible):
    help = "Make flags say what FILE says, which `flags export` wrote; others stay, unless --only."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--only", action="store_true", help="delete the flags that FILE does not know")

    def change_flags(self, *, by: Any, reason: str, file: str, only: bool, **options: Any) -> list[str]:
        try:
            text = Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as fault:
            raise UsageError(f"{file} cannot be read: {fault}.") from None
        return _told(self, actions.import_flags(text, by=by, reason=reason, only=only))


def _told(command: ChangingCommand, done: Restored) -> list[str]:
    for line in done.left_out:
        command.report.note("left out", line)
    return done.changes
