"""Pages: the markets, one market's prices in numbers, and loading a price file in two steps."""

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from modules.market_edge_core import actions, preview, price_file, problem_list, statistics
from modules.market_edge_core.csv_file import MAX_ROWS
from modules.market_edge_core.forms import ConfirmForm, SearchForm, SelectionForm, UploadForm
from modules.market_edge_core.models import Market, PriceUpload
from tenants import audit
from tenants.decorators import role_required
from tenants.models import Role
from tenants.requests import OrganisationRequest

MARKETS_ON_A_PAGE = 25
PROBLEMS_ON_A_PAGE = 200
EARLIER_LOADS = 10
DRAWN_COMPETITORS = 40


@require_safe
def markets(request: OrganisationRequest) -> HttpResponse:
    form = SearchForm(request.GET)
    found = request.organisation.markets.with_counts().in_reading_order()
    found = found.named_like(form.cleaned_data["q"]) if form.is_valid() else found.none()
    context = {
        "form": form,
        "page_obj": Paginator(found, MARKETS_ON_A_PAGE).get_page(request.GET.get("page")),
        "may_load": request.seat.role.covers(Role.ANALYST),
    }
    return render(request, "market_edge_core/markets.html", context)


@require_safe
def market(request: OrganisationRequest, public_id: UUID) -> HttpResponse:
    market: Market = get_object_or_404(request.organisation.markets, public_id=public_id)
    latest = statistics.latest_by_currency(market)
    context = {"market": market, "may_load": request.seat.role.covers(Role.ANALYST)}
    if latest:
        products = request.organisation.priceobservations.of_market(market).products()
        context["form"] = form = SelectionForm(market, latest, products, request.GET)
        if form.is_valid():
            context |= _in_numbers(form.selection())
    return render(request, "market_edge_core/market.html", context)


def _in_numbers(selection: statistics.Selection) -> dict[str, object]:
    figures = statistics.describe(selection)
    competitors = statistics.compare_competitors(selection, figures)
    return {
        "selection": selection,
        "figures": figures,
        "competitors": competitors,
        "is_drawable": 0 < len(competitors) <= DRAWN_COMPETITORS,
    }


@role_required(Role.ANALYST)
@require_http_methods(["GET", "HEAD", "POST"])
def load(request: OrganisationRequest) -> HttpResponse:
    form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
    if form.is_valid():
        upload = actions.keep_upload(
            request.organisation, name=form.cleaned_data["file"].name, content=form.content, by=request.user
        )
        return _redirect(request, "preview", upload)
    context = {
        "form": form,
        "max_rows": MAX_ROWS,
        "max_megabytes": settings.UPLOAD_LIMIT // 1024**2,
        "earlier": request.organisation.priceuploads.applied().without_content()[:EARLIER_LOADS],
    }
    return render(request, "market_edge_core/load.html", context)


@role_required(Role.ANALYST)
@require_safe
def template(request: OrganisationRequest) -> HttpResponse:
    return _download(price_file.TEMPLATE, "prices-template.csv")


@role_required(Role.ANALYST)
@require_safe
def preview_upload(request: OrganisationRequest, public_id: UUID) -> HttpResponse:
    upload: PriceUpload = get_object_or_404(request.organisation.priceuploads, public_id=public_id)
    if upload.applied_at:
        return _redirect(request, "result", upload)
    if upload.is_expired(at=timezone.now()):
        return render(request, "market_edge_core/expired.html", {"upload": upload}, status=410)
    found = _inspect(request, upload)
    problems = Paginator(found.problems, PROBLEMS_ON_A_PAGE).get_page(request.GET.get("page"))
    context = {"upload": upload, "preview": found, "page_obj": problems, "form": ConfirmForm({"sha256": upload.sha256})}
    return render(request, "market_edge_core/preview.html", context)


@role_required(Role.ANALYST)
@require_safe
def problems(request: OrganisationRequest, public_id: UUID) -> HttpResponse:
    upload: PriceUpload = get_object_or_404(
        request.organisation.priceuploads.waiting(at=timezone.now()), public_id=public_id
    )
    return _download(problem_list.write(_inspect(request, upload).problems), "problems.csv")


@role_required(Role.ANALYST)
@require_POST
def apply(request: OrganisationRequest, public_id: UUID) -> HttpResponse:
    upload: PriceUpload = get_object_or_404(request.organisation.priceuploads.without_content(), public_id=public_id)
    form = ConfirmForm(request.POST)
    confirmed = form.cleaned_data["sha256"] if form.is_valid() else ""
    try:
        actions.apply_upload(upload, sha256=confirmed, by=request.user)
    except actions.LoadRefused as refusal:
        audit.record(
            "prices.load_refused",
            by=request.user,
            organisation=request.organisation,
            reason=str(refusal),
            file=upload.name,
        )
        messages.error(request, str(refusal))
        return _redirect(request, "preview", upload)
    return _redirect(request, "result", upload)


@role_required(Role.ANALYST)
@require_POST
def discard(request: OrganisationRequest, public_id: UUID) -> HttpResponse:
    upload: PriceUpload = get_object_or_404(request.organisation.priceuploads.without_content(), public_id=public_id)
    actions.discard_upload(upload)
    messages.info(request, f"{upload.name} was not loaded; its preview is deleted.")
    return redirect("market_edge_core:load", organisation_slug=request.organisation.slug)


@role_required(Role.ANALYST)
@require_safe
def result(request: OrganisationRequest, public_id: UUID) -> HttpResponse:
    uploads = request.organisation.priceuploads.applied().without_content()
    upload: PriceUpload = get_object_or_404(uploads, public_id=public_id)
    return render(request, "market_edge_core/result.html", {"upload": upload})


def _inspect(request: OrganisationRequest, upload: PriceUpload) -> preview.Preview:
    return preview.inspect(bytes(upload.content), organisation=request.organisation, now=timezone.now())


def _redirect(request: OrganisationRequest, view: str, upload: PriceUpload) -> HttpResponse:
    return redirect(f"market_edge_core:{view}", organisation_slug=request.organisation.slug, public_id=upload.public_id)


def _download(text: str, name: str) -> HttpResponse:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(text, content_type="text/csv; charset=utf-8", headers=headers)
