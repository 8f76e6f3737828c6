# make demo     grade sample volumes; the first call sets up .venv
# make test     run the tests
# make test-slicer   run the tests of the window in Slicer, which is being built
# make lint     check style
# make bench    measure speed (minutes)
# make clean    remove .venv and what the other commands made
#
# Another Python:  make test PYTHON=python3.12      Fewer tests:  make test ARGS="-k phantom"

PYTHON ?= python3
ARGS ?=
VENV := .venv
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.ready-bench
RUN := $(VENV)/bin/python

SLICER_READY := $(VENV)/.ready-slicer

.PHONY: demo test test-slicer lint format bench clean
.DELETE_ON_ERROR:

demo: $(READY)
	@$(RUN) Testing/demo/demo.py $(ARGS)

test: $(READY)
	@$(RUN) -m pytest $(ARGS)

test-slicer: $(SLICER_READY)
	@QT_QPA_PLATFORM=offscreen $(RUN) -m pytest Testing/host Testing/MotionQAWidgets $(ARGS)
	@$(RUN) -m pytest Testing/MotionQALib/test_worker.py $(ARGS)

lint: $(READY)
	@$(RUN) -m ruff check . && $(RUN) -m ruff format --check .

format: $(READY)
	@$(RUN) -m ruff check --fix . && $(RUN) -m ruff format .

bench: $(BENCH_READY)
	@$(RUN) Testing/benchmarks $(ARGS)

clean:
	rm -rf $(VENV) build demo .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find . -name '*.egg-info' -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml
	@sh Testing/setup/check_python.sh "$(PYTHON)"
	@echo "Setting up $(VENV) (once; PyTorch and its libraries take some minutes and 6 GB of disk)"
	@"$(PYTHON)" -m venv $(VENV)
	@$(RUN) -m pip install --quiet --editable ".[train,test]"
	@touch $@

$(SLICER_READY): $(READY)
	@$(RUN) -m pip install --quiet --editable ".[slicer]"
	@sh Testing/setup/check_libraries.sh $(RUN)
	@touch $@

$(BENCH_READY): $(READY)
	@$(RUN) -m pip install --quiet --editable ".[bench]"
	@touch $@
