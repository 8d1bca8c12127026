"""The API's door: nobody passes unknown or too often. Views that are open to anybody say so by `login_not_required`.

An Authorization header alone decides, and then no cookie counts. Without one, a signed-in person's own pages may call.
An organisation's client token, in that header or as X-API-Key, opens the views that are marked for it and no others.
"""

from collections.abc import Callable

from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers

from accounts import credentials, limits
from accounts.credentials import SESSION, Caller
from accounts.models import User
from tenants.api import Problem, is_api, match_of


class ApiDoorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_api(request):
            return self.get_response(request)
        try:
            response = self._answer(request)
        except Problem as problem:
            response = problem.response(request)
        patch_vary_headers(response, ["Authorization"])
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return exception.response(request) if isinstance(exception, Problem) else None

    def _answer(self, request: HttpRequest) -> HttpResponse:
        match = match_of(request)
        if match is None or not getattr(match.func, "login_required", True):
            limits.require_unknown_calls_left(request)
            return self._without_session(request, AnonymousUser())
        is_for_client_tokens = getattr(match.func, "takes_client_tokens", False)
        caller = _known(request, is_for_client_tokens)
        _require_calls_left(caller)
        if caller.organisation and not is_for_client_tokens:
            raise Problem(403, "not_for_client_tokens", "A client token reads flags, below /ofrep/, and nothing else.")
        request.caller = caller  # type: ignore[attr-defined]
        if caller.client == SESSION:
            return self.get_response(request)
        # A token is no cookie: other sites cannot make a browser send it.
        request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
        return self._without_session(request, caller.person)

    def _without_session(self, request: HttpRequest, user: User | AnonymousUser) -> HttpResponse:
        """What is open to anybody asks the database for nobody, and a token's call has nothing of a cookie's person."""
        session = request.session
        request.user, request.session = user, type(session)()
        try:
            return self.get_response(request)
        finally:
            request.session = session


def _known(request: HttpRequest, is_for_client_tokens: bool) -> Caller:
    try:
        if is_for_client_tokens and credentials.KEY_HEADER in request.headers:
            return credentials.caller_by_key(request)
        return credentials.caller_of(request) if "Authorization" in request.headers else _by_session(request)
    except Problem as problem:
        if problem.status == 401:
            limits.require_unknown_calls_left(request)
        raise


def _require_calls_left(caller: Caller) -> None:
    if caller.organisation:
        limits.require_client_calls_left(caller.client)
    else:
        limits.require_api_calls_left(caller.person, caller.client)


def _by_session(request: HttpRequest) -> Caller:
    if not _is_same_origin(request) or not request.user.is_authenticated:
        raise credentials.nobody()
    return Caller(request.user, SESSION)


def _is_same_origin(request: HttpRequest) -> bool:
    """Browsers say where a call comes from; a session is for pages of our own."""
    origin = request.headers.get("Origin", "")
    if origin and origin != f"{request.scheme}://{request.get_host()}":
        return False
    return request.headers.get("Sec-Fetch-Site", "none") in {"same-origin", "none"}
