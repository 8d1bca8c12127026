"""The verbs of `manage.py flags` that look: list, show, explain, export, check."""

import json
import os
from argparse import ArgumentParser, ArgumentTypeError
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone

from accounts.naming import person_named
from modules import access, registry
from modules.flags import declared, explaining, ladder_view
from modules.flags.document import Malformed, bodies, moment_words, rules_of
from modules.flags.drafting import bodies as drafted
from modules.flags.exposure.reading import last_hour_of
from modules.flags.models import Flag, FlagRelease
from modules.flags.newest import newest_number, newest_release
from modules.flags.releases import is_published, snapshot_at
from modules.flags.soundness import require_sound
from modules.flags.states import State
from tenants import scope
from tenants.naming import organisation_named, unknown
from tenants.operations import LookingCommand, Report, UsageError
from tenants.seats import seat_of


def flag_named(key: str) -> Flag:
    flag = Flag.objects.filter(key=key).first()
    if flag is None:
        raise unknown(f"There is no flag {key}.", key, Flag.objects.order_by("key").values_list("key", flat=True))
    return flag


def moment(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not a time such as 2026-01-31T09:00+00:00.") from None
    return at if at.tzinfo else at.replace(tzinfo=timezone.get_current_timezone())


class List(LookingCommand):
    help = "Every flag with its state, kind, module, number of overrides and review date."

    def look(self, **options: Any) -> Report:
        with scope.platform():
            flags = list(Flag.objects.as_of(timezone.now()).counted().order_by("key"))
        for flag in flags:
            self.report.note(flag.key, self._says(flag))
        self.report.data["flags"] = [{"key": flag.key, "state": flag.state_now} for flag in flags]
        return self.report

    def _says(self, flag: Any) -> str:
        words = [f"{flag.rollout_now / 1000:g} %" if flag.state_now == State.PARTIAL else flag.state_now, flag.kind]
        if flag.key in settings.FLAGS_FORCED:
            words.append(f"forced {'on' if settings.FLAGS_FORCED[flag.key] else 'off'}")
        words += [f"module {flag.module_key}"] if flag.module_key else []
        words += [f"{flag.overrides_counted} overrides"] if flag.overrides_counted else []
        words += [f"review {flag.review_date:%Y-%m-%d}"] if flag.review_date else []
        return ", ".join(words)


class Show(LookingCommand):
    help = "Everything that a flag KEY says, as its next release would have it."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key")

    def look(self, *, key: str, **options: Any) -> Report:
        with scope.platform():
            body = drafted(flag_named(key).key)[key]
            last_hour = last_hour_of(key)
        self.report.data |= {"flag": body, "last_evaluated": last_hour}
        for name, value in body.items():
            if value not in (None, "", [], False):
                self.report.note(name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))
        self.report.note("last evaluated", _last(last_hour))
        return self.report


def _last(hour: datetime | None) -> str:
    if hour is None:
        return f"not in the last {settings.FLAG_USE_KEPT_DAYS} days"
    return f"in the hour from {moment_words(hour)}"


class Explain(LookingCommand):
    help = "Why the flag KEY is on or off for an organisation and a person, now or at a moment of the past."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("key")
        parser.add_argument("--organisation", default="", metavar="SLUG")
        parser.add_argument("--person", default="", metavar="EMAIL")
        parser.add_argument("--at", type=moment, default=None, metavar="TIME", help="2026-01-31T09:00+00:00")

    def look(self, *, key: str, organisation: str, person: str, at: datetime | None, **options: Any) -> Report:
        now = at or timezone.now()
        with scope.platform():
            known = person_named(person) if person else AnonymousUser()
            tenant = organisation_named(organisation) if organisation else None
            snapshot = snapshot_at(now)
            if at is None:
                snapshot = snapshot.with_forced(settings.FLAGS_FORCED)
            context = _context(known, tenant, now)
        flag = snapshot.flags.get(key)
        if flag is None:
            raise unknown(f"Release {snapshot.version} has no flag {key}.", key, snapshot.flags)
        told = explaining.explain(flag, context, snapshot.version)
        self._tell_of_unread(now, snapshot.version)
        self._tell(told, ladder_view.rungs(told, _rules(key, snapshot.document), at=now))
        return self.report

    def _tell_of_unread(self, at: datetime, held: int) -> None:
        if (number := newest_number(at)) != held:
            self.report.note("release", f"{number} cannot be read here, so {held or 'the code'} holds")

    def _tell(self, told: explaining.Explanation, rungs: list[ladder_view.Rung]) -> None:
        self.report.data |= {"value": told.value, "variant": told.variant, "rung": told.rung, "release": told.version}
        self.report.data |= {"reason": str(told.reason), "bucket": told.bucket, "threshold": told.threshold}
        state = "on" if told.is_on else "off"
        self.report.note("answer", f"{state} ({told.variant}): {told.sentence} Release {told.version}.")
        for rung in rungs:
            self.report.note(f"{rung.number:>2} {rung.title}", f"{rung.state}{f': {rung.says}' if rung.says else ''}")


def _context(person: Any, organisation: Any, at: datetime) -> Any:
    if organisation is None:
        return access.flags.Context(person=str(getattr(person, "public_id", "")))
    seat = seat_of(person, organisation) if person.is_authenticated else None
    with scope.organisation(organisation.pk):
        return access.flag_context(access.load_facts(person, organisation, seat, at=at))


def _rules(key: str, document: str) -> Any:
    try:
        return rules_of(key, bodies(document)[key])
    except (Malformed, KeyError):
        return None


class Export(LookingCommand):
    help = "Write the document of the newest release, or of another, into FILE: for `flags import`, here or elsewhere."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file")
        parser.add_argument("--release", type=int, default=None, metavar="NUMBER")

    def look(self, *, file: str, release: int | None, **options: Any) -> Report:
        found = newest_release() if release is None else FlagRelease.objects.filter(number=release).first()
        if found is None:
            raise UsageError("There is no such release: `flags list` and the admin site show what there is.")
        try:
            handle = os.open(Path(file), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as fault:
            raise UsageError(f"{file} cannot be written: {fault.strerror}.") from None
        with os.fdopen(handle, "w", encoding="utf-8") as target:
            target.write(found.document)
        self.report.ok("export", f"release {found.number} is in {file}, for nobody else to read")
        return self.report


class Check(LookingCommand):
    help = "Whether flags, releases and the code agree: keys, soundness, what is due. Exit code 1 for what is wrong."

    def look(self, **options: Any) -> Report:
        with scope.platform():
            self._released()
            flags = list(Flag.objects.filter(is_archived=False).order_by("key"))
        self._in_code({flag.key for flag in flags})
        self._due(flags)
        return self.report

    def _released(self) -> None:
        newest = newest_release()
        if not is_published():
            advice = (
                "`flags set` or the admin site publish with each change; `bootstrap --apply` publishes what is left."
            )
            self.report.problem("release", "what the tables say is not what processes read", advice)
            return
        if newest is None:
            self.report.ok("release", "there are no flags, and so none is needed")
            return
        try:
            require_sound(newest.document)
        except Malformed as fault:
            self.report.problem("release", str(fault), "Change the flag in the admin site.")
            return
        self.report.ok("release", f"{newest.number} says what the tables say, and makes sense")

    def _in_code(self, there: set[str]) -> None:
        used = declared.uses(settings.BASE_DIR)
        gates = {spec.flag for spec in registry.all_specs() if spec.flag}
        known = set(declared.DECLARED) | {key for spec in registry.all_specs() for key in spec.flags}
        for use in declared.undeclared(used, known | gates):
            advice = "Name it in the module's ModuleSpec, or in modules/flags/declared.py."
            self.report.problem("keys asked for", f"{use.key} is asked for at {use} and declared nowhere", advice)
        for key in declared.unused(used, known):
            self.report.problem(
                "keys asked for", f"{key} is declared, and no code asks for it", "Take the declaration out."
            )
        for key in sorted((known | gates) - there):
            self.report.note("keys asked for", f"{key} is asked for and no flag: the default holds")
        for key in sorted(there - known - gates):
            self.report.note("keys asked for", f"{key} is a flag that no code here asks for")

    def _due(self, flags: list[Flag]) -> None:
        today = timezone.localdate()
        for flag in flags:
            if flag.review_date and flag.review_date <= today:
                owner = f", {flag.owner} knows it" if flag.owner else ""
                self.report.note("due", f"{flag.key} was to be reviewed on {flag.review_date:%Y-%m-%d}{owner}")
