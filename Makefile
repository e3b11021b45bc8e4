# The project's commands. Each sets up its own .venv with the first Python >= 3.11 found on PATH; nothing global, no
# activated shell. `make PYTHON=/usr/bin/python3.12 test` names another one.

PYTHON ?=
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
# Pipelines find `deepnet` and `python` of the environment first.
RUN := PATH="$(CURDIR)/$(VENV)/bin:$$PATH"

.PHONY: help test lint test-slow torture coverage mutants man mnist models bench clean

help:
	@echo "make mnist      train a deep belief net on MNIST, with pictures (about 10 minutes on 2 cores)"
	@echo "make test       ruff, mypy, import-linter and the quick tests"
	@echo "make test-slow  the tests that take longer"
	@echo "make torture    the tests of the promises of tests/README.md in their long form (hours)"
	@echo "make coverage   branches of checkpoint, data, cli and files that the quick tests take, without a JIT"
	@echo "make mutants    faults planted in checkpoint and data, and which of them their tests do not see"
	@echo "make man        the manual page, from the commands as they are"
	@echo "make models     the published results one after the other; stop and start it as you like"
	@echo "make bench      benchmarks of kernels and whole jobs"
	@echo "make clean      remove the environment, caches and builds"

# Files of tests side by side, one a core.
test: lint
	$(PY) -m pytest -n auto --dist loadfile

lint: $(READY)
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(VENV)/bin/lint-imports --no-cache

# Exit code 5 of pytest: no such test, which is no failure here.
test-slow: $(READY)
	$(PY) -m pytest -m slow || test $$? -eq 5
	NUMBA_DISABLE_JIT=1 $(PY) -m pytest tests/kernels tests/nn tests/optimizers || test $$? -eq 5

# The markers stand in for the default "not slow".
torture: $(READY)
	$(PY) -m pytest -m promise --torture --figures tests/figures.json
	$(PY) tests/promises.py

coverage: $(READY)
	NUMBA_DISABLE_JIT=1 $(PY) -m coverage run --branch --source deepnet/checkpoint,deepnet/data,deepnet/cli,deepnet/files \
	    -m pytest tests/checkpoint tests/test_checkpoint.py tests/test_round_trips.py tests/test_files.py tests/test_cli.py tests/data tests/cli
	$(PY) -m coverage report --show-missing --skip-covered

COUNT := 100
mutants: $(READY)
	$(PY) tests/mutants.py --count $(COUNT)

man: $(READY)
	$(PY) -m deepnet.cli.man > deepnet/cli/deepnet.1

mnist: $(READY)
	$(RUN) sh models/mnist-dbn/quick.sh

models: $(READY)
	$(RUN) sh models/queue.sh

# Peers (jax, torch, scikit-learn) are installed for this target only; the product never needs them.
bench: $(READY)
	$(PY) -m pip install -qq --disable-pip-version-check --editable '.[bench]'
	set -e; results=benchmarks/results/$$($(PY) benchmarks/contest.py); \
	for page in products contrastive backprop dropout bfloat16 process curvature predicting; do \
	    $(PY) benchmarks/$$page.py --json $$results/$$page.json; done; \
	for n in 1 2; do $(PY) benchmarks/growth.py --rounds 3 --threads $$n --json $$results/growth-$$n.json; done
	$(PY) benchmarks/report.py

clean:
	rm -rf $(VENV) .coverage .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build dist
	find deepnet tests benchmarks datasets models -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamp is newer than pyproject.toml when everything that it names is installed. An environment whose Python has gone
# is made anew; one that works is only brought up to date.
$(READY): pyproject.toml Makefile
	@rm -f $@; \
	if ! $(PY) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    chosen=; without=; \
	    for python in $(or $(PYTHON),python3 python3.11 python3.12 python3.13 python3.14); do \
	        "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue; \
	        if "$$python" -c 'import venv, ensurepip' 2>/dev/null; then chosen=$$python; break; fi; \
	        without=$${without:-$$("$$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')}; \
	    done; \
	    if [ -z "$$chosen" ] && [ -n "$$without" ]; then \
	        echo "deepnet: Python $$without has no venv module: install the package python$$without-venv" \
	             "(Debian, Ubuntu: sudo apt install python$$without-venv) and try again" >&2; exit 1; \
	    elif [ -z "$$chosen" ]; then \
	        echo "deepnet: no Python 3.11 or newer on PATH$(if $(PYTHON), under the name $(PYTHON)): install one" \
	             "or name it with make PYTHON=/path/to/python3" >&2; exit 1; \
	    fi; \
	    echo "making $(VENV) with $$chosen"; \
	    "$$chosen" -m venv --clear $(VENV) || exit 1; \
	fi; \
	echo "installing deepnet and what it needs into $(VENV)"; \
	$(PY) -m pip install -qq --disable-pip-version-check --editable '.[dev]' || exit 1; \
	touch $@
