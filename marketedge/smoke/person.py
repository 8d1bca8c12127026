"""The same journey as one of the demonstration's people: in through the local provider, to a module, and out again."""

from urllib.parse import urljoin, urlsplit

from accounts.demonstration import PEOPLE
from accounts.fetching import Answer
from marketedge.environment import is_loopback
from marketedge.smoke.journey import begin_sign_in, leave
from marketedge.smoke.visit import Page, Visit
from tenants.operations import Report

SUBJECT = "signed in"


class Stopped(Exception):
    """The journey cannot go on; the message says where and why."""


def subject_of(email: str) -> str | None:
    """How the local provider calls the person; None for somebody whom it does not list."""
    return next((person.subject for person in PEOPLE if person.email == email.strip().lower()), None)


def look_signed_in(visit: Visit, report: Report, subject: str) -> None:
    try:
        _enter(visit, subject)
        path, dashboard = _follow(visit, visit.get("/"))
        report.ok(SUBJECT, f"lands at {path}")
        _open_module(visit, report, path, Page(dashboard))
        _sign_out(visit, report)
    except Stopped as problem:
        report.problem(SUBJECT, str(problem))


def _enter(visit: Visit, subject: str) -> None:
    begun = begin_sign_in(visit, Page(visit.get("/sign-in/")))
    target = begun.headers.get("Location", "") if begun else ""
    if not is_loopback(target):
        raise Stopped("the instance does not sign in at the demonstration's local provider: nobody was signed in")
    form = next((form for form in Page(visit.get(target)).forms if "pending" in form.fields), None)
    if form is None:
        raise Stopped("the provider shows no people to choose from")
    chosen = visit.post(urljoin(target, form.action), {**form.fields, "subject": subject})
    callback = chosen.headers.get("Location", "")
    if not callback.startswith(f"{visit.base}/oidc/callback/"):
        raise Stopped(f"the provider answers {chosen.status} and does not lead back")
    answer = visit.get(callback)
    if answer.status != 302 or urlsplit(answer.headers.get("Location", "")).path.startswith("/sign-in/"):
        raise Stopped(f"the person is refused (status {answer.status})")


def _follow(visit: Visit, answer: Answer) -> tuple[str, Answer]:
    """To where redirects within the instance end, five at most."""
    path = "/"
    for _ in range(5):
        if answer.status not in {301, 302, 303, 307, 308}:
            break
        path = answer.headers.get("Location", "")
        if urlsplit(urljoin(visit.base, path)).netloc != urlsplit(visit.base).netloc:
            raise Stopped("a page leads to another site")
        answer = visit.get(path)
    if answer.status != 200 or "/sign-in/" in path:
        raise Stopped(f"{path} answers {answer.status}")
    return path, answer


def _open_module(visit: Visit, report: Report, path: str, dashboard: Page) -> None:
    """The first one that the dashboard offers; some people are offered none."""
    links = [link for link in dashboard.links if link.startswith("/o/") and link.count("/") >= 4]
    modules = [link for link in links if "/access/" not in link]
    if not modules:
        report.note("module", f"{path} offers none to this person")
        return
    opened = visit.get(modules[0])
    if opened.status == 200:
        report.ok("module", f"{modules[0]} opens")
    else:
        report.problem("module", f"{modules[0]} answers {opened.status}")


def _sign_out(visit: Visit, report: Report) -> None:
    session = dict(visit.cookies)
    answer = leave(visit)
    if is_loopback(answer.headers.get("Location", "")):
        visit.get(answer.headers["Location"])  # the provider's own session ends too
    visit.cookies.update(session)
    again = visit.get("/organisations/")
    visit.cookies.clear()
    if answer.status == 302 and again.status == 302 and "/sign-in/" in again.headers.get("Location", ""):
        report.ok("sign-out", "ends the session")
    else:
        report.problem("sign-out", f"status {answer.status}, and the old session answers {again.status}")
