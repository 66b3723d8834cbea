# Needs Python 3.11 or later and make, nothing else: each target sets up .venv first if that is due.
PYTHON ?= python3
PYTEST_ARGS ?= -n auto
LINTED = preflight rules tests benchmarks fuzz docs scripts setup.py
FUZZ_SECONDS ?= 60
VENV = .venv/bin/python -m

.PHONY: demo test torture oracle bench fuzz lint lock clean

demo: .venv/ready
	@$(VENV) preflight demo

test: .venv/ready
	$(VENV) pytest -p tests.torture.summary $(PYTEST_ARGS)

# All of what `make test` runs a part of. `python -m scripts.make_fault_table` makes docs/faults.md anew.
torture: .venv/ready
	PREFLIGHT_TORTURE=all $(VENV) pytest -p tests.torture.summary $(PYTEST_ARGS) tests/torture \
		tests/end_to_end/test_html_in_browser.py tests/end_to_end/test_recordings.py

# The access engine against the brute-force oracle, on fifty times as many worlds as in `make test`.
oracle: .venv/ready
	PREFLIGHT_ORACLE=all $(VENV) pytest $(PYTEST_ARGS) tests/access/test_agreement.py tests/access/test_laws.py

bench: .venv/ready
	@$(VENV) benchmarks $(BENCH_ARGS)

# Broken bundles at random. What it finds stays in a file crash-…: `make fuzz FUZZ_ARGS=crash-…` tries that alone.
fuzz: .fuzz/ready
	@.fuzz/bin/python -m fuzz -max_total_time=$(FUZZ_SECONDS) $(FUZZ_ARGS)

.fuzz/ready: fuzz/requirements.txt requirements.lock
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || { echo >&2 \
		"NOT FUZZED: atheris has wheels for CPython 3.11 only, and '$(PYTHON)' is not: make fuzz PYTHON=python3.11"; exit 1; }
	'$(PYTHON)' -m venv .fuzz
	.fuzz/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements.lock -c requirements.lock
	.fuzz/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r fuzz/requirements.txt
	.fuzz/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch .fuzz/ready

lint: .venv/ready
	$(VENV) ruff check $(wildcard $(LINTED))
	$(VENV) ruff format --check $(wildcard $(LINTED))
	$(VENV) mypy $(wildcard preflight rules tests benchmarks fuzz)
	.venv/bin/python -c 'from importlinter.cli import lint_imports_command as main; main()' --no-cache --no-logo

# Keeps the versions that the lock has; `make lock LOCK_ARGS=--upgrade` takes the newest.
lock: .venv/ready
	$(VENV) pip install --quiet uv
	$(VENV) uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
		--no-emit-find-links --custom-compile-command 'make lock' --extra dev $(LOCK_ARGS) \
		--output-file requirements.lock pyproject.toml

# The lock stands as constraints too: else pip 23 looks past it for what is asked with an extra
# (google-auth[pyopenssl]) as soon as a newer version is out, and then refuses that.
.venv/ready: requirements.lock pyproject.toml setup.py
	@'$(PYTHON)' -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo >&2 \
		"preflight needs Python 3.11 or later, and '$(PYTHON)' is not. Name another: make PYTHON=python3.12"; exit 1; }
	'$(PYTHON)' -m venv .venv
	$(VENV) pip install --quiet --disable-pip-version-check --require-hashes \
		-r requirements.lock -c requirements.lock
	$(VENV) pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch .venv/ready

clean:
	rm -rf .venv .fuzz build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
