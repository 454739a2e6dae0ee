# Each command does all the set-up it needs, on a machine with Python 3.11 or later, make and git.

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done || echo python3)
BIN := .venv/bin
SETUP := $(or $(PYTHON),python3) tools/setup.py

.DEFAULT_GOAL := help
.PHONY: help install demo test soak check format bench messages lock clean

help:  ## What there is
	@sed -n 's/^\([a-z]*\):.*## /\1	/p' $(MAKEFILE_LIST) | expand -t 12

install:  ## Set up .venv, the page and the browser's runtime
	@$(SETUP)

demo: install  ## Play a game against yourself, in two windows
	@$(BIN)/coplay demo

test:  ## All tests, Python's and the page's
	@$(SETUP) --develop --browsers
	@$(BIN)/python -m pytest -m "not browser and not long" -n auto --maxprocesses 4 --dist loadfile
	@$(BIN)/python -m pytest -m "browser and not long"
	@$(BIN)/python tools/web.py test

soak:  ## 10,000 simulated games, spoilt datagrams, signals and uploads, long outages, 20 real games; SOAK="--minutes 5"
	@$(SETUP) --develop --browsers
	@$(BIN)/python -m tests.netcode.soak $(SOAK)
	@$(BIN)/python tools/web.py soak
	@COPLAY_FUZZ=100000 $(BIN)/python -m pytest -s tests/server/test_fuzz.py
	@COPLAY_SOAK_GAMES=1000 COPLAY_AWAY_S=10 $(BIN)/python -m pytest -s tests/server/test_crashes.py tests/server/test_away_database.py
	@$(BIN)/python -m pytest -s -m long --ignore=tests/browser/test_parity.py
	@COPLAY_PARITY_GAMES=20 $(BIN)/python -m pytest -s tests/browser/test_parity.py

check:  ## Formatting, lint, types, imports, generated messages
	@$(SETUP) --develop
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python tools/messages.py --check
	@$(BIN)/python tools/web.py check

format:  ## Format the Python sources
	@$(SETUP) --develop
	@$(BIN)/ruff format
	@$(BIN)/ruff check --fix

bench:  ## Measure every figure that the README quotes
	@$(SETUP) --develop --browsers
	@$(BIN)/python -m bench

messages:  ## Renew the messages' JSON Schema and TypeScript types
	@$(SETUP) --develop
	@$(BIN)/python tools/messages.py

lock:  ## Renew requirements/*.lock
	@$(SETUP)
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/python tools/lock.py

clean:  ## Remove what was set up and built, except the user's cache
	rm -rf .venv web/node_modules src/coplay/_web
