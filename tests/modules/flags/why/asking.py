"""Questions to the page, and its answer in words."""

from urllib.parse import urlencode

WHY = "/admin/flags/flag/why/"


def ask(client, **question):
    response = client.get(f"{WHY}?{urlencode(question)}", follow=True)
    assert response.status_code == 200
    return response


def sentence(response) -> str:
    """The answer as it is read aloud."""
    context = response.context
    told = context["answer"].told
    asked = context["case"].asked
    state = "ON" if told.is_on else "OFF"
    return (
        f"{told.key} {context['verb']} {state} for {asked.person} at {asked.organisation}: {context['answer'].because}"
    )


def text(response) -> str:
    return " ".join(response.content.decode().split())


def remedies(response) -> list[tuple[str, str, str]]:
    return [(one.words, one.url, one.then) for one in response.context["answer"].remedies]
