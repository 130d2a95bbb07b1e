# Everything a developer does, from a bare Python: `make demo`, `make test`, `make check`.

PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
UV ?= $(BIN)/uv
# uv keeps the versions that are locked; to raise one: make lock UPGRADE="--upgrade-package ccxt"
UPGRADE ?=
PIP_INSTALL := $(BIN)/python -m pip install --disable-pip-version-check --quiet
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal
KERNEL_TESTS = $(wildcard tests/kernels tests/windows tests/model)

.PHONY: help demo test soak check bench notebooks docs pictures lock clean

help:
	@echo "make demo    start the live demonstration: no keys, no internet"
	@echo "make test    all tests, with and without the compiler, and the coverage"
	@echo "make soak    an hour under load: no drop, flat memory, every run verified; SOAK_MINUTES=5 for less"
	@echo "make check   format, lint, types, imports, rules of the house"
	@echo "make bench   measure what the tests only check"
	@echo "make notebooks  run every notebook top to bottom, in a home of its own"
	@echo "make docs    build the site of the documents into build/docs: warnings are errors, nothing is fetched"
	@echo "make pictures  take the pictures of README and docs anew, with the Chromium of this machine"
	@echo "make lock    write requirements.lock anew from pyproject.toml"
	@echo "make clean   remove the environment and what the tools left"

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 15))' || { \
	  echo "workstation needs Python 3.11 to 3.14, and $(PYTHON) is" \
	    "$$($(PYTHON) --version 2>/dev/null || echo missing). Name another one: make PYTHON=python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP_INSTALL) --no-deps --require-hashes -r requirements.lock
	$(PIP_INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

demo: $(INSTALLED)
	$(BIN)/workstation demo

# Coverage cannot look into compiled code: the second run, without the compiler, counts the kernels' lines.
test: $(INSTALLED)
	$(PYTEST) --cov --cov-report= -m "not soak"
	NUMBA_DISABLE_JIT=1 $(PYTEST) --cov --cov-append --cov-report= -m "not slow and not compiled_only" $(KERNEL_TESTS)
	$(BIN)/coverage report --fail-under=90

soak: $(INSTALLED)
	SOAK_MINUTES=$(or $(SOAK_MINUTES),60) $(BIN)/python -m pytest -s -m soak $(or $(SOAK),tests/endurance tests/faults)

check: $(INSTALLED)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy --strict workstation
	$(BIN)/lint-imports
	$(BIN)/python -m pytest -q tests/test_house.py

bench: $(INSTALLED)
	$(BIN)/python -m tests.benchmarks

# Lax: what a cell shows is not compared, since none is kept with a notebook; that it runs, and what it asserts, is.
notebooks: $(INSTALLED)
	home=$$(mktemp -d) && trap 'rm -rf "$$home"' EXIT && WORKSTATION_HOME="$$home" \
	  $(BIN)/python -m pytest -n 2 --dist loadfile --nbval-lax --nbval-cell-timeout=120 notebooks

docs: $(INSTALLED)
	$(BIN)/python -m sphinx -W --keep-going -q -b html -d build/doctrees docs build/docs
	@echo "build/docs/index.html"

pictures: $(INSTALLED)
	$(BIN)/python -m tests.browser.pictures

lock:
	$(UV) pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
	  --no-emit-index-url --no-header --quiet $(UPGRADE) -o requirements.lock

clean:
	rm -rf .venv dist build htmlcov .coverage .coverage.* .hypothesis .import_linter_cache \
	  .mypy_cache .pytest_cache .ruff_cache
