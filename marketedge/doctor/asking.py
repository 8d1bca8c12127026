"""Asks several questions side by side, so that one which gets no answer does not cost the others theirs."""

import logging
import threading
import time
from collections.abc import Callable, Mapping

from tenants.operations import Report, State

logger = logging.getLogger(__name__)
Question = Callable[[float], Report]


def ask_all(questions: Mapping[str, Question], *, within: float) -> Report:
    """The answers in the questions' order, after at most `within` seconds; each is told how many it has.

    Here an answer that could not be had is a problem: being away is what somebody asks the doctor about.
    """
    deadline = time.monotonic() + within
    asked = {subject: _Asked(subject, question, within * 0.95) for subject, question in questions.items()}
    report = Report()
    for subject, one in asked.items():
        one.thread.join(max(0.0, deadline - time.monotonic()))
        report.add(_as_problems(one.report or _nothing(subject, within)))
    return report


class _Asked:
    """One question in a thread of its own, which nobody waits for when it hangs."""

    def __init__(self, subject: str, question: Question, within: float) -> None:
        self.subject = subject
        self.question = question
        self.within = within
        self.report: Report | None = None
        self.thread = threading.Thread(target=self._ask, name=subject, daemon=True)
        self.thread.start()

    def _ask(self) -> None:
        try:
            self.report = self.question(self.within)
        except Exception as fault:
            logger.exception("The question about %s failed", self.subject)
            report = Report()
            report.unknown(self.subject, f"could not be asked: {type(fault).__name__}")
            self.report = report


def _nothing(subject: str, within: float) -> Report:
    report = Report()
    report.unknown(subject, f"no answer within {within:.3g} seconds")
    return report


def _as_problems(report: Report) -> Report:
    told = Report(data=report.data)
    for finding in report.findings:
        if finding.state is State.UNKNOWN:
            told.problem(finding.subject, finding.says, finding.advice)
        else:
            told.findings.append(finding)
    return told
