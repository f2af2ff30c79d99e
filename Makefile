# make demo: stylise the embedded samples.  make test: lint and the tests, in a few minutes.
# make test-slow: the others, of the JAX backend, of several processes, and of whole trainings.
# All make .venv where there is none; PYTHON=python3.12 make demo picks another interpreter.

PYTHON ?= python3
BIN := .venv/bin
# Where a test process dies, pytest-xdist would start another one, and can then wait for ever.
PYTEST := $(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder --max-worker-restart=0

.PHONY: demo test test-slow clean

demo: .venv/installed
	$(BIN)/python experiments/demo.py --output=demo

test: .venv/installed-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(PYTEST) -m "not slow"

test-slow: .venv/installed-tests
	$(PYTEST) -m slow

.venv/installed: setup.py requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/installed-tests: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

clean:
	rm -rf .venv demo build *.egg-info
