"""The supervisor, over real processes."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devservers.processes import Child, wait_for
from devservers.supervisor import Program, Supervisor
from tests.waiting import PATIENCE

MakeProgram = Callable[[str], tuple[Program, Child]]

NOTE_ITS_END = """
import signal, sys, time
def end(*_):
    with open({journal!r}, "a") as journal:
        journal.write({name!r} + "\\n")
    sys.exit()
signal.signal(signal.SIGTERM, end)
print("ready", flush=True)
time.sleep(60)
"""


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "journal"


@pytest.fixture
def sentences() -> list[str]:
    return []


@pytest.fixture
def supervisor(sentences: list[str]) -> Iterator[Supervisor]:
    supervisor = Supervisor(sentences.append)
    yield supervisor
    supervisor.stop()


@pytest.fixture
def make_program(tmp_path: Path, journal: Path) -> MakeProgram:
    """Makes a program that notes in the journal that it was asked to end."""

    def make(name: str) -> tuple[Program, Child]:
        child = Child(
            name,
            [sys.executable, "-c", NOTE_ITS_END.format(journal=str(journal), name=name)],
            log=tmp_path / f"{name}.log",
            pid_file=tmp_path / f"{name}.pid",
            environment=dict(os.environ),
        )
        return Program(child), child

    return make


def start(supervisor: Supervisor, program: Program, child: Child) -> None:
    supervisor.watch(program)
    program.start()
    child.wait_until(lambda: "ready" in child.log.read_text(), timeout=PATIENCE)


class TestStop:
    def test_the_last_started_is_the_first_stopped(
        self, supervisor: Supervisor, make_program: MakeProgram, journal: Path
    ) -> None:
        for name in ("database", "worker", "api"):
            start(supervisor, *make_program(name))

        supervisor.stop()

        assert journal.read_text().split() == ["api", "worker", "database"]


class TestLook:
    def test_a_server_that_died_is_named_and_started_again(
        self, supervisor: Supervisor, make_program: MakeProgram, sentences: list[str]
    ) -> None:
        program, child = make_program("worker")
        start(supervisor, program, child)
        first = child.pid
        os.kill(first or 0, signal.SIGKILL)
        assert wait_for(lambda: not child.running, timeout=PATIENCE)

        def restarted() -> bool:
            supervisor.check()
            return child.running

        assert wait_for(restarted, timeout=PATIENCE)

        assert child.pid != first
        assert sentences == [f"worker was ended by SIGKILL; it starts again in 0.5 s. Its log: {child.log}"]

    def test_a_server_that_dies_again_waits_longer(
        self, supervisor: Supervisor, tmp_path: Path, sentences: list[str]
    ) -> None:
        broken = Child(
            "broken",
            [sys.executable, "-c", "raise SystemExit(3)"],
            log=tmp_path / "log",
            pid_file=tmp_path / "pid",
            environment=dict(os.environ),
        )
        supervisor.watch(Program(broken))
        broken.start()

        def failed_twice() -> bool:
            supervisor.check()
            return len(sentences) == 2

        assert wait_for(failed_twice, timeout=PATIENCE)

        assert ["in 0.5 s" in sentences[0], "in 1 s" in sentences[1]] == [True, True]
        assert "ended with exit code 3" in sentences[0]
