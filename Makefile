# make demo     grade sample volumes, and show one in the window; the first call sets up .venv
# make test     run all tests: test-libraries, then test-window
# make lint     check style
# make bench    measure speed (minutes)
# make check-backbones  train, evaluate and export with every backbone (minutes; not in CI)
# make clean    remove .venv and what the other commands made
#
# Another Python:  make test PYTHON=python3.12      Fewer tests:  make test ARGS="-k phantom"
# Tests run two at a time; make test JOBS=1 runs one after the other.

PYTHON ?= python3
ARGS ?=
JOBS ?= 2
VENV := .venv
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.ready-bench
RUN := $(VENV)/bin/python

.PHONY: demo test window test-libraries test-window lint format bench check-backbones clean
.DELETE_ON_ERROR:

demo: $(READY)
	@$(RUN) Testing/demo/demo.py $(ARGS)
	@if sh Testing/setup/window.sh $(RUN); then $(RUN) Testing/demo/window.py; \
		else echo "So the module is not shown here; its grades are in the report." >&2; fi

test: window test-libraries test-window

# First, since some tests of the libraries know Qt where it is.
window: $(READY)
	@sh Testing/setup/window.sh $(RUN) || echo "So the tests of the window will fail." >&2

test-libraries: $(READY)
	@OMP_NUM_THREADS=$${OMP_NUM_THREADS:-1} $(RUN) -m pytest -n $(JOBS) --dist loadfile $(ARGS)

test-window: $(READY)
	@JOBS=$(JOBS) sh Testing/setup/test_window.sh $(RUN) $(ARGS)

lint: $(READY)
	@$(RUN) -m ruff check . && $(RUN) -m ruff format --check .

format: $(READY)
	@$(RUN) -m ruff check --fix . && $(RUN) -m ruff format .

bench: $(BENCH_READY)
	@$(RUN) Testing/benchmarks $(ARGS)

check-backbones: $(READY)
	@$(RUN) -m pytest Testing/MotionQATrainerLib/check_backbones.py $(ARGS)

clean:
	rm -rf $(VENV) build demo .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
	find . -name '*.egg-info' -type d -prune -exec rm -rf {} +

$(READY): pyproject.toml
	@sh Testing/setup/check_python.sh "$(PYTHON)"
	@echo "Setting up $(VENV) (once; PyTorch and its libraries take some minutes and 6 GB of disk)"
	@"$(PYTHON)" -m venv $(VENV)
	@$(RUN) -m pip install --quiet --editable ".[train,test]"
	@sh Testing/setup/cluster.sh $(RUN)
	@touch $@

$(BENCH_READY): $(READY)
	@$(RUN) -m pip install --quiet --editable ".[bench]"
	@sh Testing/setup/window.sh $(RUN) || echo "So the benchmark named answering is left out." >&2
	@touch $@
