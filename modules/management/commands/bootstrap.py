"""Loads the reference data: the catalogue of registered modules and the reference flags."""

from argparse import ArgumentParser
from typing import Any

from modules import reference
from tenants.operations import ChangingCommand


class Command(ChangingCommand):
    help = (
        "Add missing reference data; run it after every upgrade, with --apply. What people have set differently since"
        " is told and stays: their choice, unless --strict makes it a problem (exit code 1)."
    )
    needs_reason = False  # a step of every release

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--strict", action="store_true", help="exit code 1 when something differs")

    def change(self, *, by: Any, reason: str, strict: bool, **options: Any) -> list[str]:
        added = reference.load(by=by, reason=reason or reference.REASON)
        differing = self.report.data["drift"] = reference.drift()
        for words in differing:
            if strict:
                self.report.problem("drift", words, "Change it back in the admin site, or leave --strict out.")
            else:
                self.report.note("drift", words)
        return [f"add {words}" for words in added]
