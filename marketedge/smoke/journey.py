"""The stops of a stranger's journey: health, sign-in, files, closed doors, the API's door, cookies."""

import json
import re
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.conf import settings

from accounts.fetching import Answer, Unreachable
from marketedge.smoke.visit import Page, Visit
from tenants.operations import Report

FIELDS = (
    "status",
    "mode",
    "version",
    "commit",
    "timestamp",
    "database_ready",
    "database_error",
    "authentication_endpoints",
    "cors_status",
    "allowed_origins",
    "modules",
    "flags",
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}
SHORTEST_COMMIT = 7
FOREIGN = "https://foreign.example"


def look_at_health(visit: Visit, report: Report, expected_commit: str) -> list[str]:
    """What is true of the whole instance; the origins that it allows."""
    for path in ("/healthz/live", "/healthz/startup", "/healthz/ready"):
        answer = visit.get(path)
        told = _json(answer)
        if answer.status == 200:
            report.ok(path, str(told.get("status")))
        else:
            why = told.get("problems") or told.get("missing") or "no reason given"
            report.problem(path, f"status {answer.status}: {json.dumps(why)}")
    summary = _json(visit.get("/health"))
    missing = [name for name in FIELDS if name not in summary]
    if missing:
        report.problem("/health", f"does not tell {', '.join(missing)}")
    if summary.get("status") == "healthy":
        report.ok("/health", f"healthy, version {summary.get('version')}, {summary.get('mode')}")
    else:
        report.problem("/health", f"{summary.get('status')}: {summary.get('database_error')}")
    _compare_commit(report, str(summary.get("commit", "")), expected_commit)
    origins = summary.get("allowed_origins")
    return origins if isinstance(origins, list) else []


def _compare_commit(report: Report, told: str, expected: str) -> None:
    """Either may be the short form of the other."""
    if not expected:
        report.note("commit", told or "not told")
        return
    shorter, longer = sorted((told, expected), key=len)
    if len(shorter) >= SHORTEST_COMMIT and longer.startswith(shorter):
        report.ok("commit", told)
    else:
        report.problem(
            "commit", f"{told or 'nothing'} runs, {expected} was expected", "It was not released, or not yet."
        )


def look_at_sign_in(visit: Visit, report: Report) -> None:
    """The page, and what the button on it leads to. The session that this begins is ended by `leave`."""
    answer = visit.get("/sign-in/")
    wrong = [] if answer.status == 200 else [f"status {answer.status}"]
    wrong += _header_faults(visit, answer)
    begun = begin_sign_in(visit, Page(answer)) if answer.status == 200 else None
    if answer.status == 200 and begun is None:
        wrong.append("has no button that begins the sign-in")
    _tell(report, "sign-in page", wrong, "answers, with its security headers")
    if begun is not None:
        _tell(report, "way to the provider", _redirect_faults(visit, begun), "state, nonce, PKCE and our own address")
        _look_at_cookies(visit, report)
    _look_at_styles(visit, report, Page(answer))


def begin_sign_in(visit: Visit, page: Page) -> Answer | None:
    """Press the button, be it a link or a form; None when there is none."""
    path = "/oidc/authenticate/"
    form = next((form for form in page.forms if form.action.startswith(path)), None)
    if form and form.method == "post":
        return visit.post(form.action, form.fields, Origin=visit.base, Referer=f"{visit.base}/sign-in/")
    link = next((link for link in page.links if link.startswith(path)), form.action if form else None)
    return visit.get(link) if link else None


def _header_faults(visit: Visit, answer: Answer) -> list[str]:
    told = answer.headers
    wrong = [
        f"{name} is {told.get(name)}, expected {value}" for name, value in HEADERS.items() if told.get(name) != value
    ]
    policy = told.get("Content-Security-Policy", "")
    if "default-src" not in policy or "unsafe-inline" in policy or "unsafe-eval" in policy:
        wrong.append("its Content-Security-Policy is missing or weak")
    if told.get("Referrer-Policy") not in {"same-origin", "no-referrer", "strict-origin"}:
        wrong.append("its Referrer-Policy tells other sites too much")
    if "no-store" not in told.get("Cache-Control", ""):
        wrong.append("it may be kept in caches")
    if visit.base.startswith("https://") and "max-age" not in told.get("Strict-Transport-Security", ""):
        wrong.append("it does not hold browsers to https (Strict-Transport-Security)")
    return wrong


def _other_than(expected: Mapping[str, str], told: Any) -> list[str]:
    return [
        f"{name} is {told.get(name)}, expected {value}" for name, value in expected.items() if told.get(name) != value
    ]


def _redirect_faults(visit: Visit, answer: Answer) -> list[str]:
    target = urlsplit(answer.headers.get("Location", ""))
    if answer.status != 302 or not target.netloc or target.netloc == urlsplit(visit.base).netloc:
        return [f"status {answer.status}: the browser is not sent to the provider"]
    asked = {name: values[0] for name, values in parse_qs(target.query).items()}
    expected = {
        "response_type": "code",
        "code_challenge_method": "S256",
        "redirect_uri": f"{visit.base}/oidc/callback/",
    }
    wrong = [
        f"{name} is {asked.get(name)}, expected {value}" for name, value in expected.items() if asked.get(name) != value
    ]
    wrong += [f"{name} is missing" for name in ("client_id", "state", "nonce", "code_challenge") if not asked.get(name)]
    if "openid" not in asked.get("scope", "").split():
        wrong.append("scope does not hold openid")
    return wrong


def _look_at_cookies(visit: Visit, report: Report) -> None:
    needed = ["httponly", "samesite", *(["secure"] if visit.base.startswith("https://") else [])]
    wrong = []
    for line in visit.baked:
        flags = {part.strip().partition("=")[0].lower() for part in line.split(";")[1:]}
        wrong += [f"{line.partition('=')[0]} lacks {flag}" for flag in needed if flag not in flags]
    if not visit.baked:
        wrong.append("no session began with the sign-in")
    _tell(report, "cookies", list(dict.fromkeys(wrong)), f"marked {', '.join(needed)}")


def _look_at_styles(visit: Visit, report: Report, page: Page) -> None:
    if not page.styles:
        report.problem("static files", "the sign-in page names no style sheet")
        return
    answer = visit.get(page.styles[0])
    is_css = answer.status == 200 and "text/css" in answer.headers.get("Content-Type", "")
    _tell(report, "static files", [] if is_css else [f"{page.styles[0]} answers {answer.status}"], "load")


def look_at_closed_doors(visit: Visit, report: Report) -> None:
    for path in ("/organisations/", "/admin/", "/o/nobody/"):
        answer = visit.get(path)
        target = urlsplit(answer.headers.get("Location", "")).path
        leads_to_sign_in = answer.status == 302 and target in {"/sign-in/", "/admin/login/"}
        _tell(
            report,
            path,
            [] if leads_to_sign_in else [f"status {answer.status}, expected the sign-in"],
            "asks for a sign-in",
        )
    for path, allowed in {"/metrics": {401, 403, 404}, f"/{secrets.token_hex(8)}/": {404}}.items():
        answer = visit.get(path)
        wrong = [] if answer.status in allowed else [f"status {answer.status}, expected {min(allowed)}"]
        _tell(report, path if path == "/metrics" else "unknown page", wrong, f"status {answer.status}")


def look_at_api(visit: Visit, report: Report, origins: list[str]) -> None:
    """The single-page app's first question, as it and a stranger would ask it."""
    asked = "/api/v1/auth/auth0-url?redirect_uri="
    foreign = visit.get(asked, Origin=FOREIGN)
    leaks = foreign.headers.get("Access-Control-Allow-Origin")
    _tell(report, "API for a foreign origin", [f"allows {leaks}"] if leaks else [], "gives it nothing")
    if not origins:
        report.note("API", "no origin is allowed to call it")
        return
    answer = visit.get(f"{asked}{origins[0]}/callback", Origin=origins[0])
    wrong = [] if answer.status in {200, 400} and _json(answer) else [f"status {answer.status}"]
    if answer.headers.get("Access-Control-Allow-Origin") != origins[0]:
        wrong.append(f"{origins[0]} is allowed and cannot read the answer")
    if answer.status == 200 and "code_challenge=" not in str(_json(answer).get("auth_url")):
        wrong.append("its address for the sign-in has no PKCE")
    _tell(report, "API", wrong, "answers an allowed origin")


def look_at_http(visit: Visit, report: Report) -> None:
    """Where the address is https, http must lead there."""
    parts = urlsplit(visit.base)
    if parts.scheme != "https" or parts.port:
        report.note("http", "not tried: the address is not https at its usual port")
        return
    try:
        answer = visit.get(f"http://{parts.hostname}/sign-in/")
    except Unreachable as fault:
        report.note("http", f"is not served ({fault})")
        return
    leads = answer.status in {301, 308} and answer.headers.get("Location", "").startswith(f"{visit.base}/")
    _tell(report, "http", [] if leads else [f"status {answer.status}: it does not lead to https"], "leads to https")


def leave(visit: Visit) -> Answer:
    """Sign out, or end the session that a stranger's sign-in began: nothing stays behind."""
    token = "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(32))
    visit.cookies[urlsplit(visit.base).netloc, settings.CSRF_COOKIE_NAME] = token
    answer = visit.post("/sign-out/", {"csrfmiddlewaretoken": token}, Origin=visit.base, Referer=f"{visit.base}/")
    visit.cookies.clear()
    return answer


def _tell(report: Report, subject: str, wrong: list[str], well: str) -> None:
    for says in wrong:
        report.problem(subject, says)
    if not wrong:
        report.ok(subject, well)


def _json(answer: Answer) -> dict[str, Any]:
    try:
        told = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def is_commit(text: str) -> bool:
    return bool(re.fullmatch(r"[0-9a-fA-F]{7,64}", text))
