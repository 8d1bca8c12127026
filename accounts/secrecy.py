"""Which addresses carry something secret, and what browsers are told of them."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

# They carry codes, states and one-time links, which a browser must neither keep nor tell the next page.
SECRET_ADDRESSES = ("/oidc/", "/claim/", "/sign-in/", "/signed-out/")


class SecretAddressesMiddleware:
    """Around the views, so that it holds for refusals, faults and outages there too.

    A page with a form that is posted must not be below these addresses: without a referrer browsers send
    `Origin: null`, which the protection against forged requests refuses.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path_info.startswith(SECRET_ADDRESSES):
            response.headers["Referrer-Policy"] = "no-referrer"
            response.headers["Cache-Control"] = "private, no-store"
        return response
