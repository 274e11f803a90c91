"""Free ports of this machine."""

import itertools
import random
import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from devservers.files import write_private

LOOPBACK = "127.0.0.1"


# Systems give ports from 32768 or 49152 on to outgoing connections. One of them could take a port between its
# choice and the start of the server, so servers get lower ports.
_PORTS = range(20_000, 32_000)
_FIRST = random.SystemRandom().choice(_PORTS)  # Other processes begin elsewhere.
_candidate_ports: Iterator[int] = itertools.cycle([*range(_FIRST, _PORTS.stop), *range(_PORTS.start, _FIRST)])


def free_port() -> int:
    """A port of the loopback interface that is not in use now. A process gets each port once."""
    return next(port for port in _candidate_ports if port_is_free(LOOPBACK, port))


def remembered_port(file: Path) -> int:
    """The port in the file if it is free, so that addresses stay the same; otherwise a new one is written."""
    with suppress(FileNotFoundError, ValueError):
        port = int(file.read_text())
        if port_is_free(LOOPBACK, port):
            return port
    port = free_port()
    write_private(file, f"{port}\n")
    return port


def port_is_free(host: str, port: int) -> bool:
    """Whether a server can listen on the port. Old connections in TIME_WAIT do not matter."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
