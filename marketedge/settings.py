"""All settings, from the environment; `.env.example` has a line for each variable."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF

from marketedge import __version__
from marketedge.environment import (
    A_CENTURY_OF_DAYS,
    A_CENTURY_OF_HOURS,
    A_CENTURY_OF_MINUTES,
    A_DAY,
    A_DAY_OF_MILLISECONDS,
    MANY,
    Environment,
    is_loopback,
    parse_assignments,
    parse_dsn,
    read_dotenv,
)

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment({**read_dotenv(BASE_DIR / ".env"), **os.environ})

# What this process is
RELEASE_VERSION = __version__
RELEASE_COMMIT = env.text("RELEASE_COMMIT", "the commit that is deployed", default="unknown")
DEMONSTRATION = env.switch("DEMONSTRATION", default=False)
DEBUG = env.switch("DEBUG", default=False)
SECRET_KEY = env.text("SECRET_KEY", "at least 50 random characters", required=True)
PUBLIC_URL = env.url("PUBLIC_URL", "the address people open, such as https://marketedge.example", required=True).rstrip(
    "/"
)
ALLOWED_HOSTS = env.listed("ALLOWED_HOSTS", "host names with commas between them", required=True)
CONTACT = env.text("CONTACT", "the address that people without access can ask", required=True)
SECURITY_CONTACT = env.text(
    "SECURITY_CONTACT", "where weaknesses are told: an e-mail address or https://", default=CONTACT
)
SECURE_COOKIES = env.switch("SECURE_COOKIES", default=True)
SECURE_SSL_REDIRECT = env.switch("SSL_REDIRECT", default=True)

env.refuse_if(
    DEMONSTRATION and bool(PUBLIC_URL) and not is_loopback(PUBLIC_URL),
    "DEMONSTRATION lets anybody in as anybody: PUBLIC_URL must be a loopback address while it is on.",
)
env.refuse_if(
    DEMONSTRATION and any(not is_loopback(f"//{host}") for host in ALLOWED_HOSTS),
    "DEMONSTRATION lets anybody in as anybody: ALLOWED_HOSTS may only hold loopback hosts while it is on.",
)
if not DEMONSTRATION:
    env.refuse_if(DEBUG, "DEBUG must be off outside the demonstration: its pages show settings and code.")
    env.refuse_if(0 < len(SECRET_KEY) < 50, "SECRET_KEY is too short: expected at least 50 random characters.")
    env.refuse_if(
        any("*" in host or host.startswith(".") for host in ALLOWED_HOSTS),
        "ALLOWED_HOSTS must name each host: wildcards let anybody choose the host.",
    )
    env.refuse_if(not SECURE_COOKIES, "SECURE_COOKIES must be on outside the demonstration.")
    env.refuse_if(
        bool(PUBLIC_URL) and urlsplit(PUBLIC_URL).scheme != "https",
        "PUBLIC_URL must begin with https:// outside the demonstration.",
    )

# Database: the web login, and the owner for migrations only. Every wait is bounded, and so is a whole request:
# statement < client < request < what the server and the router in front of it allow.
CONNECT_TIMEOUT = env.number("CONNECT_TIMEOUT", "seconds, 2 or more", default=3, most=A_DAY)
STATEMENT_TIMEOUT = env.number("STATEMENT_TIMEOUT", "milliseconds", default=15_000, most=A_DAY_OF_MILLISECONDS)
LOCK_TIMEOUT = env.number("LOCK_TIMEOUT", "milliseconds", default=5_000, most=A_DAY_OF_MILLISECONDS)
MIGRATION_LOCK_TIMEOUT = env.number("MIGRATION_LOCK_TIMEOUT", "milliseconds", default=1_500, most=A_DAY_OF_MILLISECONDS)
IDLE_IN_TRANSACTION_TIMEOUT = env.number(
    "IDLE_IN_TRANSACTION_TIMEOUT", "milliseconds", default=30_000, most=A_DAY_OF_MILLISECONDS
)
TCP_TIMEOUT = env.number("TCP_TIMEOUT", "milliseconds", default=10_000, most=A_DAY_OF_MILLISECONDS)
CLIENT_DEADLINE = env.number("CLIENT_DEADLINE", "seconds", default=20, most=A_DAY)
REQUEST_DEADLINE = env.number("REQUEST_DEADLINE", "seconds", default=24, most=A_DAY)
SERVER_TIMEOUT = env.number("SERVER_TIMEOUT", "seconds", default=30, most=A_DAY)
WEB_THREADS = env.number("WEB_THREADS", "threads of each worker process, 3 or more", default=16, most=MANY)
BOOT_LIMIT = env.number("BOOT_LIMIT", "seconds", default=30, most=A_DAY)  # gunicorn.conf.py has read it before
env.refuse_if(WEB_THREADS < 3, "WEB_THREADS is too small: two threads are kept for health, so expected 3 or more.")
env.refuse_if(
    not STATEMENT_TIMEOUT / 1000 < CLIENT_DEADLINE < REQUEST_DEADLINE < SERVER_TIMEOUT,
    "The limits must grow outwards: STATEMENT_TIMEOUT < CLIENT_DEADLINE < REQUEST_DEADLINE < SERVER_TIMEOUT.",
)


def postgresql(address: dict[str, Any], login: str) -> dict[str, Any]:
    limits = {
        "statement_timeout": STATEMENT_TIMEOUT,
        "lock_timeout": LOCK_TIMEOUT,
        "idle_in_transaction_session_timeout": IDLE_IN_TRANSACTION_TIMEOUT,
    }
    bounds = {
        "connect_timeout": CONNECT_TIMEOUT,
        "keepalives_idle": 10,
        "keepalives_interval": 3,
        "keepalives_count": 3,
        "tcp_user_timeout": TCP_TIMEOUT,
        "options": " ".join(f"-c {name}={value}" for name, value in limits.items()),
        "application_name": f"marketedge-{login}",
    }
    return {
        **address,
        "ENGINE": "tenants.postgresql",
        "LOGIN": login,
        "CLIENT_DEADLINE": CLIENT_DEADLINE,
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": True,
        "OPTIONS": {**address.get("OPTIONS", {}), **bounds},
    }


DATABASES = {"default": postgresql(env.database("DATABASE_URL", required=True), login="web")}
_owner = env.database("DATABASE_OWNER_URL")
OWNER_DATABASE = postgresql(_owner, login="owner") if _owner else None

# Applications: an analytics module is its folder and one line here
INSTALLED_APPS = [
    "marketedge.apps.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "corsheaders",
    "mozilla_django_oidc",
    "marketedge.apps.MarketEdgeConfig",
    "tenants.apps.TenantsConfig",
    "accounts.apps.AccountsConfig",
    "modules.apps.ModulesConfig",
    "modules.flags.apps.FlagsConfig",
    "modules.market_edge_core.apps.MarketEdgeCoreConfig",
]

MIDDLEWARE = [
    "marketedge.observation.ObservationMiddleware",  # outermost: it sees whatever else answers or fails
    # Around all that answers, so that every status carries their headers; CORS answers preflights itself
    "marketedge.hygiene.BrowserRulesMiddleware",
    "csp.middleware.CSPMiddleware",
    "accounts.secrecy.SecretAddressesMiddleware",
    "marketedge.cors.ExactCorsMiddleware",
    "marketedge.health.HealthMiddleware",
    "marketedge.metrics_page.MetricsMiddleware",
    "marketedge.admission.AdmissionMiddleware",
    "marketedge.hygiene.PrivateByDefaultMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "accounts.middleware.CrowdMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "accounts.middleware.SessionVisitMiddleware",
    "django.middleware.common.CommonMiddleware",
    "marketedge.incidents.WrongMethodMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.door.ApiDoorMiddleware",
    "accounts.middleware.SignInRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "tenants.middleware.OrganisationMiddleware",
    "tenants.api_organisation.ApiOrganisationMiddleware",
    "accounts.middleware.PlatformScopeMiddleware",
    "tenants.editors_zone.EditorsZoneMiddleware",
    "modules.middleware.ModuleGateMiddleware",
]

ROOT_URLCONF = "marketedge.urls"
WSGI_APPLICATION = "marketedge.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"
APPEND_SLASH = True

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "marketedge.shell.shell",
            ],
        },
    }
]

# Sign-in: Auth0's paths below the issuer; see README, Sign-in
AUTH_USER_MODEL = "accounts.User"
# W004 does not see that addresses are unique in any case, by a constraint on their lower case.
SILENCED_SYSTEM_CHECKS = ["auth.W004"]
AUTHENTICATION_BACKENDS = ["accounts.oidc.SignInBackend"]
LOGIN_URL = "sign_in"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/signed-out/"
OIDC_ISSUER = env.url("OIDC_ISSUER", "the provider's issuer, such as https://tenant.eu.auth0.com/", required=True)
_provider = OIDC_ISSUER.rstrip("/")
env.refuse_if(
    not DEMONSTRATION and bool(OIDC_ISSUER) and not OIDC_ISSUER.startswith("https://"),
    "OIDC_ISSUER must begin with https:// outside the demonstration.",
)
OIDC_RP_CLIENT_ID = env.text("OIDC_RP_CLIENT_ID", "the application's client id at the provider", required=True)
OIDC_RP_CLIENT_SECRET = env.text("OIDC_RP_CLIENT_SECRET", "the application's client secret", required=True)
OIDC_OP_AUTHORIZATION_ENDPOINT = f"{_provider}/authorize"
OIDC_OP_TOKEN_ENDPOINT = f"{_provider}/oauth/token"
OIDC_OP_USER_ENDPOINT = f"{_provider}/userinfo"
OIDC_OP_JWKS_ENDPOINT = f"{_provider}/.well-known/jwks.json"
OIDC_OP_LOGOUT_ENDPOINT = f"{_provider}/oidc/logout"
OIDC_CALLBACK_URL = f"{PUBLIC_URL}/oidc/callback/"
OIDC_RP_SIGN_ALGO = "RS256"
OIDC_RP_SCOPES = "openid profile email"
OIDC_USE_PKCE = True
OIDC_PKCE_CODE_CHALLENGE_METHOD = "S256"
OIDC_USE_NONCE = True
OIDC_TIMEOUT = env.number("OIDC_TIMEOUT", "seconds", default=6, most=A_DAY)
OIDC_CALLS_AT_ONCE = env.number(
    "OIDC_CALLS_AT_ONCE",
    "sign-ins that may wait for the provider at once",
    default=max(1, WEB_THREADS * 3 // 8),
    most=MANY,
)
OIDC_REQUIRES_ISS = env.switch("OIDC_REQUIRES_ISS", default=False)
OIDC_STORE_ID_TOKEN = False
OIDC_STORE_ACCESS_TOKEN = False
PLATFORM_ADMIN_LINK_HOURS = env.number("PLATFORM_ADMIN_LINK_HOURS", "hours", default=24, most=A_CENTURY_OF_HOURS)
INVITATION_DAYS = env.number("INVITATION_DAYS", "days", default=14, most=A_CENTURY_OF_DAYS)
ENDED_KEPT_DAYS = env.number("ENDED_KEPT_DAYS", "days", default=90, most=A_CENTURY_OF_DAYS)

# Sessions and cookies
# The prefix ties a cookie to this very host over https: no neighbour below the same domain can set it.
COOKIE_PREFIX = "__Host-" if SECURE_COOKIES else ""
SESSION_ENGINE = "accounts.sessions"
SESSION_HOURS = env.number(
    "SESSION_HOURS", "hours after which everybody signs in again", default=8, most=A_CENTURY_OF_HOURS
)
SESSION_IDLE_MINUTES = env.number(
    "SESSION_IDLE_MINUTES", "minutes without a request that end a session", default=60, most=A_CENTURY_OF_MINUTES
)
SESSION_COOKIE_AGE = SESSION_HOURS * 60 * 60
SESSION_COOKIE_NAME = f"{COOKIE_PREFIX}sessionid"
SESSION_COOKIE_SECURE = SECURE_COOKIES
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_NAME = f"{COOKIE_PREFIX}csrftoken"
CSRF_COOKIE_SECURE = SECURE_COOKIES
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "marketedge.incidents.csrf_failure"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# What the browser is told
SECURE_HSTS_SECONDS = 0 if DEMONSTRATION else 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = not DEMONSTRATION
SECURE_HSTS_PRELOAD = not DEMONSTRATION
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        # Signing in and out are forms that redirect to the provider; Chromium holds redirects to form-action too.
        "form-action": [SELF, _provider],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "object-src": [NONE],
        # The demonstration has no https to upgrade to.
        **({} if DEMONSTRATION else {"upgrade-insecure-requests": True}),
    }
}
# What no page here uses; a page of ours that is tricked into asking for one gets nothing.
FEATURES_WITHHELD = [
    "accelerometer",
    "autoplay",
    "browsing-topics",
    "camera",
    "display-capture",
    "encrypted-media",
    "geolocation",
    "gyroscope",
    "magnetometer",
    "microphone",
    "midi",
    "payment",
    "picture-in-picture",
    "publickey-credentials-get",
    "screen-wake-lock",
    "serial",
    "usb",
    "xr-spatial-tracking",
]

# The JSON API is called from other origins
CORS_ALLOWED_ORIGINS = env.origins("CORS_ALLOWED_ORIGINS", "origins (scheme://host:port) with commas between them")
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
CORS_ALLOW_HEADERS = [
    "authorization",
    "content-type",
    "if-none-match",
    "x-api-key",
    "x-csrf-token",
    "x-organization-id",
    "x-tenant-id",
]
CORS_EXPOSE_HEADERS = ["etag", "retry-after", "www-authenticate", "x-request-id"]
CORS_PREFLIGHT_MAX_AGE = 3600
CORS_URLS_REGEX = r"^/(api/|ofrep/|health$|healthz/)"
CSRF_HEADER_NAME = "HTTP_X_CSRF_TOKEN"
API_REDIRECT_URIS = env.urls("API_REDIRECT_URIS", "addresses with commas between them")
API_SCOPES = ["openid", "profile", "email", "read:organization", "read:roles"]
API_ADDITIONAL_SCOPES = env.listed("API_ADDITIONAL_SCOPES", "scopes with commas between them")
API_AUDIENCE = env.text("API_AUDIENCE", "this API's identifier at the provider")
API_CLIENTS = env.listed("API_CLIENTS", "client ids of applications with commas between them")
env.refuse_if(
    bool(API_AUDIENCE) and API_AUDIENCE == OIDC_RP_CLIENT_ID,
    "API_AUDIENCE must not be OIDC_RP_CLIENT_ID: the API would take id_tokens for access tokens.",
)

# How often: calls a minute, and how many of them at once. Nobody is held to ADDRESS_RATE for what others behind the
# same address do, unless all of them together flood us.
API_RATE = env.rate("API_RATE", default=(600, 120))  # one person in one application
CLIENT_TOKEN_RATE = env.rate("CLIENT_TOKEN_RATE", default=(6000, 1000))  # one client token of an organisation
SIGN_IN_RATE = env.rate("SIGN_IN_RATE", default=(30, 30))  # one browser, each step of signing in
ADDRESS_RATE = env.rate("ADDRESS_RATE", default=(1200, 1000))  # one address, callers who are not known yet
TRUSTED_PROXIES = env.count("TRUSTED_PROXIES", "a number of proxies", default=0)

# Uploads: larger bodies are refused before they are read into memory
UPLOAD_LIMIT = 10 * 1024 * 1024
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
FILE_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000

# Feature flags forced by the operator, beating everything: FLAGS_FORCED=key=off,other=on
FLAGS_FORCED = env.read("FLAGS_FORCED", parse_assignments, "key=on or key=off, with commas between them", default={})
# Where the last release that was read is kept, for a process that starts while the database is down
FLAGS_FILE = env.text("FLAGS_FILE", "the path of a file that the web may write")
FLAG_USE_KEPT_DAYS = env.number("FLAG_USE_KEPT_DAYS", "days", default=90, most=A_CENTURY_OF_DAYS)

# Static files: production collects them under hashed names; without, they are served from where they lie
STATIC_HASHED = env.switch("STATIC_HASHED", default=not DEMONSTRATION)
STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "static_collected" if STATIC_HASHED else None
WHITENOISE_USE_FINDERS = not STATIC_HASHED
WHITENOISE_AUTOREFRESH = not STATIC_HASHED  # looks when asked, instead of at every file while starting
_static_files = (
    "whitenoise.storage.CompressedManifestStaticFilesStorage"
    if STATIC_HASHED
    else "django.contrib.staticfiles.storage.StaticFilesStorage"
)
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": _static_files},
}

# Pages of DEBUG and reports of faults: without secrets, whatever a stack holds
DEFAULT_EXCEPTION_REPORTER = "marketedge.fault_pages.Reporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "marketedge.fault_pages.Filter"

# Logs, metrics, reports of faults
LOG_FORMAT = env.choice("LOG_FORMAT", ("json", "text"), default="text" if DEMONSTRATION else "json")
REQUEST_LOG = env.switch("REQUEST_LOG", default=True)
METRICS_TOKEN = env.text("METRICS_TOKEN", "at least 20 characters that only Prometheus knows")
env.refuse_if(0 < len(METRICS_TOKEN) < 20, "METRICS_TOKEN is too short: expected at least 20 characters.")
SENTRY_DSN = env.read("SENTRY_DSN", parse_dsn, "the address of a Sentry project: https://KEY@HOST/NUMBER", default="")
LOGGING_CONFIG = "marketedge.log_lines.configure"
_lines = "marketedge.log_lines.JsonLines" if LOG_FORMAT == "json" else "marketedge.log_lines.TextLines"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"()": _lines, "release": f"{RELEASE_VERSION}+{RELEASE_COMMIT}"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django": {"level": "INFO"},
        # The line of each request says the same of those that Django only warns of.
        "django.request": {"level": "ERROR"},
        # Anybody can cause these as often as they like; the line of the request tells of them.
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "django.security.RequestDataTooBig": {"level": "CRITICAL"},
        "django.security.TooManyFieldsSent": {"level": "CRITICAL"},
        "django.server": {"propagate": True, "handlers": []},
    },
}

env.finish()
