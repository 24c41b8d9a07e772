# Everything sets itself up: a new machine needs Python 3.11, make and git.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SYSTEM_STAMP := $(VENV)/.installed-for-system-tests
LOCKING := build/uv/bin/uv pip compile pyproject.toml --universal --python-version 3.11 \
  --generate-hashes --no-emit-index-url --no-header --quiet
ARGS ?=
# The tests start our programs many times: compiled once is enough.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo play test test-system pictures lint format bench bench-large lock clean

help: ## What there is to make
	@grep -E '^[a-z-]+:.*## ' Makefile | sed 's/:.*## /\t/' | expand -t 12

$(STAMP): pyproject.toml requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Foureyes needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --no-compile --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --no-compile --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

demo: $(STAMP) ## The whole story on this machine; ends by itself
	@$(BIN)/foureyes demo

play: $(STAMP) ## The same parts in a browser, for you to try; until Ctrl-C
	@$(BIN)/foureyes play $(ARGS)

test: $(STAMP) ## All tests, with types, lint and import contracts; ARGS="-n 0 …" for one process
	@$(BIN)/python -m pytest -n 4 --dist loadfile --no-loadscope-reorder --durations=10 $(ARGS)

$(SYSTEM_STAMP): $(STAMP) requirements-system.lock
	$(BIN)/python -m pip install --no-compile --quiet --disable-pip-version-check --require-hashes -r requirements-system.lock
	touch $@

test-system: $(SYSTEM_STAMP) ## Tests that need more than Python: Java 17 and Chromium
	@$(BIN)/python -m pytest --durations=10 tests/system $(ARGS)

pictures: $(SYSTEM_STAMP) ## Take the README's pictures again, from the page that people see
	@README_PICTURES=$(CURDIR)/bot/demo/pictures $(BIN)/python -m pytest tests/system/page/test_story.py

lint: $(STAMP) ## Types, lint and import contracts alone
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(STAMP) ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(STAMP) ## The figures, as ratios in one run; fails when a goal is missed
	@$(BIN)/python -m tests.benchmarks

bench-large: $(SYSTEM_STAMP) ## AUC on 10^8 rows, and on Spark: 15 GB of memory and some minutes
	@$(BIN)/python -m tests.benchmarks.auc_at_scale

lock: ## Choose the versions again, for every system and Python from 3.11
	test -x build/uv/bin/uv || $(PYTHON) -m venv build/uv
	build/uv/bin/python -m pip install --quiet --disable-pip-version-check uv
	$(LOCKING) $(ARGS) --extra test --output-file requirements.lock
	$(LOCKING) $(ARGS) --extra system --constraints requirements.lock --output-file requirements-system.lock
	$(LOCKING) $(ARGS) --extra monitors --constraints requirements.lock --output-file requirements-run.lock

clean: ## Remove what was set up
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
