# make demo   the main job on simulated scenes, in the git-ignored folder demo/
# make test   all tests; sets up .venv first
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DATA ?= ../shared/data

.PHONY: demo test lint bench calibrate faults drift site clean
.DEFAULT_GOAL := demo

$(READY): pyproject.toml constraints.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "btv-report needs Python 3.11 or newer; set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "setting up $(VENV) (a minute or two, once)"
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $(READY)

demo: $(READY)
	@$(BIN)/btv-report demo --workspace demo

test: $(READY)
	@.ci/ensure-chromium
	@$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist worksteal

lint: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

bench: $(READY)
	@$(BIN)/python tests/benchmarks/bench.py

calibrate: $(READY)
	@$(BIN)/btv-report calibrate $(if $(wildcard $(DATA)),--data $(DATA)) --processes 2 --output src/btv_report/calibration/release.json

faults: $(READY)
	@$(BIN)/python tests/house/fault_coverage.py

drift:
	@"$(PYTHON)" tests/house/drift.py

site: $(READY)
	@$(BIN)/python examples/renew_showcase.py

clean:
	rm -rf $(VENV) demo build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
