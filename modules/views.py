"""Pages about modules: the dashboard with a person's modules, and why each is open or closed."""

from dataclasses import dataclass
from itertools import groupby
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from modules import access, registry
from modules.models import Application


@dataclass(frozen=True)
class Card:
    """One module on the dashboard, as the person sees it."""

    name: str
    description: str
    application: str
    application_key: str
    url: str
    explain_url: str
    is_open: bool
    reason: str
    who_can_open: str
    notice: str


def dashboard(request: Any) -> HttpResponse:
    cards = [_card(request, spec) for spec in _specs_in_reading_order()]
    context = {
        "organisation": request.organisation,
        "cards": cards,
        "open_cards": [card for card in cards if card.is_open],
        "closed_cards": [card for card in cards if not card.is_open],
        "groups": [
            {"application": name, "cards": list(group)}
            for name, group in groupby(cards, key=lambda card: card.application)
        ],
    }
    return render(request, "modules/dashboard.html", context)


def explain(request: Any, module_key: str) -> HttpResponse:
    """The whole ladder for the person who asks."""
    if registry.get(module_key) is None:
        raise Http404
    decision = access.decide(request.facts, module_key)
    context = {
        "module_name": decision.module_name,
        "person": request.user,
        "organisation": request.organisation,
        "rungs": decision.rungs,
        "decision_is_open": decision.is_open,
        "decision": decision,
    }
    return render(request, "modules/explain.html", context)


def _specs_in_reading_order() -> list[registry.ModuleSpec]:
    order = list(Application.values)
    return sorted(registry.all_specs(), key=lambda spec: (order.index(spec.application), not spec.is_core, spec.name))


def _card(request: HttpRequest, spec: registry.ModuleSpec) -> Card:
    decision = access.decide(request.facts, spec.key)  # type: ignore[attr-defined]
    slug = request.organisation.slug  # type: ignore[attr-defined]
    row = request.facts.catalogue.get(spec.key)  # type: ignore[attr-defined]
    return Card(
        name=decision.module_name,
        description=row.description if row else spec.description,
        application=Application(spec.application).label,
        application_key=spec.application,
        url=first_page(spec, slug),
        explain_url=reverse("explain_access", args=[slug, spec.key]),
        is_open=decision.is_open,
        reason="" if decision.is_open else decision.reason,
        who_can_open=decision.who_can_open,
        notice=decision.notice,
    )


def first_page(spec: registry.ModuleSpec, slug: str) -> str:
    return reverse("dashboard", args=[slug]) + f"{spec.path}/"
