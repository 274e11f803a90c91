"""A plugin of pytest for the process that hands tests out to workers (`-p` in pyproject.toml loads it).

That process runs no test and collects none. Without `tests/conftest.py` it does not import the application,
which takes two seconds before the first worker starts. It makes a folder for what its workers share.
"""

import os
import shutil
import tempfile

import pytest

SHARED_FOLDER = "TESTS_SHARED_FOLDER"


def is_controller(options: object) -> bool:
    """Workers get the same arguments."""
    return bool(getattr(options, "numprocesses", None)) and "PYTEST_XDIST_WORKER" not in os.environ


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    if is_controller(early_config.known_args_namespace):
        early_config.known_args_namespace.noconftest = True


def pytest_configure(config: pytest.Config) -> None:
    if is_controller(config.option):
        folder = tempfile.mkdtemp(prefix="ias-tests-")
        os.environ[SHARED_FOLDER] = folder
        config.add_cleanup(lambda: shutil.rmtree(folder))
