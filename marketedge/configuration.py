"""Do the settings fit together? What is missing or malformed alone has been refused before; no value is ever told."""

import difflib
import os
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks

from marketedge import static_files
from marketedge.environment import A_DAY, Environment, is_loopback, listening_at, read_dotenv, worker_processes
from tenants.operations import Report

ALIKE = 0.85  # how much alike two names are when one is probably the other, mistyped
SERVER = ("BIND", "PORT", "WEB_CONCURRENCY")  # read by gunicorn's configuration alone
# Beside ours, and meant to be there.
OTHERS = ("TEST_DATABASE_",)
COLD_START = 10  # seconds
PROXYS = {"security.W008"}  # no redirect to https: SSL_REDIRECT is off where the proxy redirects

Problem = tuple[str, str]  # what is wrong, and what to do


def examine(env: Environment) -> Report:
    """Everything that can be told without asking anybody."""
    report = Report()
    process, dotenv = dict(os.environ), read_dotenv(settings.BASE_DIR / ".env")
    known = {**{name: _state(env, name) for name in SERVER}, **env.states}
    _tell_states(report, known, process, dotenv)
    subjects = {
        "server": _server(env),
        "limits": _limits(env),
        "addresses": _addresses(),
        "single-page app": _single_page_app(),
        "identity provider": _provider(),
        "database logins": _logins(),
        "names": _names(known, {**dotenv, **process}, dotenv),
    }
    for subject, problems in subjects.items():
        _tell(report, subject, list(problems))
    report.add(static_files.examine())
    report.add(_django_checks())
    _tell_modes(report)
    return report


def _state(env: Environment, name: str) -> str:
    given = env.variables.get(name)
    return "default" if given is None else "set" if given.strip() else "empty"


def _tell(report: Report, subject: str, problems: list[Problem]) -> None:
    for says, advice in problems:
        report.problem(subject, says, advice)
    if not problems:
        report.ok(subject, "fit together")


def _tell_states(
    report: Report, known: Mapping[str, str], process: Mapping[str, str], dotenv: Mapping[str, str]
) -> None:
    for state in ("set", "empty", "default"):
        names = sorted(name for name, its in known.items() if its == state)
        report.note(state, ", ".join(names) or "none")
    overridden = sorted(name for name in dotenv.keys() & process.keys() & known.keys() if dotenv[name] != process[name])
    if overridden:
        report.note(".env", f"is overridden by the process environment for {', '.join(overridden)}")
    report.data["settings"] = {
        name: {"state": state, "from": _origin(name, process, dotenv)} for name, state in sorted(known.items())
    }


def _origin(name: str, process: Mapping[str, str], dotenv: Mapping[str, str]) -> str:
    return "environment" if name in process else ".env" if name in dotenv else "default"


def _server(env: Environment) -> Iterator[Problem]:
    """What gunicorn's configuration alone reads, with the words that end its start."""
    read = Environment(env.variables)
    listening_at(read)
    worker_processes(read)
    for says in read.problems:
        yield says.removesuffix("."), "The server does not start with it."
    if not os.environ.get("WEB_CONCURRENCY", "2").strip():
        yield "WEB_CONCURRENCY is empty", "gunicorn reads it by itself, and does not start: leave the variable out."


def _limits(env: Environment) -> Iterator[Problem]:
    """Each wait ends before the one around it, so that the innermost says what was wrong."""
    statement, lock = settings.STATEMENT_TIMEOUT / 1000, settings.LOCK_TIMEOUT / 1000
    pairs = [
        ("LOCK_TIMEOUT", lock, "STATEMENT_TIMEOUT", statement),
        ("STATEMENT_TIMEOUT", statement, "CLIENT_DEADLINE", settings.CLIENT_DEADLINE),
        ("TCP_TIMEOUT", settings.TCP_TIMEOUT / 1000, "CLIENT_DEADLINE", settings.CLIENT_DEADLINE),
        ("CLIENT_DEADLINE", settings.CLIENT_DEADLINE, "REQUEST_DEADLINE", settings.REQUEST_DEADLINE),
        ("CONNECT_TIMEOUT", settings.CONNECT_TIMEOUT, "REQUEST_DEADLINE", settings.REQUEST_DEADLINE),
        ("REQUEST_DEADLINE", settings.REQUEST_DEADLINE, "SERVER_TIMEOUT", settings.SERVER_TIMEOUT),
        ("OIDC_TIMEOUT", settings.OIDC_TIMEOUT, "SERVER_TIMEOUT", settings.SERVER_TIMEOUT),
        ("STATEMENT_TIMEOUT", statement, "IDLE_IN_TRANSACTION_TIMEOUT", settings.IDLE_IN_TRANSACTION_TIMEOUT / 1000),
    ]
    for inner, inner_seconds, outer, outer_seconds in pairs:
        if not inner_seconds < outer_seconds:
            yield f"{inner} does not end before {outer}", "The limits must grow outwards: see docs/operations.md."
    if settings.CONNECT_TIMEOUT < 2:
        yield "CONNECT_TIMEOUT is shorter than the driver can keep", "Set it to 2 or more."
    if env.number("BOOT_LIMIT", "seconds", default=30, most=A_DAY) < COLD_START:
        yield f"BOOT_LIMIT ends starts after less than {COLD_START} s", "A cold start on a busy host takes seconds."


def _addresses() -> Iterator[Problem]:
    public = urlsplit(settings.PUBLIC_URL)
    is_secure = public.scheme == "https"
    if not any(_is_host(public.hostname or "", allowed) for allowed in settings.ALLOWED_HOSTS):
        yield "the host of PUBLIC_URL is not in ALLOWED_HOSTS", "Every page would answer 400: add it."
    if public.path:
        yield "PUBLIC_URL has a path", "Pages are served from the root of a host: leave the path out."
    if not is_secure and settings.SECURE_SSL_REDIRECT:
        yield (
            "SSL_REDIRECT is on while PUBLIC_URL begins with http://",
            "Every page would lead nowhere.",
        )
    if not is_secure and settings.SESSION_COOKIE_SECURE:
        yield "SECURE_COOKIES is on while PUBLIC_URL begins with http://", "Browsers would not keep a session."
    if is_secure and not (settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE):
        yield "SECURE_COOKIES is off while PUBLIC_URL begins with https://", "Set SECURE_COOKIES=on."
    if not settings.SESSION_COOKIE_HTTPONLY:
        yield "the session cookie can be read by scripts", "SESSION_COOKIE_HTTPONLY must stay on."


def _is_host(host: str, allowed: str) -> bool:
    return allowed == "*" or host == allowed.lower() or (allowed.startswith(".") and host.endswith(allowed.lower()))


def _single_page_app() -> Iterator[Problem]:
    origins = set(settings.CORS_ALLOWED_ORIGINS)
    for uri in settings.API_REDIRECT_URIS:
        parts = urlsplit(uri)
        if f"{parts.scheme}://{parts.netloc}" not in origins:
            yield (
                f"an address of API_REDIRECT_URIS at {parts.netloc} is at no origin of CORS_ALLOWED_ORIGINS",
                "The app there could sign people in and then not call the API: add its origin.",
            )
    if origins and not settings.API_REDIRECT_URIS:
        yield "CORS_ALLOWED_ORIGINS is set and API_REDIRECT_URIS is not", "Nobody could sign in from there."
    for address in sorted({*origins, *settings.API_REDIRECT_URIS}):
        if address.startswith("http://") and not settings.DEMONSTRATION:
            yield f"{urlsplit(address).netloc} is allowed over http://", "Name it with https://."


def _provider() -> Iterator[Problem]:
    parts = urlsplit(settings.OIDC_ISSUER)
    if (parts.hostname or "").endswith(".auth0.com") and not settings.OIDC_ISSUER.endswith("/"):
        yield "OIDC_ISSUER is Auth0's and has no slash at the end", "Auth0's issuer ends with one; it must be exact."
    if settings.OIDC_ISSUER.startswith(settings.PUBLIC_URL):
        yield "OIDC_ISSUER is at PUBLIC_URL", "The product is not its own identity provider."


def _logins() -> Iterator[Problem]:
    web, owner = settings.DATABASES["default"], settings.OWNER_DATABASE
    if owner and owner["USER"] == web["USER"]:
        yield (
            "DATABASE_URL and DATABASE_OWNER_URL are one login",
            "Row security does not hold owners.",
        )
    if owner and owner["NAME"] != web["NAME"]:
        yield "DATABASE_URL and DATABASE_OWNER_URL name two databases", "Migrations would change another one."
    if not settings.DEMONSTRATION and not is_loopback(f"//{web['HOST']}") and not _requires_tls(web):
        yield "DATABASE_URL does not require TLS", "Add ?sslmode=verify-full (or require) to it."


def _requires_tls(database: Mapping[str, Any]) -> bool:
    host = str(database["HOST"])
    return host.startswith("/") or database["OPTIONS"].get("sslmode") in {"require", "verify-ca", "verify-full"}


def _names(known: Mapping[str, str], given: Mapping[str, str], dotenv: Mapping[str, str]) -> Iterator[Problem]:
    """Variables that nobody reads and that somebody meant to be read."""
    for name in sorted(given.keys() - known.keys()):
        alike = difflib.get_close_matches(name.upper(), known, n=1, cutoff=ALIKE)
        if name.startswith(OTHERS):
            continue
        if alike:
            yield f"{name} is read by nobody", f"Is {alike[0]} meant?"
        elif name in dotenv:
            yield f"{name} of .env is read by nobody", "`.env.example` has a line for each variable that is."


def _django_checks() -> Report:
    """What `manage.py check --deploy` says; the demonstration may be what production must not be."""
    report, allowed = Report(), []
    always = {message.id for message in checks.run_checks()}
    for message in checks.run_checks(include_deployment_checks=True):
        if message.level < checks.WARNING or message.is_silenced():
            continue
        if message.id in PROXYS or (settings.DEMONSTRATION and message.id not in always):
            allowed.append(str(message.id))
        else:
            report.problem("deployment checks", f"{message.id}: {' '.join(message.msg.split())}", message.hint or "")
    if allowed:
        report.note("deployment checks", f"{', '.join(allowed)} are for the proxy, or allowed in the demonstration")
    if len(report.findings) == bool(allowed):
        report.ok("deployment checks", "hold nothing against the settings")
    return report


def _tell_modes(report: Report) -> None:
    if settings.DEMONSTRATION:
        report.note("mode", "DEMONSTRATION is on: anybody may sign in as anybody")
    if settings.FLAGS_FORCED:
        report.note("mode", f"FLAGS_FORCED decides over {', '.join(sorted(settings.FLAGS_FORCED))}")
    if os.environ.get("GUNICORN_CMD_ARGS"):
        report.note("mode", "GUNICORN_CMD_ARGS overrides the server's configuration")
    if settings.RELEASE_COMMIT == "unknown":
        report.note("mode", "RELEASE_COMMIT is not set: nobody can see which commit runs")
