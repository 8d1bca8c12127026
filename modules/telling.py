"""How a command tells a decision: one line for each rung, and who can change it."""

from dataclasses import asdict
from typing import Any

from modules.access import Decision
from tenants.operations import Report


def tell_decision(report: Report, decision: Decision) -> None:
    """The rungs that were passed, the one that failed with whom to ask, and those that nobody came to."""
    for rung in decision.rungs:
        subject = f"{rung.number}. {rung.title}"
        if rung.state == "failed":
            report.problem(subject, rung.reason, f"Who can open it: {decision.who_can_open}")
        elif rung.state == "passed":
            report.ok(subject, "yes")
        else:
            report.note(subject, "not reached")
    if decision.notice:
        report.note("notice", decision.notice)


def as_data(decision: Decision) -> dict[str, Any]:
    return {**asdict(decision), "is_open": decision.is_open, "reason": decision.reason}
