# Everything a developer runs. Only Python 3.11 or newer and make are needed; the rest goes to $(VENV).

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# With bytecode kept, whatever the environment says: the tests start hundreds of processes, which would all compile.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/pytest
PIP := $(BIN)/python -m pip --disable-pip-version-check -qq
COMPILE := $(VENV)-lock/bin/uv pip compile --quiet --universal --generate-hashes --no-emit-index-url --no-header \
	--python-version 3.11

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup demo test lint release simulate crash thorough soak broken bench bench-quick docs site lock

help:  ## List what there is
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(VENV)/.dev  ## Everything for development, and the quick checks before each commit
	$(BIN)/pre-commit install

demo: $(VENV)/.runtime  ## A demo CRM, a sandbox Gong, and a sync between the two
	$(BIN)/gong-connector demo

test: $(VENV)/.dev  ## All tests; those of a database server or of Chromium skip without it (tests/databases.py names the URLs)
	@# Three at a time on two cores: much of a test's time is waiting, for a lease to end or a process to come up.
	$(PYTEST) -n $$(( ($$(getconf _NPROCESSORS_ONLN) * 3 + 1) / 2 ))

lint: site  ## Style, types, import rules, the docs' links, and known vulnerabilities of dependencies where the network allows
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m tests.audit

simulate: $(VENV)/.dev  ## 200 random histories with crashes and faults, 200 of each database's sessions, and two days of change
	$(BIN)/python -m tests.simulation --seeds 200 --jobs 2
	CAPTURE_SEEDS=200 $(PYTEST) -s tests/capture
	$(BIN)/python -m tests.simulation.day --hours 48

crash: $(VENV)/.dev  ## The real process killed and terminated at every failpoint, on both kinds of ledger
	$(PYTEST) -n auto tests/crash -m thorough

thorough: $(VENV)/.dev  ## More of what `make test` tries: other ledgers, other seeds
	$(PYTEST) -n auto -m thorough --ignore tests/crash --ignore tests/breaking

soak: $(VENV)/.dev  ## The real daemon for half an hour at many times the usual pace, with faults: nothing may grow
	$(BIN)/python -m tests.soak

broken: $(VENV)/.dev  ## Each promise broken on purpose: a test or the simulation must notice; takes half an hour
	$(PYTEST) tests/breaking -m "thorough or not thorough"
	$(BIN)/python -m tests.simulation --mutations

bench: $(VENV)/.runtime  ## The connector's speed beside that of others, into docs/performance.md
	$(BIN)/python -m bench --write

bench-quick: $(VENV)/.runtime  ## The same with a tenth of the rows and one run, printed only
	$(BIN)/python -m bench --quick

docs: $(VENV)/.dev  ## Write anew what is made from the code: parts of the docs, the JSON Schema, an unreleased version's ledger
	$(BIN)/python -m connector.mapping > config/mapping.schema.json.new
	mv config/mapping.schema.json.new config/mapping.schema.json
	$(BIN)/python -m tests.docs.generated
	$(BIN)/python -m tests.released

site: $(VENV)/.dev  ## The docs as a site in site/; a link that leads nowhere fails it
	@# Not --quiet: that keeps warnings from being counted, too.
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

release: $(VENV)/.dev  ## Wheel, source distribution, and SBOM with the licences of all dependencies, into dist/
	rm -rf dist $(VENV)-release
	$(BIN)/hatchling build -d dist
	$(PYTHON) -m venv $(VENV)-release
	$(VENV)-release/bin/python -m pip --disable-pip-version-check -qq install --require-hashes -r requirements.lock
	$(VENV)-release/bin/python -m pip --disable-pip-version-check -qq install --no-deps dist/*.whl
	$(VENV)-release/bin/python -m pip --disable-pip-version-check -qq uninstall --yes pip setuptools
	$(BIN)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
		--output-file dist/sbom.cdx.json $(VENV)-release

lock: $(VENV)-lock/.made  ## Bring the lock files up to date with pyproject.toml
	$(COMPILE) --output-file requirements.lock pyproject.toml
	$(COMPILE) --output-file requirements-build.lock --group build
	$(COMPILE) --output-file requirements-dev.lock --constraint requirements.lock \
		--constraint requirements-build.lock pyproject.toml --extra duckdb --group build --group dev

# -- what the targets need; an empty file each says that it is there -----------------------------

$(VENV)/.made:
	@command -v $(PYTHON) > /dev/null || \
		{ echo "There is no $(PYTHON). Name a Python 3.11 or newer: make PYTHON=/path/to/python3"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "$(PYTHON) is $$($(PYTHON) --version 2>&1); 3.11 or newer is needed. Name one: make PYTHON=python3.12"; exit 1; }
	@echo "Setting up $(VENV), once ..."
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: requirements.lock requirements-build.lock pyproject.toml $(VENV)/.made
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --require-hashes -r requirements-build.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)-lock/.made:
	@$(PYTHON) -m venv $(VENV)-lock
	@$(VENV)-lock/bin/python -m pip --disable-pip-version-check -qq install uv
	@touch $@
