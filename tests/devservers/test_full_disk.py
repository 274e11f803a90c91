"""A full disk and a lack of file descriptors: what is supervised goes on, and heals when there is room."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devservers import processes
from devservers.errors import ServerError
from devservers.files import hold, write_private
from devservers.processes import Child, ProcessIdentity, wait_for
from devservers.supervisor import Program, Supervisor
from tests.full_disk import SmallDisk, small_disk
from tests.waiting import PATIENCE

FOREVER = "import time; time.sleep(60)"

MakeChild = Callable[[Path], Child]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", megabytes=2) as disk:
        if disk is None:
            pytest.skip("This user may not mount a file system.")
        yield disk


@pytest.fixture
def make_child() -> Iterator[MakeChild]:
    """Makes a child that keeps its files in a folder."""
    made: list[Child] = []

    def make(folder: Path) -> Child:
        child = Child(
            "The child",
            [sys.executable, "-c", FOREVER],
            log=folder / "logs" / "child.log",
            pid_file=folder / "pids" / "child.json",
            environment=dict(os.environ),
            timeout=5,
        )
        made.append(child)
        return child

    yield make
    for child in made:
        child.stop()


def files_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


class TestWritePrivate:
    def test_what_could_not_be_written_leaves_nothing_behind(self, disk: SmallDisk) -> None:
        file = disk.folder / "file"
        write_private(file, "old")
        disk.fill()

        for _ in range(3):
            with pytest.raises(OSError, match="No space left"):
                write_private(file, "new")

        assert files_in(disk.folder) == ["file", "filler"]
        assert file.read_text() == "old"


class TestHold:
    def test_a_lock_needs_no_space(self, disk: SmallDisk) -> None:
        lock = disk.folder / "lock"
        lock.touch()
        disk.fill()

        with hold(lock):
            assert lock.read_text() == ""


class TestChild:
    def test_it_runs_without_log_and_pid_file_and_is_recorded_later(
        self, disk: SmallDisk, make_child: MakeChild
    ) -> None:
        child = make_child(disk.folder)
        disk.fill()
        child.start()
        assert child.running
        assert ProcessIdentity.read(child.pid_file) is None

        disk.free()
        child.record()

        assert ProcessIdentity.read(child.pid_file) == ProcessIdentity.of(child.pid or 0)

    def test_a_long_log_gives_its_space_back(
        self, disk: SmallDisk, make_child: MakeChild, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(processes, "_LOG_LIMIT", 100_000)
        child = make_child(disk.folder)
        child.log.parent.mkdir()
        child.log.write_bytes(bytes(200_000))
        disk.fill()

        child.trim_log()

        assert child.log.stat().st_size == 0
        assert files_in(child.log.parent) == ["child.log"]


class TestSupervisor:
    def test_a_full_disk_is_said_once_and_the_pid_is_recorded_when_there_is_room(
        self, disk: SmallDisk, make_child: MakeChild, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("devservers.supervisor._UPKEEP_EVERY", 0.0)
        sentences: list[str] = []
        supervisor = Supervisor(sentences.append)
        child = make_child(disk.folder)
        supervisor.watch(Program(child))
        disk.fill()
        child.start()

        for _ in range(3):
            supervisor.check()
        assert child.running
        assert [sentence.partition(":")[0] for sentence in sentences] == [
            "The child runs, but its files could not be written"
        ]

        disk.free()
        supervisor.check()
        assert ProcessIdentity.read(child.pid_file) is not None

    def test_a_server_that_cannot_be_started_is_tried_again_and_the_others_are_watched(
        self, tmp_path: Path, make_child: MakeChild
    ) -> None:
        """Its program is gone for a while, which is an OSError."""
        program, hidden = tmp_path / "program", tmp_path / "hidden"
        program.symlink_to(sys.executable)
        sentences: list[str] = []
        supervisor = Supervisor(sentences.append)
        missing, other = make_child(tmp_path / "missing"), make_child(tmp_path / "other")
        missing.command = [program, "-c", FOREVER]
        for child in (missing, other):
            supervisor.watch(Program(child))
            child.start()
        program.rename(hidden)
        for child in (missing, other):
            os.kill(child.pid or 0, signal.SIGKILL)
        assert wait_for(lambda: not missing.running and not other.running, timeout=PATIENCE)

        def look_until(condition: Callable[[], bool]) -> bool:
            def looked() -> bool:
                supervisor.check()
                return condition()

            return wait_for(looked, timeout=PATIENCE)

        assert look_until(lambda: other.running and any("No such file" in each for each in sentences))
        hidden.rename(program)
        assert look_until(lambda: missing.running)

    def test_one_that_cannot_be_stopped_does_not_keep_the_others_running(
        self, tmp_path: Path, make_child: MakeChild
    ) -> None:
        sentences: list[str] = []
        supervisor = Supervisor(sentences.append)
        child = make_child(tmp_path)
        supervisor.watch(Program(child))
        child.start()
        supervisor.watch(Unstoppable())

        supervisor.stop()

        assert (child.running, sentences) == (False, ["It does not stop."])


class Unstoppable:
    """A server of somebody else."""

    child = None

    def start(self) -> None: ...

    def stop(self) -> None:
        raise ServerError("It does not stop.")


class TestFileDescriptors:
    def test_a_process_that_cannot_be_looked_at_has_not_ended(self) -> None:
        """And a supervisor without a free descriptor goes on, and replaces what has died when it has one."""
        program = """
import os, resource, signal, sys, tempfile, time
from pathlib import Path
from devservers.processes import Child, ProcessIdentity
from devservers.supervisor import Program, Supervisor

folder = Path(tempfile.mkdtemp())
child = Child("child", [sys.executable, "-c", "import time; time.sleep(60)"],
    log=folder / "log", pid_file=folder / "pid", environment=dict(os.environ))
supervisor = Supervisor(lambda sentence: print(sentence, flush=True))
supervisor.watch(Program(child))
child.start()
mine = ProcessIdentity.of(os.getpid())
taken = []
resource.setrlimit(resource.RLIMIT_NOFILE, (64, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
try:
    while True:
        taken.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
try:
    print("alive", mine.alive, flush=True)
except OSError:
    print("not known", flush=True)
first = child.pid
os.kill(first, signal.SIGKILL)
said_at = time.monotonic() + 3
while time.monotonic() < said_at:
    supervisor.check()
    time.sleep(0.1)
for descriptor in taken:
    os.close(descriptor)
while not child.running:
    supervisor.check()
    time.sleep(0.1)
print("replaced", child.pid != first, flush=True)
supervisor.stop()
"""
        output = subprocess.run(
            [sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE, check=False
        )

        lines = output.stdout.splitlines()
        assert output.returncode == 0, output.stderr
        assert lines[0] == "not known"
        assert any("Too many open files" in line for line in lines)
        assert lines[-1] == "replaced True"
