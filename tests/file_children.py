"""Children that read files (`app/core/process_pool.py`), started as forks.

A command or an application of a test starts children of its own, and each would import a second's worth of
modules. The tests of the pool start real ones.
"""

import os
from pathlib import Path
from typing import Any

from app.core import child_process, process_pool
from app.core.process_pool import PoolLimits
from tests.fork_server import ForkServer, Program

start_process: Any = process_pool._start

_NEEDED_BY_A_FORK = 1_000_000_000
"""Bytes of address space. A fork begins with that of the whole application."""


class FileChildren:
    """Starts children by the fork server, except those with limits that are too low for a fork."""

    def __init__(self, fork_server: ForkServer) -> None:
        self._fork_server = fork_server

    def start(self, limits: PoolLimits) -> Any:
        if limits.memory_bytes < _NEEDED_BY_A_FORK:
            return start_process(limits)
        arguments = [str(limits.memory_bytes), str(limits.seconds)]
        environment = {"PATH": os.environ["PATH"]}
        nowhere = Path(os.devnull)
        return self._fork_server.start(
            Program(child_process.__name__, arguments, environment, nowhere, nowhere, is_piped=True)
        )
