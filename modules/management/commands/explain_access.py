"""Shows why a person may or may not open a module: the whole ladder."""

from argparse import ArgumentParser
from typing import Any

from accounts.naming import person_named
from modules import access, registry
from modules.telling import as_data, tell_decision
from tenants import scope
from tenants.naming import organisation_named, unknown
from tenants.operations import LookingCommand, Report


class Command(LookingCommand):
    help = "Show every rung of the access decision. Exit code 0: open, 1: closed, 2: no such person or organisation."

    def arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("email")
        parser.add_argument("organisation", help="its slug")
        parser.add_argument("module", help="its key, for example market_edge_core")

    def look(self, *, email: str, organisation: str, module: str, **options: Any) -> Report:
        with scope.platform():
            person, tenant = person_named(email), organisation_named(organisation)
            decision = access.decide_now(person, tenant, require_known(module))
        state = "open" if decision.is_open else "CLOSED"
        self.report.data |= {"person": person.email, "organisation": tenant.slug, "decision": as_data(decision)}
        self.report.note("decision", f"{person} in {tenant}, {decision.module_name}: {state}")
        tell_decision(self.report, decision)
        return self.report


def require_known(module: str) -> str:
    """The key, when the code brings such a module or the catalogue still lists it."""
    known = {spec.key for spec in registry.all_specs()} | set(
        access.AnalyticsModule.objects.values_list("key", flat=True)
    )
    if module not in known:
        raise unknown(f"There is no module {module}.", module, sorted(known))
    return module
