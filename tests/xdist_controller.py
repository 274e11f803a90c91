"""A plugin of pytest for the process that hands tests out to workers (`-p` in pyproject.toml loads it).

That process runs no test and collects none. Without `tests/conftest.py` it does not import the application,
which takes two seconds of a processor before the first worker starts.
"""

import os

import pytest


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    options = early_config.known_args_namespace
    is_worker = "PYTEST_XDIST_WORKER" in os.environ  # It gets the same arguments.
    if options.numprocesses and not is_worker:
        options.noconftest = True
