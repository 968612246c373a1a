# Needs GNU make and Python 3.11 or newer; everything else goes into .venv.

# The newest that works is taken; `make test PYTHONS=python3.12` takes another.
PYTHONS := python3.14 python3.13 python3.12 python3.11 python3 python
PYTHON := .venv/bin/python
INSTALL := $(PYTHON) -m pip --disable-pip-version-check --no-input --quiet --quiet install --require-hashes

# Most tests wait for a disk, a server or a clock; more than a few at once ask more of a PostgreSQL server than it gives.
TEST_PROCESSES := 2

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help run test check prove format clean requirements

help:
	@echo "make run           start the application at http://127.0.0.1:5000 (FLASK_RUN_PORT, FLASK_RUN_HOST)"
	@echo "make test          run the tests"
	@echo "make check         format, lint, types, size limits, import contracts, tests: what every commit passes"
	@echo "make prove         the long proofs with full figures"
	@echo "make format        put the code in order"
	@echo "make clean         remove .venv, .venv-peers, caches and builds; the databases in instance/ stay"
	@echo "make requirements  pin the newest versions in every requirements/*.txt (needs uv)"

run: .venv/run.stamp
	@$(PYTHON) -m flask run

test: .venv/dev.stamp
	@$(PYTHON) -m pytest --numprocesses $(TEST_PROCESSES) --dist worksteal

check: .venv/dev.stamp
	$(PYTHON) -m ruff format --check
	$(PYTHON) -m ruff check
	$(PYTHON) -m mypy
	$(MAKE) --no-print-directory test

prove: .venv/dev.stamp
	@$(PYTHON) -m tests.prove

format: .venv/dev.stamp
	$(PYTHON) -m ruff check --fix-only
	$(PYTHON) -m ruff format

clean:
	rm -rf .venv .venv-peers .hypothesis .mypy_cache .pytest_cache .ruff_cache build dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/bin/python:
	@found=; \
	for candidate in $(PYTHONS); do \
	    $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue; \
	    found=$$candidate; \
	    $$candidate -c 'import ensurepip, venv' >/dev/null 2>&1 || continue; \
	    echo "Making .venv with $$($$candidate --version) ..."; \
	    exec $$candidate -m venv --clear .venv; \
	done; \
	if [ -n "$$found" ]; then \
	    echo "$$($$found --version) is here, but its module venv or ensurepip is missing."; \
	    echo "Install it (Debian, Ubuntu: apt install python3-venv), then run make again."; \
	else \
	    echo "None of these is a Python 3.11 or newer that runs: $(PYTHONS)."; \
	    echo "Install one (Debian, Ubuntu: apt install python3 python3-venv), then run make again."; \
	fi >&2; \
	exit 1

.venv/%.stamp: requirements/%.txt .venv/bin/python
	@echo "Installing $< into .venv ..."
	@$(INSTALL) -r $<
	@touch $@

COMPILE = uv pip compile --quiet --upgrade --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make requirements"

requirements:
	@command -v uv >/dev/null || { echo "make requirements needs uv: pip install uv" >&2; exit 1; }
	$(COMPILE) requirements/run.in --output-file requirements/run.txt
	$(COMPILE) requirements/dev.in --output-file requirements/dev.txt --constraints requirements/run.txt
	$(COMPILE) examples/cluster/requirements.in --output-file examples/cluster/requirements.txt \
	    --constraints requirements/dev.txt
	for peer in procrastinate pgqueuer dbos celery; do \
	    $(COMPILE) benchmarks/requirements/$$peer.in --output-file benchmarks/requirements/$$peer.txt || exit 1; \
	done
