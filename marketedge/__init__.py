"""Wiring: settings, URLs, the server, health and what surrounds every request."""

__version__ = "0.1.0"
