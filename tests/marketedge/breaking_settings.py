"""The product's settings with addresses that break, for real server processes."""

from marketedge.settings import *  # noqa: F403

ROOT_URLCONF = "tests.marketedge.breaking_urls"
