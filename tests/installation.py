"""Whole installations: `ias up` in a home of its own, as a person at a terminal runs it."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from app.cli.local.home import Home
from app.cli.local.programs import get
from devservers.network import free_port
from devservers.processes import wait_for
from tests.waiting import PATIENCE

FROM_OUTSIDE = (
    "DATABASE_URL",
    "REDIS_URL",
    "REDIS_HOST",
    "SUPABASE_URL",
    "SECRET_KEY",
    "SMTP_URL",
    "MAIL_FOLDER",
    "MEDIA_URL",
)
"""Variables by which the environment of a test run would name other servers."""


@dataclass
class Terminal:
    """Starts `ias up` in one home, on one port."""

    folder: Path
    settings: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    started: list[subprocess.Popen[bytes]] = field(default_factory=list)
    outputs: dict[int, IO[str]] = field(default_factory=dict)

    @property
    def home(self) -> Home:
        return Home(self.folder / "home")

    def up(self) -> subprocess.Popen[bytes]:
        environment = {name: value for name, value in os.environ.items() if name not in FROM_OUTSIDE}
        own = {"IAS_HOME": str(self.home.folder), "PORT": str(self.port)}
        output = tempfile.TemporaryFile("w+")  # noqa: SIM115 -- closed by `close`
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "app.cli", "up"],
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            cwd=self.folder,
            env={**environment, **self.settings, **own},
        )
        self.started.append(process)
        self.outputs[process.pid] = output
        return process

    def run_of(self, process: subprocess.Popen[bytes]) -> dict[str, Any]:
        """The content of run.json once the process has started everything."""

        def written() -> bool:
            run = self.home.read_run()
            return run is not None and run["pids"]["up"] == process.pid and "api" in run["pids"]

        assert wait_for(lambda: written() or process.poll() is not None, PATIENCE)
        assert process.poll() is None, self.output_of(process)
        return self.home.read_run() or {}

    def output_of(self, process: subprocess.Popen[bytes]) -> str:
        """What the process has written so far."""
        output = self.outputs[process.pid]
        output.seek(0)
        return output.read()

    def end_of(self, process: subprocess.Popen[bytes]) -> str:
        """Wait until the process ends. Returns what it has written."""
        process.wait(timeout=PATIENCE)
        return self.output_of(process)

    def close(self) -> None:
        for process in self.started:
            if process.poll() is None:
                process.terminate()
            process.wait(timeout=PATIENCE)
            self.outputs[process.pid].close()


def is_ready(run: dict[str, Any]) -> bool:
    """Whether the API answers that it is ready."""
    body = get(f"{run['api_url']}/v1/health/ready")
    return body is not None and json.loads(body)["status"] == "ready"
