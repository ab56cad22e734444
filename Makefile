# `make help` lists the targets. Each sets up what it needs; once that is done, it costs nothing.

PYTHON ?= python3
INTERFACE ?= tracking
SUBJECT ?=
JOBS ?= auto
MINUTES ?= 1

BIN := .venv/bin
MLFLOW_BIN := .venv-mlflow/bin
LINT := $(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy
INSTALL := -m pip --quiet --quiet --disable-pip-version-check install

# What MLflow opens is judged in the environment that has MLflow.
CHECKED_IN := $(if $(filter mlflow+%,$(SUBJECT)),.venv-mlflow,.venv)

.DEFAULT_GOAL := help
.PHONY: help check test lint faults bench soak survival results spec clean servers mlflow

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "make %-8s %s\n", $$1, $$2 }' Makefile

check: $(CHECKED_IN)/installed ## judge a backend: SUBJECT=URI, or a temporary one where none is given; INTERFACE=artifacts
	$(CHECKED_IN)/bin/trackspec check $(INTERFACE) $(if $(SUBJECT),'$(SUBJECT)')

# Linters and tests all run, whatever the others find. The tests come last, and so does their summary.
test: .venv/developed servers mlflow ## run every test, on real servers, and the linters
	@failed=0; others=; \
	$(LINT) || failed=1; \
	if [ -f .venv-mlflow/installed ]; then \
	  $(MLFLOW_BIN)/python -m pytest tests/test_mlflow_*.py || failed=1; \
	  others='--ignore-glob=*/test_mlflow_*.py'; \
	fi; \
	$(BIN)/python -m pytest -n $(JOBS) $$others || failed=1; \
	exit $$failed

lint: .venv/developed ## ruff and mypy
	$(LINT)

faults: .venv/developed ## run the checks on every faulty backend, and write faults.json
	$(BIN)/python -m tests.matrix

bench: .venv/developed .venv-mlflow/installed servers ## compare stores and repositories with MLflow's and with the raw limit, and write bench.json
	$(BIN)/python -m tests.bench --mlflow-python $(MLFLOW_BIN)/python

soak: $(CHECKED_IN)/installed .venv/developed ## kill, crowd, lose and fuzz for MINUTES=N; on SUBJECT=URI all but the last
ifneq ($(SUBJECT),)
	$(CHECKED_IN)/bin/trackspec soak --interface $(INTERFACE) --minutes $(MINUTES) '$(SUBJECT)'
else
	@failed=0; share=$$(awk 'BEGIN { print $(MINUTES) / 3 }'); \
	$(BIN)/trackspec soak --minutes $$share || failed=1; \
	$(BIN)/trackspec soak --interface artifacts --minutes $$share || failed=1; \
	$(BIN)/python -m tests.fuzz --minutes $$share || failed=1; \
	exit $$failed
endif

survival: .venv/developed servers .venv-mlflow/installed ## count what our stores and MLflow's lose, and write docs/results/
	$(BIN)/python -m tests.survival --mlflow-python $(MLFLOW_BIN)/python

results: .venv/developed .venv-mlflow/installed servers ## judge MLflow's own stores and repositories, and write docs/results/
	$(MLFLOW_BIN)/python -m tests.results
	$(BIN)/python -m tests.artifact_results --mlflow-python $(MLFLOW_BIN)/python

spec: .venv/developed ## write what of spec/ is drawn up from its chapters and its endpoint table
	$(BIN)/python -m tests.spec_pages

clean: ## remove what make and the tests have made
	rm -rf .venv .venv-mlflow .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist bench.json faults.json

# -- setting up ----------------------------------------------------------------------------------------------

# An environment that was interrupted while it was made is made anew.
.venv/installed: pyproject.toml
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv
	$(BIN)/python $(INSTALL) --editable '.[all]'
	@touch $@

# Dependency groups need a newer pip than Python 3.10 brings along.
.venv/developed: .venv/installed
	$(BIN)/python $(INSTALL) 'pip>=25.1'
	$(BIN)/python $(INSTALL) --group dev
	@$(BIN)/python $(INSTALL) --group fuzz || echo 'atheris cannot be installed; the tests that need it are skipped.'
	@touch $@

.venv-mlflow/installed: pyproject.toml
	@$(MLFLOW_BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear .venv-mlflow
	$(MLFLOW_BIN)/python $(INSTALL) 'pip>=25.1'
	$(MLFLOW_BIN)/python $(INSTALL) --editable '.[conformance,mlflow,server,rest,s3,gcs,azure]' --group mlflow-sftp
	@touch $@

# Without a server, or without MLflow, the tests that need it are skipped and say why.
servers: .venv/developed
	@tests/servers/install || echo 'No database server could be installed; the tests that need one are skipped.'

mlflow:
	@$(MAKE) --no-print-directory .venv-mlflow/installed \
	  || echo 'MLflow could not be installed; the tests that need it are skipped.'
