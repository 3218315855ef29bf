# One command each. Python 3.11 or newer is all that must be there; the rest comes by itself into .venv.
#
#   make run PORT=9000                     HOST, PORT and COUNTERFOIL_BASE_URL reach the shop through the environment
#   make test ARGS="--only sqlite -k refund"

PYTHON ?= python3
.DEFAULT_GOAL := help
.PHONY: help run test lint bench lock clean

# Each target ends in `exec`, so that Ctrl-C reaches the program itself and nobody stands between.

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-7s %s\n", $$1, $$2 }' Makefile

run: ## the demo shop on http://127.0.0.1:8000 (HOST=, PORT=, COUNTERFOIL_BASE_URL=)
	@$(PYTHON) tools/bootstrap.py base
	@exec .venv/bin/counterfoil run --demo

test: ## every check and every test, on SQLite and PostgreSQL (ARGS="--only sqlite -k refund")
	@$(PYTHON) tools/bootstrap.py dev --browser
	@exec .venv/bin/python -m tools.test $(ARGS)

lint: ## style, types, imports, migrations, lock files
	@$(PYTHON) tools/bootstrap.py dev
	@exec .venv/bin/python -m tools.test --only lint

bench: ## how fast it is on this machine
	@$(PYTHON) tools/bootstrap.py dev
	@exec .venv/bin/python -m bench $(ARGS)

lock: ## write requirements/*.txt anew from *.in (ARGS=--upgrade for newer versions)
	@$(PYTHON) tools/bootstrap.py base
	@exec .venv/bin/python -m tools.lock $(ARGS)

clean: ## remove caches and what tests left; the demo's data in var/ and .venv stay
	@if [ -x .venv/bin/python ]; then \
		for data in var/test/pg var/test/pg-durable; do .venv/bin/python tools/pg.py stop $$data 2>/dev/null || true; done; \
	fi
	@find . -name __pycache__ -type d -not -path './.venv/*' -prune -exec rm -rf {} +
	@rm -rf var/test build dist *.egg-info \
		.hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache .schemathesis test-results
