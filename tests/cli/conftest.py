"""A home of its own for each test, and no server from outside."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from typer.main import get_command

from app.cli.local.home import Home
from tests.installation import FROM_OUTSIDE


@pytest.fixture(scope="session", autouse=True)
def commands_built_once() -> Iterator[None]:
    """A test that runs a command does not build the whole command line anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.testing._get_command", cache(get_command))
        yield


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """The home that the environment names."""
    for name in FROM_OUTSIDE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IAS_HOME", str(tmp_path / "home"))
    return Home(tmp_path / "home")
