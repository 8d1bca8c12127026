"""Runs the local OpenID provider of the demonstration."""

import signal
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.local_provider.provider import Provider, ProviderSettings
from accounts.local_provider.server import ThreadingServer, listen


class Command(BaseCommand):
    help = "Serve a page of demonstration people as an OpenID provider, on loopback. Only while DEMONSTRATION is on."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=port_number, default=8001, help="Where to listen on 127.0.0.1 (8001).")

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        if not settings.DEMONSTRATION:
            raise CommandError("Set DEMONSTRATION=on: this provider lets anybody in as anybody.")
        if not is_loopback(settings.OIDC_ISSUER):
            raise CommandError("OIDC_ISSUER must be a loopback address: this provider lets anybody in as anybody.")
        try:
            with listen_or_say_why(port) as server:
                signal.signal(signal.SIGTERM, signal.default_int_handler)
                self.stdout.write(f"The local identity provider listens at http://127.0.0.1:{port}/ (Ctrl-C stops it).")
                self.stdout.flush()
                server.serve_forever()
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")


def listen_or_say_why(port: int) -> ThreadingServer:
    try:
        return listen(Provider(provider_settings()), port)
    except OSError as fault:
        raise CommandError(f"Cannot listen on 127.0.0.1:{port} ({fault.strerror}): choose another --port.") from fault


def is_loopback(address: str) -> bool:
    return urlsplit(address).hostname in {"127.0.0.1", "localhost", "::1"}


def port_number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):
        raise ArgumentTypeError(f"{text!r} is not a port: expected a number from 1 to 65535.")
    return int(text)


def provider_settings() -> ProviderSettings:
    return ProviderSettings(
        issuer=settings.OIDC_ISSUER,
        client_id=settings.OIDC_RP_CLIENT_ID,
        client_secret=settings.OIDC_RP_CLIENT_SECRET,
        redirect_uris=(settings.OIDC_CALLBACK_URL, *settings.API_REDIRECT_URIS),
        logout_redirect_uris=(f"{settings.PUBLIC_URL}/", f"{settings.PUBLIC_URL}/signed-out/"),
        audiences=tuple(filter(None, [getattr(settings, "API_AUDIENCE", "")])),
        backchannel_logout_uri=f"{settings.PUBLIC_URL}/oidc/backchannel-logout/",
    )
