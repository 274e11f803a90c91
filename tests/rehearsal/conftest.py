"""One whole installation for all rehearsals."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.cli.servers import ensure_servers
from app.config import get_settings
from tests.installation import FROM_OUTSIDE, Terminal


@pytest.fixture(scope="session")
def terminal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Terminal]:
    """A running `ias up`."""
    terminal = Terminal(tmp_path_factory.mktemp("rehearsal"), {"GRACE_SECONDS": "1"})
    try:
        terminal.run_of(terminal.up())
        yield terminal
    finally:
        terminal.close()


@pytest.fixture(scope="module")
def installation(terminal: Terminal) -> Iterator[tuple[str, Path]]:
    """The API's address and the path of run.json. The environment of this process names its servers."""
    with pytest.MonkeyPatch.context() as environment:
        for name in FROM_OUTSIDE:
            environment.delenv(name, raising=False)
        environment.chdir(terminal.folder)
        environment.setenv("IAS_HOME", str(terminal.home.folder))
        environment.setenv("GRACE_SECONDS", "1")
        try:
            with ensure_servers():
                get_settings.cache_clear()
                yield (terminal.home.read_run() or {})["api_url"], terminal.home.run_file
        finally:
            get_settings.cache_clear()
