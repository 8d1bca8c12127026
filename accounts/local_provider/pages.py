"""The provider's pages: whom to be, and what was wrong with a request. Plain HTML, escaped, without script."""

from collections.abc import Sequence

from django.template import Context, Engine

from accounts.demonstration import DemonstrationPerson

ENGINE = Engine(autoescape=True)

PAGE = """<!DOCTYPE html>
<html lang="en-GB">
<head>
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{ title }} - Local identity provider</title><link rel="stylesheet" href="/style.css">
</head>
<body><main><p class="label">Local identity provider, for the demonstration only</p><h1>{{ title }}</h1>
{{ content }}
</main></body></html>"""

CHOICE = """<p>There are no passwords here: choose who you want to be. Everybody is fictitious.</p>
{% for heading, people in groups %}<section><h2>{{ heading }}</h2>
{% for person in people %}<form method="post" action="/authorize">
<input type="hidden" name="pending" value="{{ pending }}">
<button name="subject" value="{{ person.subject }}"><strong>{{ person.name }}</strong> <span>{{ person.email }}</span>
<small>{{ person.says }}</small></button></form>{% endfor %}</section>{% endfor %}
<form method="post" action="/authorize"><input type="hidden" name="pending" value="{{ pending }}">
<button class="quiet" name="cancel" value="yes">Cancel</button></form>"""

STYLE = """:root{--ground:#f6f7f9;--card:#fff;--ink:#17202a;--soft:#566270;--line:#d5dae0;--accent:#0b6b5d}
@media(prefers-color-scheme:dark){:root{--ground:#12171d;--card:#1b222b;--ink:#e9edf2;--soft:#a5b0bd;--line:#35404c;
--accent:#5fd0bd}}
*{box-sizing:border-box}body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.5 system-ui,sans-serif}
main{max-width:58rem;margin:0 auto;padding:2rem 1rem}h1{margin:.2rem 0 .5rem}h2{font-size:1rem;margin:1.5rem 0 .5rem}
.label{color:var(--soft);margin:0}section{display:grid;gap:.75rem;grid-template-columns:repeat(auto-fill,minmax(16rem,1fr))}
section h2{grid-column:1/-1;margin-bottom:0}form{display:grid}
button{display:grid;gap:.1rem;text-align:left;padding:.8rem 1rem;border:1px solid var(--line);border-radius:.6rem;
background:var(--card);color:inherit;font:inherit;cursor:pointer;align-content:start;min-width:0;overflow-wrap:anywhere}
button:hover,button:focus-visible{border-color:var(--accent);outline:2px solid var(--accent);outline-offset:1px}
button span,button small{color:var(--soft)}.quiet{margin-top:1.5rem;justify-self:start;padding:.5rem 1rem}
"""


def _page(title: str, content: str, context: dict[str, object]) -> str:
    whole = PAGE.replace("{{ content }}", content)
    return ENGINE.from_string(whole).render(Context({"title": title, **context}))


def choice(people: Sequence[DemonstrationPerson], pending: str) -> str:
    groups = [
        ("Zebra Associates", [person for person in people if person.is_staff]),
        (
            "Client organisations",
            [person for person in people if person.is_known and person.is_active and not person.is_staff],
        ),
        ("People who cannot get in", [person for person in people if not (person.is_known and person.is_active)]),
    ]
    return _page("Who do you want to be?", CHOICE, {"groups": groups, "pending": pending})


def message(title: str, words: str) -> str:
    return _page(title, "<p>{{ words }}</p>", {"words": words})
