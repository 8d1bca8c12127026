"""From exec to the first 200 on /healthz/live, against a bare Django project with its admin under as many workers."""

import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from tests.environment import ROOT
from tests.marketedge.serving import environment, free_port

ROUNDS = 7
BARE = {
    "bare/__init__.py": "",
    "bare/settings.py": """
SECRET_KEY = "x" * 60
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "bare.urls"
INSTALLED_APPS = ["django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes",
                  "django.contrib.sessions", "django.contrib.messages", "django.contrib.staticfiles"]
MIDDLEWARE = ["django.middleware.security.SecurityMiddleware", "django.contrib.sessions.middleware.SessionMiddleware",
              "django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware",
              "django.contrib.auth.middleware.AuthenticationMiddleware",
              "django.contrib.messages.middleware.MessageMiddleware",
              "django.middleware.clickjacking.XFrameOptionsMiddleware"]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True, "OPTIONS": {
    "context_processors": ["django.template.context_processors.request", "django.contrib.auth.context_processors.auth",
                           "django.contrib.messages.context_processors.messages"]}}]
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "x", "HOST": "127.0.0.1", "PORT": 1}}
USE_TZ = True
STATIC_URL = "/static/"
""",
    "bare/urls.py": """
from django.contrib import admin
from django.http import JsonResponse
from django.urls import path

urlpatterns = [path("admin/", admin.site.urls), path("healthz/live", lambda request: JsonResponse({"status": "live"}))]
""",
    "bare.conf.py": """
import os
bind = f"127.0.0.1:{os.environ['PORT']}"
workers, threads, worker_class, preload_app, control_socket_disable = 2, 16, "gthread", True, True
""",
    "bare/wsgi.py": """
import os
from django.core.wsgi import get_wsgi_application
from django.urls import get_resolver
os.environ["DJANGO_SETTINGS_MODULE"] = "bare.settings"
application = get_wsgi_application()
get_resolver().reverse_dict
""",
}


def run() -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in BARE.items():
            (Path(folder) / name).parent.mkdir(exist_ok=True)
            (Path(folder) / name).write_text(text)
        bare, ours = [], []
        for _ in range(ROUNDS):
            bare.append(first_answer("bare.wsgi", "bare.conf.py", Path(folder)))
            ours.append(first_answer("marketedge.wsgi", "marketedge/gunicorn.conf.py", ROOT))
    ratio = statistics.median(ours) / statistics.median(bare)
    sys.stdout.write(
        f"start-up: bare Django {statistics.median(bare):.2f} s, MarketEdge {statistics.median(ours):.2f} s,"
        f" ratio {ratio:.2f} (medians of {ROUNDS}, interleaved)\n"
    )


def first_answer(application: str, configuration: str, folder: Path) -> float:
    """Seconds from exec to the first 200."""
    port = free_port()
    started = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "-c", configuration, application],
        cwd=folder,
        env=environment(PORT=str(port), PYTHONPATH=f"{folder}:{ROOT}"),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        while not _answers(f"http://127.0.0.1:{port}/healthz/live"):
            if time.monotonic() - started > 30 or process.poll() is not None:
                raise RuntimeError(f"{application} did not start")
            time.sleep(0.005)
        return time.monotonic() - started
    finally:
        process.terminate()
        process.wait(timeout=40)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 (loopback alone)
            return response.status == 200
    except OSError:
        return False
