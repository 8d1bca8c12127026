"""Loads the reference data: the catalogue of registered modules and the reference flags."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction

from modules import reference
from tenants import scope

CHANGES_PENDING = 4


class Command(BaseCommand):
    help = "Add missing reference data; run it after every upgrade. Without --apply, say what would be added (exit 4)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--apply", action="store_true", help="write the changes")

    def handle(self, *args: Any, apply: bool, **options: Any) -> None:
        with scope.platform(), transaction.atomic():
            changes = reference.load()
            if not apply:
                transaction.set_rollback(True)
        for change in changes:
            self.stdout.write(f"{'added' if apply else 'would add'} {change}")
        self.stdout.write(f"{len(changes)} changes{'' if apply else ' pending'}.")
        if changes and not apply:
            sys.exit(CHANGES_PENDING)
