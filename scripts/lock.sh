#!/bin/sh
# Writes both lock files anew. Needs uv (`pip install uv`); names no registry.
set -eu
cd "$(dirname "$0")/.."
compile() { uv pip compile --quiet --universal --generate-hashes --python-version 3.11 --no-emit-index-url --no-annotate --custom-compile-command scripts/lock.sh pyproject.toml "$@"; }
compile --output-file requirements.txt
compile --extra dev --constraint requirements.txt --output-file requirements-dev.txt
