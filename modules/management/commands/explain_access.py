"""Shows why a person may or may not open a module: the whole ladder."""

import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from modules import access
from tenants.models import Organisation

SIGNS = {"passed": "yes", "failed": "NO ", "not reached": " - "}


class Command(BaseCommand):
    help = "Show every rung of the access decision. Exit code 0: open, 1: closed, 2: no such person or organisation."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("organisation", help="its slug")
        parser.add_argument("module", help="its key, for example market_edge_core")

    def handle(self, *args: Any, email: str, organisation: str, module: str, **options: Any) -> None:
        person = User.objects.with_email(email).first()
        if person is None:
            raise CommandError(f"Nobody has the address {email}.", returncode=2)
        tenant = Organisation.objects.filter(slug=organisation).first()
        if tenant is None:
            raise CommandError(f"There is no organisation {organisation}.", returncode=2)
        decision = access.decide_now(person, tenant, module)
        self.stdout.write(f"{person} in {tenant}, {decision.module_name}: {'open' if decision.is_open else 'CLOSED'}")
        for rung in decision.rungs:
            self.stdout.write(
                f"  {rung.number} {SIGNS[rung.state]} {rung.title}{f': {rung.reason}' if rung.reason else ''}"
            )
        if not decision.is_open:
            self.stdout.write(f"Who can open it: {decision.who_can_open}")
            sys.exit(1)
