"""Whom does somebody tell who has found a weakness? Answered at /.well-known/security.txt (RFC 9116)."""

import re
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

GOOD_FOR = timedelta(days=180)  # RFC 9116 2.5.5: less than a year
_ADDRESS = re.compile(r"[^@\s:/]+@[^@\s:/]+")
_URI = re.compile(r"(mailto:[^@\s]+@[^@\s]+|https://\S+|tel:\+[0-9-]+)")


@login_not_required
@require_safe
def security_txt(request: HttpRequest) -> HttpResponse:
    """Expires is worked out when asked, so that it never lies in the past."""
    contact = contact_uri(settings.SECURITY_CONTACT)
    if not contact:
        raise Http404
    fields = {
        "Contact": contact,
        "Expires": expires(timezone.now()),
        "Preferred-Languages": "en",
        "Canonical": settings.PUBLIC_URL + reverse("security_txt"),
    }
    text = "".join(f"{name}: {value}\n" for name, value in fields.items())
    return HttpResponse(
        text, content_type="text/plain; charset=utf-8", headers={"Cache-Control": "public, max-age=3600"}
    )


def contact_uri(text: str) -> str:
    """As a URI, which the file has to hold; "" when the text is none, such as the name of a department."""
    if _ADDRESS.fullmatch(text):
        return f"mailto:{text}"
    return text if _URI.fullmatch(text) else ""


def expires(now: datetime) -> str:
    """The midnight that ends the file's life: the same all day, so that copies do not differ."""
    return (now + GOOD_FOR).strftime("%Y-%m-%dT00:00:00Z")
