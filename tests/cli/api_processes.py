"""API processes that tests start and kill."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from app.config import Settings
from devservers.network import free_port
from devservers.processes import wait_for
from devservers.valkey import Valkey
from tests.fork_server import ForkServer, Program
from tests.waiting import PATIENCE, answers


class Api:
    """An `ias serve`, as an operator starts it."""

    def __init__(self, folder: Path, environment: dict[str, str], fork_server: ForkServer) -> None:
        self.port = free_port()
        self.environment = environment
        self.log = folder / f"api-{self.port}.log"
        arguments = ["serve", "--port", str(self.port)]
        self.process = fork_server.start(Program("app.cli", arguments, environment, self.log, self.log))

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        return answers(f"{self.http}/health")

    def lines(self) -> list[dict[str, Any]]:
        # The server may be in the middle of writing the last line.
        complete, _, _ = self.log.read_text().rpartition("\n")
        return [json.loads(line) for line in complete.splitlines() if line.startswith("{")]


StartApi = Callable[..., list[Api]]


@contextmanager
def api_starter(
    settings: Settings, valkey: Valkey, folder: Path, fork_server: ForkServer
) -> Iterator[StartApi]:
    """Starts API processes on one Redis; all are gone at the end."""
    started: list[Api] = []

    def start(count: int = 1, **changes: str) -> list[Api]:
        environment = {
            "PATH": os.environ["PATH"],
            "ENVIRONMENT": "test",
            "DATABASE_URL": settings.database_url.get_secret_value(),
            "REDIS_URL": valkey.url,
            "SUPABASE_URL": settings.supabase_url,
            "SUPABASE_ANON_KEY": settings.supabase_anon_key.get_secret_value(),
            "SUPABASE_SERVICE_KEY": settings.supabase_service_key.get_secret_value(),
            "MEDIA_URL": str(settings.media_url),
        }
        apis = [Api(folder, environment | changes, fork_server) for _ in range(count)]
        started.extend(apis)
        for api in apis:
            assert wait_for(api.answers, timeout=PATIENCE), api.log.read_text()
        return apis

    try:
        yield start
    finally:
        for api in started:
            api.process.kill()
            api.process.wait()
