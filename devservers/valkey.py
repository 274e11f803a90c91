"""A real Valkey in a home folder, with an append-only file and a password."""

import os
import signal
import socket
from contextlib import suppress
from functools import cached_property
from pathlib import Path

from devservers.binaries import make_server_folder, server_account, valkey_program
from devservers.files import make_private_folder, read_or_create_secret
from devservers.network import LOOPBACK, remembered_port
from devservers.processes import Child, processes_in, stop_leftover, terminate


class Valkey:
    """The server of one home folder. The process that starts it must hold the home's lock."""

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self.home = home
        self.data = home / "valkey"
        self.secret = home / "secrets" / "valkey"
        self.durable = durable
        self.log = home / "logs" / "valkey.log"
        self.pid_file = home / "pids" / "valkey.json"
        self.child: Child | None = None

    @cached_property
    def port(self) -> int:
        """The port, which stays the same for this object, so that clients find a restarted server."""
        return remembered_port(self.home / "ports" / "valkey")

    @property
    def url(self) -> str:
        """The address; it is known before the server runs."""
        return f"redis://:{read_or_create_secret(self.secret)}@{LOOPBACK}:{self.port}/0"

    def start(self) -> str:
        """Stop what an earlier run has left, and start the server. Returns its URL."""
        make_private_folder(self.home)
        self.stop_leftovers()
        password = read_or_create_secret(self.secret)
        self.child = self._make_child()
        self.child.start()
        # The settings are written to standard input, because `ps` must not show the password.
        self.child.write_input(self._configuration(password))
        self.child.wait_until(lambda: _answers(self.port, password), timeout=60)
        return self.url

    def stop_leftovers(self) -> None:
        """Stop the server of a run that was killed."""
        self.stop()
        stop_leftover(self.pid_file)
        if self.data.exists():
            terminate(processes_in(self.data, "valkey-server"), signal.SIGTERM, timeout=10)

    def stop(self) -> None:
        if self.child:
            self.child.stop()

    def _make_child(self) -> Child:
        account = server_account()
        make_server_folder(self.data, account)
        return Child(
            "Valkey",
            [valkey_program(), "-"],
            log=self.log,
            pid_file=self.pid_file,
            environment={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            folder=self.data,
            account=account,
        )

    def _configuration(self, password: str) -> str:
        durability = "appendonly yes\nappendfsync everysec\n" if self.durable else "appendonly no\n"
        return f'bind {LOOPBACK}\nport {self.port}\nrequirepass {password}\nsave ""\n{durability}'


def _answers(port: int, password: str) -> bool:
    """Whether it has loaded its data and serves commands."""
    with suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1) as connection:
        connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
        replies = connection.makefile("rb")
        return replies.readline() == b"+OK\r\n" and replies.readline() == b"+PONG\r\n"
    return False
