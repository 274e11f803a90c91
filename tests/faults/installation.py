"""A whole `ias up` for a measurement: the one that runs in IAS_HOME, or one of its own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.cli.local.home import Home
from devservers.network import free_port
from devservers.processes import wait_for
from tests.installation import FROM_OUTSIDE, is_ready

_PATIENCE = 120.0


@contextmanager
def running_or_own() -> Iterator[Home]:
    """The home of the `ias up` that IAS_HOME names, if it runs; else that of one of our own."""
    if os.environ.get("IAS_HOME") and (home := Home.from_environment()).read_run() is not None:
        yield home
        return
    with own() as home:
        yield home


@contextmanager
def own() -> Iterator[Home]:
    """The home of an `ias up` that is started here and stopped with the block."""
    with tempfile.TemporaryDirectory(prefix="ias-faults-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # PostgreSQL runs as another user, if this one is root.
        home = Home(folder / "home")
        outside = {name: value for name, value in os.environ.items() if name not in FROM_OUTSIDE}
        with (folder / "up.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "app.cli", "up"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd=folder,
                env=outside | {"IAS_HOME": str(home.folder), "PORT": str(free_port())},
            )
        try:
            wait_for(lambda: _is_up(home) or process.poll() is not None, _PATIENCE)
            if not _is_up(home):
                raise SystemExit((folder / "up.log").read_text())
            yield home
        finally:
            process.terminate()
            process.wait(_PATIENCE)


def _is_up(home: Home) -> bool:
    """Whether the API serves. The addresses are written before it does."""
    run = home.read_run()
    return run is not None and "api" in run["pids"] and is_ready(run)
