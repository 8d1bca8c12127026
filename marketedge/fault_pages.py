"""What Django's pages of DEBUG and its reports by mail may show of a fault: no code, no token, no secret."""

import re
from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from tenants.redaction import redact


class Filter(SafeExceptionReporterFilter):
    """Goes by names, everywhere and also while DEBUG is on: Django hides variables and forms only where it is off."""

    hidden_settings = re.compile(
        r"API|AUTH|TOKEN|KEY|SECRET|PASS|SIGNATURE|COOKIE|CREDENTIAL|VERIFIER|NONCE|CLAIMS|SESSION|(DATABASE|OWNER)_URL"
        r"|\b(code|states?)\b",
        re.IGNORECASE,
    )

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_post_parameters(self, request: Any) -> dict[str, Any]:
        return {name: self.cleanse_setting(name, value) for name, value in request.POST.items()} if request else {}

    def get_safe_cookies(self, request: Any) -> dict[str, Any]:
        return dict.fromkeys(getattr(request, "COOKIES", {}), self.cleansed_substitute)

    def get_traceback_frame_variables(self, request: Any, tb_frame: FrameType) -> ItemsView[str, Any]:
        shown = super().get_traceback_frame_variables(request, tb_frame)
        return {name: self.cleanse_setting(name, value) for name, value in shown}.items()


class Reporter(ExceptionReporter):
    """Goes by looks, where the names say nothing: addresses with codes in them, tokens inside of other text."""

    def get_traceback_data(self) -> dict[str, Any]:
        data = super().get_traceback_data()
        for frame in data["frames"]:
            frame["vars"] = [(name, redact(value)) for name, value in frame.get("vars", ())]
        asked = self.request.GET.items() if self.request else ()
        return {
            **data,
            "request_GET_items": [(name, self.filter.cleanse_setting(name, value)) for name, value in asked],
            "request_insecure_uri": redact(data.get("request_insecure_uri", "")),
            "request_meta": {name: _redacted(value) for name, value in data["request_meta"].items()},
            "exception_value": redact(data.get("exception_value", "")),
        }


def _redacted(value: Any) -> Any:
    return redact(value) if isinstance(value, str) else value
