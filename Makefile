# make demo: stylise the embedded samples.  make test: lint and the whole test suite.
# Both make .venv where there is none; PYTHON=python3.12 make demo picks another interpreter.

PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test clean

demo: .venv/installed
	$(BIN)/python experiments/demo.py --output=demo

test: .venv/installed-tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python -m pytest -n 2 --dist loadgroup --no-loadscope-reorder

.venv/installed: setup.py requirements.txt
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

.venv/installed-tests: .venv/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test]'
	touch $@

clean:
	rm -rf .venv demo build *.egg-info
