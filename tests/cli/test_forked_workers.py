"""`ias serve` with several processes: they are forks, are replaced, and end with their parent."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from uvicorn import Config, _subprocess

from app.cli import forked_workers
from app.config import Settings
from devservers.processes import wait_for
from devservers.valkey import Valkey
from tests.cli.api_processes import api_starter
from tests.fork_server import ForkServer
from tests.thorough import thorough_only
from tests.waiting import PATIENCE, eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def children_of(pid: int) -> set[int]:
    return set(map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split()))


def command_of(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()


def is_running(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


@thorough_only
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


def test_routes_are_analyzed_and_documented_before_the_fork(monkeypatch: pytest.MonkeyPatch) -> None:
    analyzed: list[str] = []
    before_the_fork: list[str | bool] = []

    class Counted(APIRoute):
        def get_route_handler(self) -> Callable[..., Any]:
            analyzed.append(self.path)
            return super().get_route_handler()

    class Supervisor:
        def __init__(self, config: Config, *, sockets: list[Any]) -> None:
            pass

        def run(self) -> None:
            before_the_fork.extend([*analyzed, app.openapi_schema is not None])

    async def tell() -> None:
        pass

    router = APIRouter(route_class=Counted)
    router.add_api_route("/time", tell)
    app = FastAPI()
    app.include_router(router)
    monkeypatch.setattr(forked_workers, "Multiprocess", Supervisor)
    monkeypatch.setattr(_subprocess, "spawn", _subprocess.spawn)  # `serve` replaces it; the test restores it.
    forked_workers.serve(Config(app, proxy_headers=False), [])
    assert before_the_fork == ["/time", "/time", True]
