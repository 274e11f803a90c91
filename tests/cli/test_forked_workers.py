"""`ias serve` with several processes: they are forks, are replaced, and end with their parent."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from app.config import Settings
from devservers.processes import wait_for
from devservers.valkey import Valkey
from tests.cli.test_serve_sockets import api_starter
from tests.fork_server import ForkServer
from tests.waiting import PATIENCE, eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def children_of(pid: int) -> set[int]:
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


async def test_processes_are_forks_and_are_replaced_and_stopped(
    settings: Settings, valkey: Valkey, tmp_path: Path, fork_server: ForkServer
) -> None:
    with api_starter(settings, valkey, tmp_path, fork_server) as start:
        (api,) = await asyncio.to_thread(start, API_WORKERS="2")
        parent = api.process.pid
        first = children_of(parent)
        assert len(first) == 2
        assert {command_of(child) for child in first} == {command_of(parent)}
        killed = min(first)
        os.kill(killed, signal.SIGKILL)

        async def replaced() -> bool:
            now = children_of(parent)
            return len(now) == 2 and killed not in now

        await eventually(replaced)
        assert await asyncio.to_thread(wait_for, api.answers, PATIENCE)
        last = children_of(parent)
        os.kill(parent, signal.SIGTERM)
        assert await asyncio.to_thread(api.process.wait, PATIENCE) == 0
        assert not any(map(is_running, last))
