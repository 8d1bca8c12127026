"""The gate in front of every module URL: no view can forget it."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from modules import access, registry
from modules.flags import evaluation as flags
from tenants import api, audit


class ModuleGateMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: Any) -> HttpResponse:
        """Pin the flags for the whole request; inside an organisation, load what decisions rest on."""
        if not hasattr(request, "seat"):
            return self._answer(request, lambda: _without_seat(request))
        request.facts = access.load_facts(request.user, request.organisation, request.seat, at=timezone.now())
        return self._answer(request, access.flag_context(request.facts))

    def _answer(self, request: Any, context: flags.Context | Callable[[], flags.Context]) -> HttpResponse:
        with flags.using(context) as request.flags:
            response: Any = self.get_response(request)
        if response.streaming:
            response.streaming_content = _streamed(response.streaming_content, request.flags)
        return response

    def process_view(self, request: Any, view: Any, args: Any, kwargs: Any) -> HttpResponse | None:
        key = module_of(request)
        if key is None:
            return None
        if not hasattr(request, "facts"):
            raise Http404
        decision = access.decide(request.facts, key)
        return None if decision.is_open else closed(request, decision)


def _streamed(pieces: Iterable[bytes], pinned: flags.Pinned) -> Iterator[bytes]:
    """Pieces are made when the view is over, each with the request's flags all the same."""
    remaining = iter(pieces)
    while True:
        with flags.resumed(pinned):
            piece = next(remaining, None)
        if piece is None:
            return
        yield piece


def _without_seat(request: Any) -> flags.Context:
    """When somebody asks, and not before: most pages do not, and who is signed in is a query.

    Outside of organisations, or in one of which nobody is known but its client token.
    """
    if hasattr(request, "organisation"):
        return access.flag_context(access.load_facts(request.user, request.organisation, None, at=timezone.now()))
    return flags.Context(person=str(getattr(request.user, "public_id", "")))


def module_of(request: HttpRequest) -> str | None:
    """The module that the address belongs to: the outermost namespace, when a module registered it."""
    namespaces = request.resolver_match.namespaces if request.resolver_match else []
    return namespaces[0] if namespaces and registry.get(namespaces[0]) else None


def closed(request: Any, decision: access.Decision) -> HttpResponse:
    audit.record(
        "module.refused",
        by=request.user,
        organisation=request.organisation,
        module=decision.module_key,
        reason_given=decision.reason,
    )
    if api.is_api(request):
        words = f"{decision.module_name} is closed. {decision.reason}"
        return api.error(request.path_info, 403, "module_closed", words)
    explain_url = reverse("explain_access", args=[request.organisation.slug, decision.module_key])
    context = {"decision": decision, "module_name": decision.module_name, "reason": decision.reason}
    context |= {"who_can_open": decision.who_can_open, "explain_url": explain_url}
    return render(request, "modules/closed.html", context, status=403)
