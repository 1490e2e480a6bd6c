# What can be done here: `make` lists it. Everything runs in .venv, which the first target that needs it sets up.

VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.ready
PYTEST := $(PY) -m pytest -q
# Python 3.11 or newer that can make a virtual environment; the first one found. PYTHON=... chooses another.
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11 /usr/bin/python3; do \
	"$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 \
	&& { echo "$$python"; break; }; done)

.DEFAULT_GOAL := help
.PHONY: help demo play test check slow sabotage live bench passports clean

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sort | awk -F ':.*## ' '{ printf "  make %-9s %s\n", $$1, $$2 }'

$(STAMP): pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer with venv is needed (Debian: apt install python3-venv)." >&2; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON), once ..."
	@"$(PYTHON)" -m venv --clear $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check --no-input -c requirements.lock -e '.[dev]'
	@touch $@

demo: $(STAMP) ## mirror a city's strategy between two real calendars, and watch
	@$(PY) -m tests.demo

play: $(STAMP) ## start the demo's server again, to be played with (Ctrl-C ends it)
	@$(PY) -m tests.demo play

test: $(STAMP) ## the tests that need no server and no credentials
	@$(PYTEST) -n auto -m "not slow and not live" $(ARGS)

check: $(STAMP) ## formatting, lint, types, architecture, documents
	@$(PY) -m ruff format --check .
	@$(PY) -m ruff check .
	@$(PY) -m mypy
	@$(PYTEST) tests/test_architecture.py tests/test_docs.py

slow: $(STAMP) ## the long campaigns, side by side
	@$(PYTEST) -n auto --dist worksteal -m "slow and not live" $(ARGS)

sabotage: $(STAMP) ## break every rule in the code, one at a time: does a test notice? ARGS="R7 R13" chooses
	@$(PY) -m tests.sabotage $(ARGS)

live: $(STAMP) ## the contract against a server of yours: LIVE_DECK_URL, LIVE_DECK_USER, LIVE_DECK_PASSWORD
	@$(PYTEST) -m live $(ARGS)

bench: $(STAMP) ## requests and seconds, measured on a real Radicale
	@$(PY) -m tests.bench_radicale

passports: $(STAMP) ## measure again what docs/passports/ says; ARGS="redmine" chooses
	@$(PY) -m tests.passports $(ARGS)

clean: ## take away what was made here; settings and ledgers stay
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis demo
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
