"""Takes out each listed guard in turn and requires that a test goes red: `make mutants`.

A guard whose absence fails no test is already gone. Each mutant is one replaced text in a copy of the project.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from marketedge.local.clean import remove

ROOT = Path(__file__).resolve().parent.parent
LEFT_OUT = shutil.ignore_patterns(
    ".git", ".venv", ".local", "__pycache__", ".mypy_cache", ".ruff_cache", "static_collected"
)


@dataclass(frozen=True)
class Mutant:
    """The guard's name, where it stands, its text, what stands there without it, and the tests that must notice."""

    guard: str
    path: str
    text: str
    without: str
    tests: str


MUTANTS = (
    Mutant(
        "threads to spare",
        "marketedge/admission.py",
        "self.limit = threads - SPARE",
        "self.limit = threads",
        "tests/marketedge/test_admission.py",
    ),
    Mutant(
        "our own limit for an answer of the database",
        "tenants/postgresql/connection.py",
        "allowed = deadline.remaining(self.limit)",
        "allowed = None",
        "tests/tenants/test_deadline.py",
    ),
    Mutant(
        "time limit of the look-up of a host",
        "tenants/postgresql/names.py",
        "answer(within=allowed)",
        "answer(within=5)",
        "tests/tenants/test_names.py",
    ),
    Mutant(
        "swallowed questions while loading",
        "tenants/postgresql/startup.py",
        "        _require_untouched()\n",
        "",
        "tests/tenants/test_startup.py",
    ),
    Mutant(
        "threads started while loading",
        "tenants/postgresql/startup.py",
        "        _require_no_new_thread(threads)\n",
        "",
        "tests/tenants/test_startup.py",
    ),
    Mutant(
        "refusal of a head that is not whole",
        "marketedge/worker.py",
        "return not data or HEAD_ENDS in self.received",
        "return True",
        "tests/faults/test_slow_callers.py -k head_never_ends",
    ),
    Mutant(
        "time limit of a body",
        "marketedge/worker.py",
        "self.parser.unreader.sock = Clocked",
        "_ = Clocked",
        "tests/faults/test_slow_callers.py -k body_never_ends",
    ),
    Mutant(
        "workers end with their master",
        "marketedge/worker.py",
        "            self.alive = False\n",
        "            pass\n",
        "tests/faults/test_stopping.py -k killed_master",
    ),
    Mutant(
        "migrations in ready",
        "marketedge/readiness.py",
        "    if unapplied:\n",
        "    if False:\n",
        "tests/marketedge/test_health.py",
    ),
    Mutant(
        "read-only databases in ready",
        "marketedge/readiness.py",
        "    if is_read_only:\n",
        "    if False:\n",
        "tests/marketedge/test_health.py",
    ),
    Mutant(
        "clocks in health",
        "marketedge/readiness.py",
        "if abs(skew) <= SKEW_ALLOWED:",
        "if True:",
        "tests/marketedge/test_health.py",
    ),
    Mutant(
        "scope filter of the manager",
        "tenants/models.py",
        "return self.filter(organisation_id=current.organisation_id)",
        "return self",
        "tests/tenants/test_scope.py",
    ),
    Mutant(
        "no scope raises",
        "tenants/models.py",
        "if current.kind is scope.Kind.NONE:",
        "if False:",
        "tests/tenants/test_scope.py",
    ),
    Mutant(
        "row security",
        "tenants/row_security.py",
        'own = f"organisation_id = {ORGANISATION}"',
        'own = "true"',
        "tests/tenants/test_scope.py",
    ),
    Mutant(
        "forgetting the scope after a rollback",
        "tenants/postgresql/base.py",
        'FORGETS = ("ROLLBACK", ',
        'FORGETS = ("NOTHING", ',
        "tests/tenants/test_scope.py",
    ),
    Mutant(
        "composite keys",
        "tenants/row_security.py",
        'REFERENCES "{target}" (organisation_id, id)',
        'REFERENCES "{target}" (organisation_id, id) NOT ENFORCED',
        "tests/tenants/test_keys.py",
    ),
    Mutant(
        "refusal of a privileged web login",
        "tenants/postgresql/base.py",
        'if self.settings_dict.get("LOGIN") != "web":',
        "if True:",
        "tests/tenants/test_database_login.py",
    ),
    Mutant(
        "read-only tables of the web role",
        "tenants/ownership.py",
        'app="SELECT, UPDATE (last_login)"',
        "app=WRITE",
        "tests/tenants/test_database_login.py",
    ),
    Mutant(
        "membership",
        "tenants/seats.py",
        "if not (person.is_superuser and person.is_active):",
        "if False:",
        "tests/marketedge/test_routes.py",
    ),
    Mutant(
        "module gate",
        "modules/middleware.py",
        "return None if decision.is_open else closed(request, decision)",
        "return None",
        "tests/modules/test_gate.py",
    ),
    Mutant(
        "login required",
        "marketedge/settings.py",
        '    "accounts.middleware.SignInRequiredMiddleware",\n',
        "",
        "tests/marketedge/test_routes.py",
    ),
    Mutant(
        "CSRF",
        "marketedge/settings.py",
        '    "django.middleware.csrf.CsrfViewMiddleware",\n',
        "",
        "tests/marketedge/test_routes.py",
    ),
    Mutant(
        "staff check of the platform scope",
        "accounts/middleware.py",
        "request.user.is_authenticated and request.user.is_active and request.user.is_staff",
        "request.user.is_authenticated",
        "tests/accounts/test_platform_scope.py",
    ),
    Mutant(
        "staff check of the admin site",
        "marketedge/admin_site.py",
        "if not self.has_permission(request):",
        "if False:",
        "tests/marketedge/test_routes.py",
    ),
    Mutant(
        "only superusers hand out privileges",
        "accounts/admin.py",
        "*(() if may_grant else PRIVILEGES)",
        "*()",
        "tests/accounts/test_admin.py",
    ),
    Mutant(
        "confirmation hash",
        "modules/market_edge_core/actions.py",
        "if hashlib.sha256(content).hexdigest() != sha256:",
        "if False:",
        "tests/modules/market_edge_core/test_actions.py",
    ),
    Mutant(
        "role asked for by a view",
        "tenants/decorators.py",
        "if request.seat.role.covers(role):",
        "if True:",
        "tests/modules/market_edge_core",
    ),
    Mutant(
        "suspension",
        "tenants/middleware.py",
        "if seat.organisation.is_suspended:",
        "if False:",
        "tests/modules/test_pages.py",
    ),
    Mutant(
        "verified address",
        "accounts/id_tokens.py",
        'payload.get("email_verified") is True',
        'bool(payload.get("email_verified"))',
        "tests/accounts/test_sign_in.py",
    ),
    Mutant(
        "issuer",
        "accounts/signed_tokens.py",
        'claims.get("iss") != settings.OIDC_ISSUER',
        'str(claims.get("iss")).rstrip("/") != settings.OIDC_ISSUER.rstrip("/")',
        "tests/accounts/test_id_tokens.py",
    ),
    Mutant(
        "audience",
        "accounts/signed_tokens.py",
        'claims.get("aud") not in (client, [client])',
        'client not in (claims.get("aud") or ())',
        "tests/accounts/test_id_tokens.py",
    ),
    Mutant(
        "authorized party",
        "accounts/signed_tokens.py",
        'claims.get("azp", client) != client',
        "False",
        "tests/accounts/test_id_tokens.py",
    ),
    Mutant(
        "algorithm",
        "accounts/signed_tokens.py",
        'header.get("alg") != "RS256"',
        'header.get("alg") == "none"',
        "tests/accounts/test_id_tokens.py",
    ),
    Mutant(
        "critical headers",
        "accounts/signed_tokens.py",
        'if "crit" in header:',
        "if False:",
        "tests/accounts/test_id_tokens.py",
    ),
    Mutant(
        "kind of token",
        "accounts/signed_tokens.py",
        'removeprefix("application/") not in types',
        'removeprefix("application/") == "nothing"',
        "tests/accounts/test_id_tokens.py",
    ),
    Mutant(
        "signature",
        "accounts/signed_tokens.py",
        "if not RSAAlgorithm(RSAAlgorithm.SHA256).verify(signed.encode(), key, signature):",
        "if False:",
        "tests/accounts/test_id_tokens.py",
    ),
    Mutant(
        "expiry",
        "accounts/signed_tokens.py",
        'if _moment(claims, "exp") <= now - LEEWAY:',
        "if False:",
        "tests/accounts/test_id_tokens.py",
    ),
    Mutant(
        "age of a token",
        "accounts/signed_tokens.py",
        'if not now - YOUNGEST - LEEWAY <= _moment(claims, "iat") <= now + LEEWAY:',
        'if not _moment(claims, "iat") <= now + LEEWAY:',
        "tests/accounts/test_id_tokens.py",
    ),
    Mutant(
        "not before",
        "accounts/signed_tokens.py",
        'if "nbf" in claims and',
        "if False and",
        "tests/accounts/test_id_tokens.py",
    ),
    Mutant(
        "types of times",
        "accounts/signed_tokens.py",
        "type(value) is not int or",
        "not isinstance(value, int) or",
        "tests/accounts/test_id_tokens.py",
    ),
    Mutant(
        "length of a token",
        "accounts/signed_tokens.py",
        "if len(token) <= LONGEST else None",
        "",
        "tests/accounts/test_id_tokens.py",
    ),
    Mutant(
        "names given twice",
        "accounts/strict_json.py",
        "if len(found) != len(pairs):",
        "if False:",
        "tests/accounts/test_id_tokens.py",
    ),
    Mutant(
        "nonce",
        "accounts/id_tokens.py",
        "    _require_nonce(payload, nonce)\n",
        "",
        "tests/accounts/test_id_tokens.py",
    ),
    Mutant(
        "constant time",
        "accounts/id_tokens.py",
        "hmac.compare_digest(_bytes(given), _bytes(expected))",
        "_bytes(given) == _bytes(expected)",
        "tests/accounts/test_id_tokens.py",
    ),
    Mutant(
        "access token beside the id_token",
        "accounts/id_tokens.py",
        "    _require_access_token(payload, tokens.access_token)\n",
        "",
        "tests/accounts/test_id_tokens.py",
    ),
    Mutant(
        "use of a key",
        "accounts/provider_keys.py",
        'entry.get("use", "sig") != "sig" or ',
        "",
        "tests/accounts/test_id_tokens.py",
    ),
    Mutant(
        "length of a key",
        "accounts/provider_keys.py",
        "return SigningKey(kid, public) if public.key_size in BITS else None",
        "return SigningKey(kid, public)",
        "tests/accounts/test_id_tokens.py",
    ),
    Mutant(
        "one key for a token without a name",
        "accounts/provider_keys.py",
        "return fitting[0] if len(fitting) == 1 else None",
        "return fitting[0] if fitting else None",
        "tests/accounts/test_id_tokens.py",
    ),
    Mutant(
        "cool-down for unknown keys",
        "accounts/provider_keys.py",
        " or (is_unknown and now - self.unknown_at < UNKNOWN_COOL_DOWN)",
        "",
        "tests/accounts/test_provider_calls.py",
    ),
    Mutant(
        "keys do not outlive a day",
        "accounts/provider_keys.py",
        "if not self.known.is_younger_than(KEPT):",
        "if False:",
        "tests/accounts/test_provider_calls.py",
    ),
    Mutant(
        "keys are asked for once",
        "accounts/provider_keys.py",
        "        if asking:\n            if not can_go_on:",
        "        if False:\n            if not can_go_on:",
        "tests/accounts/test_provider_calls.py",
    ),
    Mutant(
        "one clock for an answer",
        "accounts/bounded_http.py",
        "        self.connection.settimeout(self.budget.left())\n        read",
        "        read",
        "tests/accounts/test_bounded_http.py",
    ),
    Mutant(
        "length of an answer",
        "accounts/bounded_http.py",
        "        if self.allowed < 0:",
        "        if False:",
        "tests/accounts/test_bounded_http.py",
    ),
    Mutant(
        "length of a body",
        "accounts/bounded_http.py",
        "        if len(body) > BODY_LIMIT:",
        "        if False:",
        "tests/accounts/test_bounded_http.py",
    ),
    Mutant(
        "answers that are cut off",
        "accounts/bounded_http.py",
        "if promised is not None and len(body) < promised:",
        "if False:",
        "tests/accounts/test_bounded_http.py",
    ),
    Mutant(
        "compressed answers",
        "accounts/bounded_http.py",
        'response.headers.get("Content-Encoding", "identity").lower() != "identity"',
        "False",
        "tests/accounts/test_bounded_http.py",
    ),
    Mutant(
        "names of certificates",
        "accounts/bounded_http.py",
        "context = ssl.create_default_context()",
        "context = ssl._create_unverified_context()",
        "tests/accounts/test_bounded_http.py",
    ),
    Mutant(
        "attempts belong to a browser",
        "accounts/attempts.py",
        "state_hash=hash_of(state), browser_hash=_browser_hash(request, _cookie_name(state))",
        "state_hash=hash_of(state)",
        "tests/accounts/test_flow.py",
    ),
    Mutant(
        "attempts are spent once",
        "accounts/attempts.py",
        "return deleted == 1",
        "return True",
        "tests/accounts/test_flow.py",
    ),
    Mutant(
        "attempts live ten minutes",
        "accounts/attempts.py",
        "return attempts.filter(created_at__gt=_oldest()).first()",
        "return attempts.first()",
        "tests/accounts/test_sign_in.py",
    ),
    Mutant(
        "ten attempts",
        "accounts/attempts.py",
        "pending[: max(0, len(pending) - MOST + 1)]",
        "pending[:0]",
        "tests/accounts/test_flow.py",
    ),
    Mutant(
        "issuer of the callback",
        "accounts/flow.py",
        "if issuer != settings.OIDC_ISSUER and (issuer is not None or settings.OIDC_REQUIRES_ISS):",
        "if False:",
        "tests/accounts/test_flow.py",
    ),
    Mutant(
        "callbacks that say something twice",
        "accounts/flow.py",
        "if any(len(request.GET.getlist(name)) > 1 for name in RETURNED):",
        "if False:",
        "tests/accounts/test_flow.py",
    ),
    Mutant(
        "another site cannot begin a sign-in",
        "accounts/flow.py",
        'if request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}:',
        "if False:",
        "tests/accounts/test_flow.py",
    ),
    Mutant(
        "turns at the provider",
        "accounts/flow.py",
        "            if not is_our_turn:\n                return waiting(request)\n",
        "",
        "tests/accounts/test_flow.py",
    ),
    Mutant(
        "new session at a sign-in",
        "accounts/flow.py",
        "    request.session.cycle_key()\n",
        "",
        "tests/accounts/test_sign_in.py",
    ),
    Mutant(
        "one time for code and keys",
        "accounts/flow.py",
        "budget=Budget(settings.OIDC_TIMEOUT)",
        'budget=type("", (Budget,), {"left": lambda _: 2.0})(2)',
        "tests/accounts/test_flow.py",
    ),
    Mutant(
        "destinations of this site",
        "accounts/destinations.py",
        "is_plain and is_path and url_has",
        "is_path or url_has",
        "tests/accounts/test_flow.py",
    ),
    Mutant(
        "organisation that was asked for",
        "accounts/provisioning.py",
        "if asked and asked != found:",
        "if False:",
        "tests/accounts/test_organisations.py",
    ),
    Mutant(
        "organisation that is missing",
        "accounts/provisioning.py",
        "        if asked:\n            raise Refused(ORGANISATION_MISSING)\n",
        "",
        "tests/accounts/test_organisations.py",
    ),
    Mutant(
        "suspended organisations get nobody new",
        "accounts/provisioning.py",
        "if all(organisation.is_suspended for organisation in known):",
        "if False:",
        "tests/accounts/test_organisations.py",
    ),
    Mutant(
        "no seat in a suspended organisation",
        "accounts/provisioning.py",
        "if organisation and not organisation.is_suspended:",
        "if organisation:",
        "tests/accounts/test_organisations.py",
    ),
    Mutant(
        "no invitation of a suspended organisation",
        "accounts/provisioning.py",
        "        if not invitation.organisation.is_suspended:\n            actions",
        "        if True:\n            actions",
        "tests/accounts/test_organisations.py",
    ),
    Mutant(
        "an address leads to nobody",
        "accounts/provisioning.py",
        "if User.objects.with_email(claims.email).exists():",
        "if False:",
        "tests/accounts/test_sign_in.py",
    ),
    Mutant(
        "first sign-ins wait for each other",
        "accounts/provisioning.py",
        "_known(claims) or _known_after_waiting(claims)",
        "_known(claims)",
        "tests/accounts/test_sign_in.py",
    ),
    Mutant(
        "idle limit",
        "accounts/sessions.py",
        "        row.expire_date = self.row_expires_at()\n",
        "",
        "tests/accounts/test_session_limits.py",
    ),
    Mutant(
        "absolute limit",
        "accounts/sessions.py",
        "datetime.fromisoformat(self[SIGNED_IN_AT]) if SIGNED_IN_AT in self else timezone.now()",
        "timezone.now()",
        "tests/accounts/test_session_limits.py",
    ),
    Mutant(
        "messages about signing out",
        "accounts/logout_tokens.py",
        "if not isinstance(events, dict) or not isinstance(events.get(EVENT), dict):",
        "if False:",
        "tests/accounts/test_back_channel.py",
    ),
    Mutant(
        "messages without a nonce",
        "accounts/logout_tokens.py",
        'if "nonce" in claims:',
        "if False:",
        "tests/accounts/test_back_channel.py",
    ),
    Mutant(
        "messages count once",
        "accounts/actions.py",
        "        _require_first_time(signed_out)\n",
        "",
        "tests/accounts/test_back_channel.py",
    ),
    Mutant(
        "kept forms are their person's",
        "accounts/kept_forms.py",
        'if kept["person"] != str(request.user.public_id):',
        "if False:",
        "tests/accounts/test_kept_forms.py",
    ),
    Mutant(
        "strangers' forms are not kept",
        "accounts/kept_forms.py",
        "if not person or not fields",
        "if not fields",
        "tests/accounts/test_kept_forms.py",
    ),
    Mutant(
        "places for others than those who sign in",
        "marketedge/admission.py",
        'if environ.get("PATH_INFO") in SIGN_IN:',
        "if False:",
        "tests/marketedge/test_admission.py",
    ),
    Mutant(
        "deactivated people are out on the next request",
        "accounts/oidc.py",
        "return user if user and self.user_can_authenticate(user) else None",
        "return user",
        "tests/accounts/test_sign_in.py",
    ),
    Mutant(
        "the last superuser stays",
        "accounts/actions.py",
        """ == [person.pk]:
        raise LastSuperuser""",
        """ == []:
        raise LastSuperuser""",
        "tests/accounts/test_role_commands.py",
    ),
    Mutant(
        "superusers who step down at once wait for each other",
        "accounts/actions.py",
        "superusers.select_for_update(no_key=True)",
        "superusers",
        "tests/accounts/test_role_commands.py",
    ),
    Mutant(
        "a dry run is rolled back",
        "tenants/operations.py",
        """            if not apply:
                transaction.set_rollback(True)
""",
        "",
        "tests/accounts/test_role_commands.py",
    ),
    Mutant(
        "bootstrap leaves alone what is there",
        "modules/reference.py",
        "if spec.key in keys - known]",
        "if spec.key in keys]",
        "tests/modules/test_commands.py",
    ),
    Mutant(
        "sessions end with a deactivation",
        "accounts/actions.py",
        """        person.save(update_fields=["is_active"])
        event.data["sessions"] = _delete(person.sessions.all())
""",
        """        person.save(update_fields=["is_active"])
""",
        "tests/accounts/test_sessions.py",
    ),
    Mutant(
        "exact redirect addresses of the API",
        "accounts/api.py",
        "if redirect_uri not in settings.API_REDIRECT_URIS:",
        "if False:",
        "tests/accounts/test_api.py",
    ),
    Mutant(
        "rules for browsers on every answer",
        "marketedge/settings.py",
        '    "marketedge.hygiene.BrowserRulesMiddleware",\n',
        "",
        "tests/marketedge/test_browser_rules.py",
    ),
    Mutant(
        "content policy",
        "marketedge/settings.py",
        '    "csp.middleware.CSPMiddleware",\n',
        "",
        "tests/marketedge/test_browser_rules.py",
    ),
    Mutant(
        "no inline script",
        "marketedge/settings.py",
        '"script-src": [SELF],',
        '"script-src": [SELF, "\'unsafe-inline\'"],',
        "tests/marketedge/test_browser_rules.py",
    ),
    Mutant(
        "no frames around our pages",
        "marketedge/settings.py",
        '"frame-ancestors": [NONE],',
        '"frame-ancestors": [SELF],',
        "tests/marketedge/test_browser_rules.py",
    ),
    Mutant(
        "provider's origin in form-action",
        "marketedge/settings.py",
        '"form-action": [SELF, _provider],',
        '"form-action": [SELF],',
        "tests/marketedge/test_browser_rules.py",
    ),
    Mutant(
        "https for a year",
        "marketedge/settings.py",
        "SECURE_HSTS_SECONDS = 0 if DEMONSTRATION else 31_536_000",
        "SECURE_HSTS_SECONDS = 0",
        "tests/marketedge/test_browser_rules.py",
    ),
    Mutant(
        "secret addresses of the sign-in",
        "accounts/secrecy.py",
        "if request.path_info.startswith(SECRET_ADDRESSES):",
        "if False:",
        "tests/marketedge/test_browser_rules.py",
    ),
    Mutant(
        "one-time links leave the address",
        "accounts/views.py",
        '    return redirect("claimed")\n',
        '    return render(request, "accounts/claim.html", {"link": link})\n',
        "tests/accounts/test_commands.py",
    ),
    Mutant(
        "secrets of a fault's stack",
        "marketedge/fault_pages.py",
        "{name: self.cleanse_setting(name, value) for name, value in shown}.items()",
        "shown",
        "tests/marketedge/test_fault_pages.py",
    ),
    Mutant(
        "addresses with codes in reports of faults",
        "marketedge/fault_pages.py",
        '"request_insecure_uri": redact(data.get("request_insecure_uri", "")),',
        "",
        "tests/marketedge/test_fault_pages.py",
    ),
    Mutant(
        "refusal to deploy weak settings",
        "marketedge/checks.py",
        '@register("security", deploy=True)\n',
        "",
        "tests/marketedge/test_checks.py",
    ),
    Mutant(
        "security.txt that never lies in the past",
        "marketedge/security_contact.py",
        "(now + GOOD_FOR)",
        "now",
        "tests/marketedge/test_security_contact.py",
    ),
    Mutant(
        "no name of the server",
        "marketedge/worker.py",
        "wsgi.Response = Answer",
        "Answer",
        "tests/marketedge/test_browser_rules.py",
    ),
    Mutant(
        "local provider on this machine alone",
        "accounts/local_provider/provider.py",
        "if is_local(environ)",
        "if True",
        "tests/accounts/local_provider/test_provider.py",
    ),
    Mutant(
        "local provider behind a loopback address",
        "accounts/management/commands/local_identity_provider.py",
        "if not is_loopback(settings.OIDC_ISSUER):",
        "if False:",
        "tests/accounts/local_provider/test_server.py",
    ),
    Mutant(
        "local provider in the demonstration alone",
        "accounts/management/commands/local_identity_provider.py",
        "if not settings.DEMONSTRATION:",
        "if False:",
        "tests/accounts/local_provider/test_server.py",
    ),
    Mutant(
        "codes that come twice",
        "accounts/local_provider/exchange.py",
        "        _revoke_what_it_became(state, code)\n",
        "",
        "tests/accounts/local_provider/test_tokens.py",
    ),
    Mutant(
        "secrets in what is kept of a refusal",
        "accounts/flow.py",
        'redact(detail.replace("\\x00", ""))',
        'detail.replace("\\x00", "")',
        "tests/accounts/lies/test_callback.py",
    ),
    Mutant(
        "critical headers of tokens",
        "accounts/signed_tokens.py",
        'if "crit" in header:',
        "if False:",
        "tests/accounts/lies/test_lies.py",
    ),
    Mutant(
        "kinds of tokens",
        "accounts/signed_tokens.py",
        '.removeprefix("application/") not in types:',
        '.removeprefix("application/") in ():',
        "tests/accounts/lies/test_lies.py",
    ),
    Mutant(
        "algorithm of tokens",
        "accounts/signed_tokens.py",
        'if header.get("alg") != "RS256":',
        "if False:",
        "tests/accounts/lies/test_lies.py",
    ),
    Mutant(
        "signature of tokens",
        "accounts/signed_tokens.py",
        "if not RSAAlgorithm(RSAAlgorithm.SHA256).verify(",
        "if RSAAlgorithm(RSAAlgorithm.SHA256).verify is None and not RSAAlgorithm(RSAAlgorithm.SHA256).verify(",
        "tests/accounts/lies/test_lies.py",
    ),
    Mutant(
        "issuer of tokens",
        "accounts/signed_tokens.py",
        'if claims.get("iss") != settings.OIDC_ISSUER:',
        "if False:",
        "tests/accounts/lies/test_lies.py",
    ),
    Mutant(
        "age of tokens",
        "accounts/signed_tokens.py",
        "if not now - YOUNGEST - LEEWAY <=",
        "if False and not now - YOUNGEST - LEEWAY <=",
        "tests/accounts/lies/test_lies.py",
    ),
    Mutant(
        "names said twice in JSON",
        "accounts/strict_json.py",
        "if len(found) != len(pairs):",
        "if False:",
        "tests/accounts/lies/test_lies.py",
    ),
    Mutant(
        "length of keys",
        "accounts/provider_keys.py",
        "if public.key_size in BITS else None",
        "if True else None",
        "tests/accounts/lies/test_lies.py",
    ),
    Mutant(
        "hash of the access token",
        "accounts/id_tokens.py",
        "    _require_access_token(payload, tokens.access_token)\n",
        "",
        "tests/accounts/lies/test_lies.py",
    ),
    Mutant(
        "honest lengths of answers",
        "accounts/bounded_http.py",
        'if promised is None and not response.chunked and "Content-Length" in response.headers:',
        "if False:",
        "tests/accounts/lies/test_lies.py",
    ),
    Mutant(
        "start-up without the database",
        "tenants/postgresql/startup.py",
        "    if _is_loading:",
        "    if False:",
        "tests/tenants/test_startup.py",
    ),
    Mutant(
        "exit code of what could not be reached",
        "tenants/operations.py",
        "Exit.UNKNOWN if State.UNKNOWN in states else Exit.OK",
        "Exit.OK",
        "tests/tenants/test_operations.py",
    ),
    Mutant(
        "dry run",
        "tenants/operations.py",
        "                transaction.set_rollback(True)\n",
        "                pass\n",
        "tests/tenants/test_operations.py",
    ),
    Mutant(
        "secrets in reports",
        "tenants/operations.py",
        "        return redact(value)\n",
        "        return value\n",
        "tests/tenants/test_operations.py",
    ),
    Mutant(
        "one caller at a time applies migrations",
        "tenants/migrating.py",
        'while not _one("SELECT pg_try_advisory_lock(%s)", LOCK):',
        "while False:",
        "tests/migrations/test_migrate_safely.py",
    ),
    Mutant(
        "a migration that fails at its end is over",
        "tenants/postgresql/base.py",
        "                super().__exit__(type(late), late, late.__traceback__)\n",
        "",
        "tests/migrations/test_migrate_safely.py",
    ),
    Mutant(
        "destructive migrations are refused",
        "tests/migrations/destruction.py",
        "elif kind in ALWAYS:",
        "elif False:",
        "tests/migrations/test_destruction.py",
    ),
    Mutant(
        "readiness asks for migrations",
        "marketedge/readiness.py",
        "    if unapplied:",
        "    if False:",
        "tests/marketedge/test_health.py",
    ),
    Mutant(
        "privileges beyond the list are found",
        "tenants/privileges.py",
        "return listed - held, held - listed",
        "return listed - held, set()",
        "tests/migrations/test_check_schema.py",
    ),
    Mutant(
        "secrets in log lines",
        "marketedge/log_lines.py",
        "self.msg, self.args = shortened(anonymise(_said(self))), ()",
        "self.msg, self.args = shortened(_said(self)), ()",
        "tests/marketedge/test_log_lines.py",
    ),
    Mutant(
        "secrets in logged tracebacks",
        "marketedge/log_lines.py",
        'self.exc_text = shortened(anonymise("".join(traceback.format_exception(*self.exc_info)).rstrip()))',
        'self.exc_text = shortened("".join(traceback.format_exception(*self.exc_info)).rstrip())',
        "tests/marketedge/test_log_lines.py",
    ),
    Mutant(
        "one line for each record",
        "marketedge/log_lines.py",
        "    return text.translate(_VISIBLE)",
        "    return text",
        "tests/marketedge/test_log_lines.py",
    ),
    Mutant(
        "token of the metrics",
        "marketedge/metrics_page.py",
        "return hmac.compare_digest(token.strip().encode(), expected.encode())",
        "return True",
        "tests/marketedge/test_metrics.py",
    ),
    Mutant(
        "no metrics without a token of ours",
        "marketedge/metrics_page.py",
        'if not expected or scheme.lower() != "bearer":',
        'if scheme.lower() != "bearer":',
        "tests/marketedge/test_metrics.py",
    ),
    Mutant(
        "an incident id is one request's",
        "marketedge/observation.py",
        "visit = Visit(request, incidents.callers_id(request))",
        "visit = Visit(request, incident=incidents.callers_id(request) or uuid.uuid4().hex)",
        "tests/marketedge/test_observation.py",
    ),
    Mutant(
        "an error shows its incident id alone",
        "marketedge/incidents.py",
        'return _answer(request, 500, "Something went wrong on our side.", code="fault"',
        'return _answer(request, 500, str(sys.exc_info()[1]), code="fault"',
        "tests/marketedge/test_observation.py",
    ),
    Mutant(
        "an answer when the page for faults fails",
        "marketedge/observation.py",
        """            logger.exception("The page for a fault failed itself")
            return incidents.last_resort(request.path_info)
""",
        "            raise\n",
        "tests/marketedge/test_observation.py",
    ),
    Mutant(
        "secrets in reports of faults",
        "marketedge/fault_reports.py",
        'return anonymise_value("event", event)',
        "return event",
        "tests/marketedge/test_fault_reports.py",
    ),
    Mutant(
        "check of forced row security",
        "tenants/tenancy/policies.py",
        '(is_forced, "row security is not forced upon the owner")',
        '(True, "row security is not forced upon the owner")',
        "tests/tenants/tenancy/test_policies.py",
    ),
    Mutant(
        "check of what policies show",
        "tenants/tenancy/policies.py",
        "if not is_same(policy.using, using):",
        "if False:",
        "tests/tenants/tenancy/test_policies.py",
    ),
    Mutant(
        "check of privileges",
        "tenants/tenancy/grants.py",
        "in _told(surplus):",
        "in _told(set()):",
        "tests/tenants/tenancy/test_grants.py",
    ),
    Mutant(
        "check of the neighbour's rows",
        "tenants/tenancy/rows.py",
        "    if key.is_within_organisation:\n        found",
        "    if False:\n        found",
        "tests/tenants/tenancy/test_rows.py",
    ),
    Mutant(
        "list of who may call what",
        "marketedge/routes.py",
        "if len(audiences) != 1:",
        "if False:",
        "tests/marketedge/test_check_access.py",
    ),
    Mutant(
        "list of what is open to anybody",
        "marketedge/routes.py",
        "if is_open and Audience.ANYBODY not in audiences:",
        "if False:",
        "tests/marketedge/test_check_access.py",
    ),
    Mutant(
        "check of the admin site's pages",
        "marketedge/routes.py",
        "and not _is_wrapped(route.view):",
        "and False:",
        "tests/marketedge/test_check_access.py",
    ),
)


def main() -> int:
    chosen = [mutant for mutant in MUTANTS if not sys.argv[1:] or any(word in mutant.guard for word in sys.argv[1:])]
    survivors = [mutant.guard for mutant in chosen if survives(mutant)]
    sys.stdout.write(f"{len(chosen) - len(survivors)} of {len(chosen)} guards are held by tests.\n")
    return 1 if survivors else 0


def survives(mutant: Mutant) -> bool:
    with tempfile.TemporaryDirectory(prefix="marketedge-mutant-") as folder:
        copy = Path(folder) / "project"
        shutil.copytree(ROOT, copy, ignore=LEFT_OUT)
        take_out(mutant, copy)
        ended = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *mutant.tests.split()],
            cwd=copy,
            env={**os.environ, "PYTHONPATH": str(copy)},
            capture_output=True,
            text=True,
            check=False,
        )
        # Its database may lie outside the copy, and would outlive it.
        remove(copy / ".local" / "test-postgres")
    # 1: tests failed, as they must; anything else (0 green, 2 and up: not even run) does not show the guard.
    is_caught = ended.returncode == 1
    sys.stdout.write(f"{'caught  ' if is_caught else 'SURVIVED'} {mutant.guard} ({mutant.tests})\n")
    if not is_caught:
        sys.stdout.write(ended.stdout[-1500:])
    return not is_caught


def take_out(mutant: Mutant, copy: Path) -> None:
    path = copy / mutant.path
    text = path.read_text()
    if text.count(mutant.text) != 1:
        raise SystemExit(
            f"{mutant.guard}: its text stands {text.count(mutant.text)} times in {mutant.path}, expected 1."
        )
    path.write_text(text.replace(mutant.text, mutant.without))


if __name__ == "__main__":
    sys.exit(main())
