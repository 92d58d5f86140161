# Two commands do everything on a machine with Python >= 3.11, its venv module and make: `make demo`, `make test`.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Where torch comes from, if not from pip's usual index; https://download.pytorch.org/whl/cpu is small and needs no GPU.
TORCH_INDEX ?=
TORCH := torch==2.13.0 $(if $(TORCH_INDEX),--index-url $(TORCH_INDEX))

.PHONY: demo test lint load bench accuracy explain-bench interop web-test hmi bundle bundle-test clean
demo: $(VENV)/demo.done
	$(BIN)/tagsight demo

# Two at a time, each file in one of them.
test: $(VENV)/test.done
	$(BIN)/python -m pytest -n 2 --dist loadfile

lint: $(VENV)/test.done
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/mypy

# 200 models of 10 tags every minute for ten minutes, over OPC UA; prints a table. Not part of `make test`.
load: $(VENV)/test.done
	$(BIN)/python -m tests.benchmarks.load

# How long a health model trains and scores, alone and beside others of its shape; then how fast histories are read,
# against other people's clients and servers, as ratios. Needs node for all of it.
# MILLIONS of values are pulled over OPC UA into the local history store: some minutes for the 100 of the default.
MILLIONS ?= 100
bench: $(VENV)/test.done
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.benchmarks.health_speed
	$(BIN)/python -m tests.benchmarks.history_pull
	$(BIN)/python -m tests.benchmarks.pull_clients
	$(BIN)/python -m tests.benchmarks.aggregates
	$(BIN)/python -m tests.benchmarks.local_store $(MILLIONS) 10 served
	$(BIN)/python -m tests.benchmarks.local_store 20 10
	$(BIN)/python -m tests.benchmarks.local_store 5 10 text
	$(BIN)/python -m tests.benchmarks.tag_server
	$(BIN)/python -m tests.benchmarks.tag_server_bursts

# How well the five jobs do on public data, with the baselines in the same run: an hour or more; DATA is the folder of the sets
# (docs/accuracy.md says where they come from). `make accuracy DATA=... ONLY="tep-health skab-health"` runs some of it.
accuracy: $(VENV)/test.done
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.accuracy $(DATA) $(if $(ONLY),--only $(ONLY))

# How faithful and how fast explanations are, with rivals in the same run, into docs/explanations-measured.md. DATA as for
# accuracy. `make explain-bench DATA=... ONLY="tennessee speed"` runs some of it.
explain-bench: $(VENV)/test.done
	OMP_NUM_THREADS=1 $(BIN)/python -m tests.explain_bench $(DATA) $(if $(ONLY),--only $(ONLY)) --page docs/explanations-measured.md

# Our client and server against other people's; what needs node or o6 is skipped with a reason where they are missing.
interop: $(VENV)/test.done
	$(BIN)/python -m pytest tests/interop

# The pages in a real browser (Debian: `apt-get install chromium`); skipped with a reason where there is none.
web-test: $(VENV)/test.done
	$(BIN)/python -m pytest -m "browser or not browser" tests/plugin/web

# The generated project in FUXA, an HMI that others make, looked at in chromium; FUXA is installed once by npm into a cache
# (some 20 minutes), skipped with a reason where that is not possible. TAGSIGHT_PICTURES names a folder for the screenshots.
hmi: $(VENV)/test.done
	$(BIN)/python -m pytest -m hmi tests/hmi

# Everything for a machine without internet, in dist/bundle: some hundred megabytes.
bundle: $(VENV)/test.done
	$(BIN)/python packaging/bundle.py dist/bundle $(if $(TORCH_INDEX),--torch-index $(TORCH_INDEX))

# The bundle installs into an empty environment without index and network, and runs the demo. Minutes: not in `make test`.
bundle-test: bundle
	$(BIN)/python -m pytest -m bundle tests/packaging

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/demo.done: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet -c constraints.txt $(TORCH)
	$(BIN)/pip install --quiet -c constraints.txt -e '.[demo]'
	touch $@

$(VENV)/test.done: $(VENV)/bin/python pyproject.toml constraints.txt
	$(BIN)/pip install --quiet -c constraints.txt $(TORCH)
	$(BIN)/pip install --quiet -c constraints.txt -e '.[demo,test]'
	touch $@

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache dist build
