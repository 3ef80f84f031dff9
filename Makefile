# Everything a person runs by hand. Needs python3 (3.11 to 3.13), make and access to a Python package index.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test prove crash faults dev check format docs clean help

help: ## show this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

demo: $(READY) ## sync the sample organization, let days pass, sync again, show what came of it
	$(BIN)/ado-assets demo

test: $(READY) ## run the tests
	$(BIN)/python -m pytest -q -n auto --dist loadfile

SEED ?= 7
STEPS ?= 500

prove: $(READY) ## tell a long history and compare after every few steps (SEED=7 STEPS=500)
	$(BIN)/python -m ado_assets_tests.prove --seed $(SEED) --steps $(STEPS)

KILLS ?= 60

crash: $(READY) ## kill a sync at KILLS=60 random moments (SEED=7) and compare at the end
	CRASH_KILLS=$(KILLS) CRASH_SEED=$(SEED) $(BIN)/python -m pytest -q --timeout 1800 ado_assets_tests/test_crash.py

faults: $(READY) ## let the sample organization misbehave at every endpoint and write docs/fault_matrix.md
	$(BIN)/python -m ado_assets_tests.fault_matrix

dev: $(READY) ## open the Dagster UI on 127.0.0.1:3000 over the sample organization
	$(BIN)/ado-assets dev

check: $(READY) ## lint, format, types and the import rule of the layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -q ado_assets_tests/test_layers.py

format: $(READY) ## format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY) ## write the data dictionary again
	$(BIN)/ado-assets dictionary > docs/dictionary.md

clean: ## remove the environment and the data of demo and dev
	rm -rf $(VENV) data/demo data/dev

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(READY)
