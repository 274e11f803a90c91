# The two main commands are `make run` and `make test`. They create the environment in .venv if it is missing.

STAMP := .venv/installed
export PIP_DISABLE_PIP_VERSION_CHECK := 1
# The tests start many processes. Without bytecode on the disk, each of them would compile every module anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test thorough check audit faults bench lock clean
.DELETE_ON_ERROR:

# The stamp holds the path of the environment. One that was moved, or whose Python is gone, is created again.
$(shell { test "$$(cat $(STAMP))" = "$$PWD" && .venv/bin/python -c ''; } 2>/dev/null || rm -f $(STAMP))

help:
	@echo 'make run    start everything on this machine (PORT, HOST and IAS_HOME from the environment)'
	@echo 'make test   run the tests'
	@echo 'make thorough  run the tests with large tables of cases, with each case (CI tries them in its run of all tests)'
	@echo 'make check  run what CI runs: lint, format, types, import contracts, tests'
	@echo 'make audit  look for known vulnerabilities and unsafe calls, write the list of components to dist/'
	@echo 'make faults cause every fault of docs/reliability.md in a real system, and check its data (10 minutes)'
	@echo 'make bench  list the benchmarks; make bench NAME=saves runs one'
	@echo 'make lock   update requirements.txt and requirements-dev.txt'
	@echo 'make clean  remove .venv and caches; data in IAS_HOME stay'

run: $(STAMP)
	@exec .venv/bin/ias up

test: $(STAMP)
	.venv/bin/pytest -n 3 --dist worksteal

# These modules try a part of their cases in `make test`.
thorough: $(STAMP)
	TESTS_THOROUGH=1 .venv/bin/pytest -n 3 --dist worksteal tests/engine \
		$$(grep -rl --include='test_*.py' '^from tests.thorough' tests | grep -v ^tests/engine)

check: $(STAMP)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/pytest -n 3 --dist worksteal

# pip-audit asks the package index for known vulnerabilities; with --strict it fails if the index does not answer.
audit: $(STAMP)
	.venv/bin/ruff check --select S .
	@mkdir -p dist
	.venv/bin/cyclonedx-py requirements requirements.txt --pyproject pyproject.toml --output-reproducible \
		--output-format JSON --output-file dist/sbom.json
	.venv/bin/pip-audit --requirement requirements.txt --disable-pip --require-hashes --strict

faults: $(STAMP)
	.venv/bin/python -m tests.faults

bench: $(STAMP)
	.venv/bin/python -m benchmarks $(NAME)

lock:
	sh scripts/lock.sh

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis dist
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# `.venv/unfinished` marks an installation that was interrupted: the next one starts again.
$(STAMP): requirements-dev.txt pyproject.toml
	@set -eu; \
	if test -e .venv/unfinished || ! .venv/bin/python -m pip --version >/dev/null 2>&1; then \
		found=$$(PYTHON="$(PYTHON)" sh scripts/find_python.sh); \
		echo "Creating .venv with $$("$$found" --version) ..."; \
		rm -rf .venv; mkdir .venv; touch .venv/unfinished; \
		"$$found" -m venv .venv; \
	fi; \
	touch .venv/unfinished; \
	echo 'Installing the locked packages, which may take a few minutes ...'; \
	.venv/bin/python -m pip install --quiet --require-hashes -r requirements-dev.txt; \
	.venv/bin/python -m pip install --quiet --no-deps --no-build-isolation -e .; \
	rm .venv/unfinished; pwd > $(STAMP)
