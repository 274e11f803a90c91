"""Our own programs as child processes: the auth server, migrations, the worker, the API."""

import http.client
import signal
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from app.cli.local.home import Home
from devservers.processes import Child, ProcessIdentity, terminate
from devservers.supervisor import Program

_PATIENCE = 15.0  # Requests are answered and tasks ended first, which takes up to 11 seconds.


def program(home: Home, name: str, title: str, arguments: list[str], environment: Mapping[str, str]) -> Child:
    """A Python program. With `-P` nothing in the working directory stands in for our modules."""
    return Child(
        title,
        [sys.executable, "-P", *arguments],
        log=home.logs / f"{name}.log",
        pid_file=_pid_files(home) / f"{name}.json",
        environment={"PYTHONUNBUFFERED": "1", **environment},
        patience=_PATIENCE,
    )


class GatedProgram(Program):
    """A program that imports what it needs at once and runs when it is told to (`app.cli.gate`)."""

    def __init__(self, child: Child) -> None:
        super().__init__(child)
        self._open = False

    def start(self) -> None:
        """Start it; one that has run before and died runs again at once."""
        super().start()
        if self._open:
            self.let_go()

    def let_go(self) -> None:
        self._open = True
        self.child.tell("go\n")


def stop_leftovers(home: Home) -> None:
    """Stop the programs that a killed run has left behind, all at the same time."""
    files = list(_pid_files(home).glob("*.json"))
    identities = [ProcessIdentity.read(file) for file in files]
    terminate([each for each in identities if each], signal.SIGTERM, _PATIENCE)
    for file in files:
        file.unlink()


def get(url: str) -> bytes | None:
    """The body of a 200 answer of a server of ours; a proxy that the environment names has no part in it."""
    address = urlsplit(url)
    with closing(http.client.HTTPConnection(address.hostname or "", address.port, timeout=2)) as connection:
        try:
            connection.request("GET", address.path)
            response = connection.getresponse()
            return response.read() if response.status == http.HTTPStatus.OK else None
        except (OSError, http.client.HTTPException):
            return None


def _pid_files(home: Home) -> Path:
    return home.folder / "pids" / "programs"
