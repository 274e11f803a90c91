"""A home of its own for each test, and no server from outside."""

from pathlib import Path

import pytest

from app.cli.local.home import Home
from tests.installation import FROM_OUTSIDE


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """The home that the environment names."""
    for name in FROM_OUTSIDE:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("IAS_HOME", str(tmp_path / "home"))
    return Home(tmp_path / "home")
