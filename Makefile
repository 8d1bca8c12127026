# Every command of this project. They need Python 3.11 or later, git and make; the rest is installed into .venv.

VENV := .venv
PYTHON := $(VENV)/bin/python
INSTALLED := $(VENV)/.installed
MAKEFLAGS += --no-print-directory

# Tests on all processors share no database server: one that TEST_DATABASE_OWNER_URL names is for one process.
AT_ONCE := --numprocesses $(if $(TEST_DATABASE_OWNER_URL),0,auto) --maxprocesses 4

# Production's rules with made-up values; nothing listens at the database's address, and nothing may ask it.
CHECKED := env DEBUG=off DEMONSTRATION=off SECURE_COOKIES=on SSL_REDIRECT=on STATIC_HASHED=on FLAGS_FORCED= FLAGS_FILE= BIND= PORT= \
	LOG_FORMAT= REQUEST_LOG= METRICS_TOKEN= SENTRY_DSN= \
	SECRET_KEY="$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(64))')" \
	PUBLIC_URL=https://marketedge.example ALLOWED_HOSTS=marketedge.example CONTACT=support@zebra-associates.example \
	CORS_ALLOWED_ORIGINS=https://app.example API_REDIRECT_URIS=https://app.example/callback \
	DATABASE_URL=postgres://marketedge_web:none@127.0.0.1:1/marketedge DATABASE_OWNER_URL= \
	OIDC_ISSUER=https://issuer.example/ OIDC_RP_CLIENT_ID=none \
	OIDC_RP_CLIENT_SECRET="$$($(PYTHON) -c 'import secrets; print(secrets.token_urlsafe(64))')"

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' Makefile

run: $(INSTALLED) ## start MarketEdge with its own database and identity provider
	@$(PYTHON) -m marketedge.local

test: check chromium ## check, then run every test, browser journeys included
	@failed=0; for some in test-fast test-served test-alone; do $(MAKE) $$some || failed=1; done; exit $$failed

test-fast: $(INSTALLED) ## run the tests that need no browser and no server processes, on all processors
	@$(PYTHON) -m pytest -m "not journey and not served" $(AT_ONCE)

test-served: $(INSTALLED) ## run the browser journeys, and the tests that start server processes and may have company
	@$(PYTHON) -m pytest -m "(journey or served) and not alone" $(AT_ONCE) --dist loadfile

test-alone: $(INSTALLED) ## run the tests that measure short waits: stops, crowds, several processes
	@$(PYTHON) -m pytest -m alone

check: $(INSTALLED) ## lint, types, imports, migrations, deployment settings, templates
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	@$(CHECKED) $(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-logo
	@# The warning that the database could not be asked is what we want to hear here.
	@$(CHECKED) $(PYTHON) -W ignore::RuntimeWarning manage.py makemigrations --check --dry-run
	@$(CHECKED) $(PYTHON) manage.py check --deploy --fail-level WARNING
	$(VENV)/bin/djlint --lint --quiet templates $(wildcard */templates)

mutants: $(INSTALLED) ## take out each guard in turn; a test must fail every time
	@$(PYTHON) -m tests.mutants

bench: $(INSTALLED) ## measure what the budgets are about
	@$(PYTHON) -m tests.benchmarks

bench-packages: $(INSTALLED) ## install the engines of other products that bench compares flags with, in .local alone
	@$(PYTHON) -m pip install --quiet --disable-pip-version-check --no-input --require-hashes --upgrade \
		--target .local/specialists -r tests/benchmarks/requirements.txt

audit: $(INSTALLED) ## look the pinned packages up among known vulnerabilities (asks PyPI's service)
	@$(VENV)/bin/pip-audit --strict --require-hashes --disable-pip -r requirements.txt

chromium: ## find or install the browser of the journeys
	@.ci/chromium

lock: $(INSTALLED) ## pin the requirements again, with hashes
	@.ci/lock

clean: ## remove everything that was generated, the data of `make run` included
	@.ci/clean

$(INSTALLED): requirements-dev.txt
	@.ci/install $(VENV) requirements-dev.txt

.DEFAULT_GOAL := help
.PHONY: help run test test-fast test-served test-alone check mutants bench bench-packages audit chromium lock clean
