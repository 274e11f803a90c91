#!/bin/sh
# Updates the lock files. Requires uv (`pip install uv`). The files contain no registry address.
set -eu
cd "$(dirname "$0")/.."
compile() { uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-annotate --custom-compile-command scripts/lock.sh "$@"; }
compile pyproject.toml --output-file requirements.txt
compile pyproject.toml --extra dev --constraint requirements.txt --output-file requirements-dev.txt
compile tests/clients/generators/requirements.in --output-file tests/clients/generators/requirements.txt
