"""A browser of sorts: keeps cookies and time, follows nothing by itself, and reads links and forms."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookies import CookieError, SimpleCookie
from urllib.parse import urlencode, urljoin, urlsplit

from accounts.fetching import Answer, fetch

AGENT = "marketedge-smoke"


@dataclass
class Visit:
    """Everything that is asked for shares the time until `deadline`; cookies are sent to their own host alone."""

    base: str
    deadline: float
    cookies: dict[tuple[str, str], str] = field(default_factory=dict)
    baked: list[str] = field(default_factory=list)

    def get(self, address: str, **headers: str) -> Answer:
        """`address` is a path of the instance, or a whole address."""
        return self._ask("GET", address, "", headers)

    def post(self, address: str, form: Mapping[str, str], **headers: str) -> Answer:
        given = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return self._ask("POST", address, urlencode(form), given)

    def _ask(self, method: str, address: str, body: str, headers: Mapping[str, str]) -> Answer:
        url = urljoin(self.base, address)
        host = urlsplit(url).netloc
        cookies = "; ".join(f"{name}={value}" for (owner, name), value in self.cookies.items() if owner == host)
        sent = {"User-Agent": AGENT, **({"Cookie": cookies} if cookies else {}), **headers}
        left = max(self.deadline - time.monotonic(), 0.001)
        answer = fetch(url, within=left, method=method, body=body, headers=sent)
        self._keep(host, answer)
        return answer

    def _keep(self, host: str, answer: Answer) -> None:
        for line in answer.headers.get_all("Set-Cookie") or []:
            if host == urlsplit(self.base).netloc:
                self.baked.append(line)
            for name, morsel in _cookies(line).items():
                self.cookies[host, name] = morsel.value
                if morsel["max-age"] == "0" or not morsel.value:
                    del self.cookies[host, name]


def _cookies(line: str) -> SimpleCookie:
    try:
        return SimpleCookie(line)
    except CookieError:
        return SimpleCookie()


@dataclass
class Form:
    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)


class Page(HTMLParser):
    """The links, style sheets and forms of a page."""

    def __init__(self, answer: Answer) -> None:
        super().__init__()
        self.links: list[str] = []
        self.styles: list[str] = []
        self.forms: list[Form] = []
        self.feed(answer.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "a":
            self.links.append(given.get("href", ""))
        elif tag == "link" and given.get("rel") == "stylesheet":
            self.styles.append(given.get("href", ""))
        elif tag == "form":
            self.forms.append(Form(given.get("action", ""), given.get("method", "get").lower()))
        elif tag == "input" and self.forms and given.get("type") == "hidden":
            self.forms[-1].fields[given.get("name", "")] = given.get("value", "")
