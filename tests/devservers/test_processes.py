"""Child processes: how they are started, known again, and stopped."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from devservers import processes
from devservers.errors import ServerError
from devservers.processes import Child, ProcessIdentity, stop_leftover, wait_for
from tests.waiting import PATIENCE

MakeChild = Callable[[str], Child]

FOREVER = "import time; print('ready', flush=True); time.sleep(60)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {FOREVER}"


@pytest.fixture
def make_child(tmp_path: Path) -> Iterator[MakeChild]:
    """Makes a child that runs a Python program."""
    made: list[Child] = []

    def make(program: str) -> Child:
        child = Child(
            "The child",
            [sys.executable, "-c", program],
            log=tmp_path / "logs" / "child.log",
            pid_file=tmp_path / "pids" / "child.json",
            environment=dict(os.environ),
            timeout=1,
        )
        made.append(child)
        return child

    yield make
    for child in made:
        child.stop()


def said_ready(child: Child) -> Callable[[], bool]:
    return lambda: "ready" in child.log.read_text()


class TestProcessIdentity:
    def test_it_is_alive_until_the_process_ends(self, make_child: MakeChild) -> None:
        child = make_child(FOREVER)
        child.start()
        identity = ProcessIdentity.of(child.pid or 0)
        assert identity is not None
        assert identity.alive

        child.stop()

        assert not identity.alive

    def test_another_process_with_the_same_pid_is_not_it(self) -> None:
        own = ProcessIdentity.of(os.getpid())
        assert own is not None

        assert own.alive
        assert not ProcessIdentity(own.pid, own.started + "0").alive

    def test_a_process_that_was_not_waited_for_has_ended(self) -> None:
        zombie = subprocess.Popen([sys.executable, "-c", ""])
        try:
            assert wait_for(lambda: ProcessIdentity.of(zombie.pid) is None, timeout=PATIENCE)
        finally:
            zombie.wait()

    @pytest.mark.parametrize("text", ["", "{", "[]", '{"pid": 1}', '{"pid": "x", "started": "y"}'])
    def test_a_damaged_file_names_nobody(self, tmp_path: Path, text: str) -> None:
        (tmp_path / "pid.json").write_text(text)

        assert ProcessIdentity.read(tmp_path / "pid.json") is None

    def test_ps_knows_processes_too(self) -> None:
        assert processes._started_by_ps(os.getpid())


class TestStart:
    def test_the_child_has_a_session_of_its_own(self, make_child: MakeChild) -> None:
        child = make_child(FOREVER)
        child.start()

        assert child.pid == os.getsid(child.pid or 0) != os.getsid(0)

    def test_log_and_pid_file_are_private(self, make_child: MakeChild) -> None:
        child = make_child(FOREVER)
        child.start()

        assert {path.stat().st_mode & 0o777 for path in (child.log, child.pid_file)} == {0o600}


class TestWaitUntil:
    def test_it_returns_when_the_child_is_ready(self, make_child: MakeChild) -> None:
        child = make_child(FOREVER)
        child.start()

        child.wait_until(said_ready(child), timeout=PATIENCE)

        assert child.running

    def test_an_early_end_shows_the_end_of_the_log(self, make_child: MakeChild) -> None:
        child = make_child("print('first words'); raise SystemExit('no room')")
        child.start()

        with pytest.raises(ServerError, match=r"(?s)ended with exit code 1 before it was ready.*no room"):
            child.wait_until(lambda: False, timeout=PATIENCE)

    def test_patience_ends(self, make_child: MakeChild) -> None:
        child = make_child(FOREVER)
        child.start()

        with pytest.raises(ServerError, match="not ready after 0 seconds"):
            child.wait_until(lambda: False, timeout=0.1)


class TestFinish:
    def test_success_is_silent(self, make_child: MakeChild) -> None:
        child = make_child("pass")
        child.start()

        child.finish(timeout=PATIENCE)

        assert not child.pid_file.exists()

    def test_failure_shows_the_end_of_the_log(self, make_child: MakeChild) -> None:
        child = make_child("raise SystemExit('no such table')")
        child.start()

        with pytest.raises(ServerError, match=r"(?s)ended with exit code 1.*no such table"):
            child.finish(timeout=PATIENCE)

    def test_patience_ends(self, make_child: MakeChild) -> None:
        child = make_child(FOREVER)
        child.start()

        with pytest.raises(ServerError, match="has not finished"):
            child.finish(timeout=0.1)
        assert not child.running


class TestStop:
    def test_a_deaf_child_is_killed_when_patience_ends(self, make_child: MakeChild) -> None:
        child = make_child(DEAF)
        child.start()
        child.wait_until(said_ready(child), timeout=PATIENCE)

        began = time.monotonic()
        child.stop()

        assert time.monotonic() - began >= 1
        assert not child.running

    def test_what_it_started_ends_with_it(self, make_child: MakeChild) -> None:
        child = make_child(
            "import subprocess, sys\n"
            f"print(subprocess.Popen([sys.executable, '-c', {DEAF!r}]).pid, flush=True)\n"
            "import time; time.sleep(60)"
        )
        child.start()
        child.wait_until(said_ready(child), timeout=PATIENCE)
        grandchild = ProcessIdentity.of(int(child.log.read_text().split()[0]))
        assert grandchild is not None

        child.stop()

        assert wait_for(lambda: not grandchild.alive, timeout=PATIENCE)

    def test_how_it_ended_is_said_in_words(self, make_child: MakeChild) -> None:
        child = make_child(FOREVER)
        child.start()
        os.kill(child.pid or 0, signal.SIGKILL)

        assert wait_for(lambda: child.ending == "was ended by SIGKILL", timeout=PATIENCE)


class TestStopLeftover:
    def test_the_child_of_a_killed_supervisor_is_stopped(
        self, tmp_path: Path, in_another_process: Callable[[str], subprocess.Popen[str]]
    ) -> None:
        supervisor = in_another_process(
            "import sys, time\nfrom pathlib import Path\nfrom devservers.processes import Child\n"
            f"folder = Path({str(tmp_path)!r})\n"
            f"Child('x', [sys.executable, '-c', {FOREVER!r}], log=folder / 'log', pid_file=folder / 'pid', "
            "environment={}).start()\nprint('ready', flush=True)\ntime.sleep(60)"
        )
        supervisor.kill()
        supervisor.wait()
        left = ProcessIdentity.read(tmp_path / "pid")
        assert left is not None
        assert ProcessIdentity.of(left.pid) == left

        stop_leftover(tmp_path / "pid")

        assert not left.alive
        assert not (tmp_path / "pid").exists()

    def test_a_recycled_pid_is_left_alone(self, make_child: MakeChild, tmp_path: Path) -> None:
        stranger = make_child(FOREVER)
        stranger.start()
        ProcessIdentity(stranger.pid or 0, "another boot/1").write(tmp_path / "pid")

        stop_leftover(tmp_path / "pid")

        assert stranger.running
        assert not (tmp_path / "pid").exists()


class TestTrimLog:
    def test_a_long_log_moves_aside_while_the_child_goes_on(
        self, make_child: MakeChild, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(processes, "_LOG_LIMIT", 10)
        child = make_child("import sys\nfor line in sys.stdin: print('x' * 20)\nprint('end', flush=True)")
        child.start()
        child.log.write_text("a long line of before\n")

        child.trim_log()
        child.write_input("")
        child.finish(timeout=PATIENCE)

        assert child.log.with_name("child.log.1").read_text() == "a long line of before\n"
        assert child.log.read_text() == "end\n"
