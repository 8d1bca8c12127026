"""How a flag is used: a picture over time with its table, by answer, by rung and by organisation."""

from typing import Any
from urllib.parse import urlencode

from django.contrib.admin import ModelAdmin
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.utils import timezone

from modules.flags.admin.pages import Page
from modules.flags.exposure import reading
from modules.flags.exposure.periods import PERIODS
from modules.flags.exposure.reading import Answered, Use
from modules.flags.ladder_view import TITLES
from modules.flags.models import Flag

AT_ONCE = 20  # organisations on a page
LONGEST_NAME = 120


def use(request: HttpRequest, pk: int, *, model_admin: ModelAdmin) -> HttpResponse:
    flag, now = get_object_or_404(Flag, pk=pk), timezone.now()
    period = PERIODS.get(request.GET.get("period", ""), PERIODS["7d"])
    named = request.GET.get("organisation", "").strip()[:LONGEST_NAME]
    told = reading.use_of(flag.key, period, at=now)
    sums = reading.organisations_using(flag.key, period, at=now, named=named)
    page = Paginator(sums, AT_ONCE).get_page(request.GET.get("p"))
    context = {
        **model_admin.admin_site.each_context(request),
        "title": f"Use of {flag.key}",
        "opts": Flag._meta,
        "flag": flag,
        "period": period,
        "periods": PERIODS.values(),
        "use": told,
        "answers": [words(answer) for answer in told.answers],
        "shares": [_share(words(answer), told.by_answer[answer], told) for answer in told.answers],
        "rungs": [_rung(number, is_on, told) for number, is_on in sorted(told.by_rung)],
        "last_hour": reading.last_hour_of(flag.key),
        "page": page,
        "organisations": reading.with_names(page),
        "named": named,
        "query": urlencode({"period": period.key, **({"organisation": named} if named else {})}),
    }
    return TemplateResponse(request, "admin/flags/use.html", context)


def words(answer: Answered) -> str:
    is_on, variant = answer
    return f"variant {variant}" if is_on and variant != "on" else variant


def _share(name: str, times: int, told: Use) -> dict[str, Any]:
    return {"name": name, "times": times, "percent": times * 100 / told.total}


def _rung(number: int, is_on: bool, told: Use) -> dict[str, Any]:
    title = TITLES[number] if number < len(TITLES) else "A rung that this release does not know"
    return _share(title, told.by_rung[number, is_on], told) | {"number": number, "is_on": is_on}


PAGES = (Page("<int:pk>/use/", use, "flags_use", of_flag="Use"),)
