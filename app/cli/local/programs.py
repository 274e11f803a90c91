"""Our programs as child processes: auth server, migration, worker and API."""

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

_STOP_SECONDS = 15.0  # Requests and tasks in progress are finished first, which takes up to 11 seconds.


def program(home: Home, name: str, title: str, arguments: list[str], environment: Mapping[str, str]) -> Child:
    """A Python program. With `-P`, no module in the working directory is imported instead of ours."""
    return Child(
        title,
        [sys.executable, "-P", *arguments],
        log=home.logs / f"{name}.log",
        pid_file=_pid_files(home) / f"{name}.json",
        environment={"PYTHONUNBUFFERED": "1", **environment},
        timeout=_STOP_SECONDS,
    )


class GatedProgram(Program):
    """A program that imports its modules at once and runs its commands later (`app.cli.gate`)."""

    def __init__(self, child: Child) -> None:
        super().__init__(child)
        self._open = False

    def start(self) -> None:
        """Start the program. After a restart its commands run at once."""
        super().start()
        if self._open:
            self.open_gate()

    def open_gate(self) -> None:
        self._open = True
        self.child.write_input("go\n")


def stop_leftovers(home: Home) -> None:
    """Stop the programs of a run that was killed, all at the same time."""
    files = list(_pid_files(home).glob("*.json"))
    identities = [ProcessIdentity.read(file) for file in files]
    terminate([each for each in identities if each], signal.SIGTERM, _STOP_SECONDS)
    for file in files:
        file.unlink()


def get(url: str) -> bytes | None:
    """The body of a response with status 200, otherwise None. No proxy is used."""
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
