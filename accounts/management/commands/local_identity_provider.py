"""Runs the local OpenID provider of the demonstration."""

import signal
import sys
from argparse import ArgumentParser
from types import FrameType
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.local_provider.provider import Provider, ProviderSettings
from accounts.local_provider.server import listen


class Command(BaseCommand):
    help = "Serve a page of demonstration people as an OpenID provider, on loopback. Only while DEMONSTRATION is on."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8001)

    def handle(self, *args: Any, port: int, **options: Any) -> None:
        if not settings.DEMONSTRATION:
            raise CommandError("Set DEMONSTRATION=on: this provider lets anybody in as anybody.")
        try:
            server = listen(Provider(provider_settings()), port)
        except OSError as taken:
            raise CommandError(f"Port {port} is taken on 127.0.0.1: choose another with --port.") from taken
        signal.signal(signal.SIGTERM, stop)
        self.stdout.write(f"The local identity provider listens at http://127.0.0.1:{port}/ (Ctrl-C stops it).")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            self.stdout.write("Stopped.")
        finally:
            server.server_close()


def provider_settings() -> ProviderSettings:
    return ProviderSettings(
        issuer=settings.OIDC_ISSUER,
        client_id=settings.OIDC_RP_CLIENT_ID,
        client_secret=settings.OIDC_RP_CLIENT_SECRET,
        redirect_uris=(settings.OIDC_CALLBACK_URL, *settings.API_REDIRECT_URIS),
        logout_redirect_uris=(f"{settings.PUBLIC_URL}/", f"{settings.PUBLIC_URL}/signed-out/"),
    )


def stop(number: int, frame: FrameType | None) -> None:
    sys.exit(0)
