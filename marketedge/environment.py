"""What does the environment say, and what is wrong with it? All problems are named at once, no value is ever shown."""

import io
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from psycopg import pq

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}
_LINE = re.compile(r"^(export\s+)?[A-Za-z_][A-Za-z0-9_]*=")
_CUT = re.compile(r"^[^=]*=\s*(?![\"'])[^#]*[^\s#=]#")  # what follows would be left out as a comment
# What readers other than ours pass on as they find it (`docker run --env-file`).
_COMMENT = re.compile(r"(^|\s)#(\s|$)")
_QUOTED = re.compile(r"[\"']")
ORIGIN = re.compile(r"(?P<scheme>https?)://([a-z0-9-]+(\.[a-z0-9-]+)*|\[[0-9a-f:]+\])(?P<port>:[1-9][0-9]{0,4})?")
LOOPBACK = {"127.0.0.1", "localhost", "::1"}
# The most that a number may be. Beyond, it only fails later, where nobody sees which setting it was: in the database's
# or the server's own numbers, or in a date that no calendar has.
A_DAY = 86_400  # seconds
A_DAY_OF_MILLISECONDS = 1000 * A_DAY
A_CENTURY_OF_DAYS = 36_500
A_CENTURY_OF_HOURS = 24 * A_CENTURY_OF_DAYS
A_CENTURY_OF_MINUTES = 60 * A_CENTURY_OF_HOURS
MANY = 10_000  # threads, processes, proxies
LAST_PORT = 65_535
SSL_MODES = {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}
HIGHEST_RATE = 1_000_000


class Environment:
    """Reads variables and collects what is wrong, so that all problems can be told together.

    `states` says of each name that was read whether it is set, empty or left to its default.
    """

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.problems: list[str] = []
        self.states: dict[str, str] = {}

    def read(
        self, name: str, parse: Callable[[str], Any], expected: str, default: Any = None, required: bool = False
    ) -> Any:
        raw = self.variables.get(name, "").strip()
        self.states[name] = "set" if raw else "empty" if name in self.variables else "default"
        if not raw:
            if required:
                self.problems.append(f"{name} is not set: expected {expected}.")
            return default
        if _COMMENT.search(raw) or _QUOTED.match(raw):
            self.problems.append(f"{name} holds a comment or quotation marks, as part of its value: leave them out.")
            return default
        try:
            raw.encode()  # other bytes would fail in every page that shows them
            return parse(raw)
        except (ValueError, environ.ImproperlyConfigured):
            self.problems.append(f"{name} is malformed: expected {expected}.")
            return default

    def text(self, name: str, expected: str, default: str = "", required: bool = False) -> str:
        return self.read(name, str, expected, default, required)

    def switch(self, name: str, default: bool) -> bool:
        return self.read(name, parse_switch, "on or off", default)

    def number(self, name: str, expected: str, default: int, *, most: int) -> int:
        return self._up_to(most, name, self.read(name, parse_positive, expected, default), default)

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        def parse(raw: str) -> str:
            if raw.lower() not in choices:
                raise ValueError
            return raw.lower()

        return self.read(name, parse, " or ".join(choices), default)

    def count(self, name: str, expected: str, default: int) -> int:
        return self._up_to(MANY, name, self.read(name, parse_count, expected, default), default)

    def _up_to(self, most: int, name: str, number: int, default: int) -> int:
        self.refuse_if(number > most, f"{name} is too large: expected {most} at most.")
        return number if number <= most else default

    def rate(self, name: str, default: tuple[int, int]) -> tuple[int, int]:
        return self.read(name, parse_rate, "CALLS_A_MINUTE/CALLS_AT_ONCE, such as 600/120", default)

    def listed(self, name: str, expected: str, required: bool = False) -> list[str]:
        return self.read(name, parse_list, expected, [], required)

    def url(self, name: str, expected: str, required: bool = False) -> str:
        return self.read(name, parse_url, expected, "", required)

    def urls(self, name: str, expected: str) -> list[str]:
        return self.read(name, parse_urls, expected, [])

    def origins(self, name: str, expected: str) -> list[str]:
        return self.read(name, parse_origins, expected, [])

    def database(self, name: str, required: bool = False) -> dict[str, Any]:
        expected = "postgres://LOGIN:PASSWORD@HOST:PORT/DATABASE?OPTION=VALUE (options of libpq, such as sslmode)"
        return self.read(name, parse_database, expected, {}, required)

    def refuse_if(self, condition: bool, problem: str) -> None:
        if condition:
            self.problems.append(problem)

    def finish(self) -> None:
        """Raise ImproperlyConfigured with one line for each problem, if there is any."""
        if self.problems:
            raise ImproperlyConfigured("\n".join(self.problems))


def listening_at(env: Environment) -> list[str]:
    """Where the server is to listen; an empty BIND leaves it to PORT."""
    port = env.number("PORT", "a number", default=8000, most=LAST_PORT)
    return env.read("BIND", parse_bind, "host:port", default=[]) or [f"127.0.0.1:{port}"]


def worker_processes(env: Environment) -> int:
    return env.number("WEB_CONCURRENCY", "a number of processes", default=2, most=MANY)


def parse_switch(raw: str) -> bool:
    if raw.lower() not in _TRUE | _FALSE:
        raise ValueError
    return raw.lower() in _TRUE


def parse_positive(raw: str) -> int:
    number = parse_count(raw)
    if number == 0:
        raise ValueError
    return number


def parse_count(raw: str) -> int:
    # Python reads 1_0 as ten, and digits of every script; nobody else who reads the same variable does.
    if not (raw.isascii() and raw.isdecimal()):
        raise ValueError
    return int(raw)


def parse_rate(raw: str) -> tuple[int, int]:
    """Read "600/120": calls a minute, and how many of them at once."""
    per_minute, at_once = (parse_positive(part.strip()) for part in raw.split("/"))
    if max(per_minute, at_once) > HIGHEST_RATE:
        raise ValueError
    return per_minute, at_once


def parse_list(raw: str) -> list[str]:
    return [item.strip() for item in raw.split(",") if item.strip()]


def parse_url(raw: str) -> str:
    """An address that browsers are sent to and pages show: whole, and without a login, a query or a fragment."""
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
        raise ValueError
    if "@" in parts.netloc or any(sign.isspace() or not sign.isprintable() for sign in raw):
        raise ValueError
    _require_port(parts)
    return raw


def _require_port(parts: SplitResult, least: int = 1) -> None:
    """Only reading the port of an address tells whether it is one: ValueError where it is none."""
    if (LAST_PORT if parts.port is None else parts.port) < least:
        raise ValueError


def parse_bind(raw: str) -> list[str]:
    """Addresses to listen at: host:port, and what else the server takes; port 0 is any that is free."""
    addresses = parse_list(raw)
    if any(sign.isspace() for sign in "".join(addresses)):
        raise ValueError
    for address in addresses:
        if not address.startswith(("unix:", "fd://")):
            _require_port(urlsplit(f"//{address.removeprefix('tcp://')}"), least=0)
    return addresses


def parse_urls(raw: str) -> list[str]:
    return [parse_url(item) for item in parse_list(raw)]


def parse_origins(raw: str) -> list[str]:
    """Origins are scheme, host and port alone, as browsers spell them; anything else would never match."""
    origins = parse_urls(raw)
    if not all(is_origin(origin) for origin in origins):
        raise ValueError
    return origins


def is_origin(text: str) -> bool:
    """Is this spelt as browsers spell an origin: lower case, no default port, no path, no dot at the end?"""
    found = ORIGIN.fullmatch(text)
    return found is not None and (found["scheme"], found["port"]) not in {("http", ":80"), ("https", ":443")}


def parse_database(raw: str) -> dict[str, Any]:
    parts = urlsplit(raw)
    if parts.scheme not in {"postgres", "postgresql"} or not parts.hostname or not parts.path.strip("/"):
        raise ValueError
    if not parts.username:
        raise ValueError
    _require_port(parts)
    address = dict(environ.Env.db_url_config(raw))
    _require_options(address.get("OPTIONS", {}))
    return address


def _require_options(options: Mapping[str, str]) -> None:
    """What libpq does not know would fail in every request, as a fault of ours."""
    known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
    if options.keys() - known or options.get("sslmode", "prefer") not in SSL_MODES:
        raise ValueError


def parse_dsn(raw: str) -> str:
    """An address with a public key before the host, and the project's number at its end."""
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not (parts.username and parts.hostname):
        raise ValueError
    if not parts.path.rpartition("/")[2].isdecimal():
        raise ValueError
    _require_port(parts)
    return raw


def parse_assignments(raw: str) -> dict[str, bool]:
    """Read "key=on,other=off"."""
    pairs = [item.partition("=") for item in parse_list(raw)]
    if any(not key or not separator for key, separator, _ in pairs):
        raise ValueError
    return {key.strip(): parse_switch(value.strip()) for key, _, value in pairs}


def is_loopback(url: str) -> bool:
    try:
        return urlsplit(url).hostname in LOOPBACK
    except ValueError:  # an IPv6 address that does not end
        return False


def read_dotenv(path: Path) -> dict[str, str]:
    """The variables of a .env file; ImproperlyConfigured names the line that is not NAME=value."""
    if not path.is_file():
        return {}
    lines = _lines(path)
    for number, line in enumerate(lines, start=1):
        if line and not line.startswith("#"):
            _require_assignment(f"{path.name} line {number}", line)
    return _variables(lines)


def _require_assignment(place: str, line: str) -> None:
    if not _LINE.match(line):
        raise ImproperlyConfigured(f"{place} is not NAME=value.")
    if _CUT.match(line):
        raise ImproperlyConfigured(f"{place} has a # in its value, which begins a comment: put it in single quotes.")


def _lines(path: Path) -> list[str]:
    try:
        return [line.strip() for line in path.read_text(encoding="utf-8-sig").splitlines()]
    except UnicodeDecodeError:
        raise ImproperlyConfigured(f"{path.name} is not UTF-8 text: write one NAME=value on each line.") from None


def _variables(lines: list[str]) -> dict[str, str]:
    class Reader(environ.Env):
        ENVIRON: Any = {}

    Reader.read_env(io.StringIO("\n".join(lines)), overwrite=True, parse_comments=True)
    return {name: value.strip() for name, value in Reader.ENVIRON.items()}
