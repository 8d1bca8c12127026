"""Pages about modules: the dashboard with a person's modules, and why each is open or closed."""

from django.http import HttpResponse

from tenants.requests import OrganisationRequest


def dashboard(request: OrganisationRequest) -> HttpResponse:
    return HttpResponse(request.organisation.name)


def explain(request: OrganisationRequest, module_key: str) -> HttpResponse:
    return HttpResponse(module_key)
