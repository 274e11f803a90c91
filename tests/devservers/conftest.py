"""Real servers for the tests of their supervision."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devservers.postgres import Postgres
from devservers.valkey import Valkey


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture
def postgres(home: Path) -> Iterator[Postgres]:
    """A PostgreSQL that the test starts itself."""
    server = Postgres(home, durable=False)
    yield server
    server.stop()


@pytest.fixture
def valkey(home: Path) -> Iterator[Valkey]:
    """A Valkey that the test starts itself."""
    server = Valkey(home)
    yield server
    server.stop()


@pytest.fixture
def in_another_process() -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """Run a program that prints a line when it is ready; it is killed when the test ends."""
    started: list[subprocess.Popen[str]] = []

    def run(program: str) -> subprocess.Popen[str]:
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()
