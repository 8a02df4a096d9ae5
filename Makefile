# Every target sets up what it needs; on a fresh machine Python >= 3.11, make and git are enough.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

BIN := .venv/bin
DEMO_LAB ?= examples/frontier-2026.yaml
DEMO_OUT ?= runs/demo
PYTEST_ARGS ?=

.PHONY: help setup system demo accuracy cases test test-all lint types rooms format constraints clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | while IFS=$$'\t' read -r name what; do printf '  make %-12s %s\n' "$$name" "$$what"; done

setup: ## create .venv and install exaplan with pinned dependencies (instant when done already)
	@scripts/setup.sh

system: setup ## install Chromium and a font for the browser tests, where this machine allows it
	@scripts/system-packages.sh

demo: setup ## plan the frontier example, print the answer, write the report
	@status=0; $(BIN)/exaplan plan $(DEMO_LAB) --out $(DEMO_OUT) || status=$$?; \
	if [ -f $(DEMO_OUT)/report.html ]; then echo "report: $(DEMO_OUT)/report.html"; fi; exit $$status

accuracy: setup ## refit without each source, model and chip; write docs/accuracy.md and its pages (half an hour)
	$(BIN)/exaplan perf accuracy --out docs

cases: setup ## run every case and write docs/casebook
	$(BIN)/exaplan cases run --all --out docs/casebook

test: system lint types rooms ## lint, types, import contracts and all tests but the slow ones
	$(BIN)/python -m pytest -q -m "not slow" $(PYTEST_ARGS)

test-all: system lint types rooms ## the same with slow tests and many more random examples
	$(BIN)/python -m pytest -q --hypothesis-profile=thorough $(PYTEST_ARGS)

lint: setup ## ruff: rules and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## mypy in strict mode over the whole package
	$(BIN)/mypy

rooms: setup ## import contracts: which room may import which
	$(BIN)/lint-imports --no-logo

format: setup ## let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

constraints: setup ## compile constraints.txt anew from pyproject.toml
	@scripts/constraints.sh

clean: ## remove .venv, caches and run folders
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache runs dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
