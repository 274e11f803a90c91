"""`ias up` on a disk that is full: it goes on, replaces what dies, and writes its addresses when it can."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from devservers.processes import wait_for
from tests.full_disk import SmallDisk, small_disk
from tests.installation import Terminal, is_ready
from tests.thorough import thorough_only
from tests.waiting import PATIENCE

MEGABYTES = 300


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "disk", MEGABYTES) as disk:
        if disk is None:
            pytest.skip("This user may not mount a file system.")
        yield disk


@pytest.fixture
def terminal(disk: SmallDisk) -> Iterator[Terminal]:
    terminal = Terminal(disk.folder)
    yield terminal
    terminal.close()


@thorough_only
class TestFullDisk:
    def test_what_dies_on_a_full_disk_is_replaced_and_the_addresses_follow(
        self, disk: SmallDisk, terminal: Terminal
    ) -> None:
        process = terminal.up()
        run = terminal.run_of(process)
        disk.fill()
        os.kill(run["pids"]["api"], signal.SIGKILL)
        os.kill(run["pids"]["worker"], signal.SIGKILL)
        api_log = terminal.home.logs / "api.log"
        assert wait_for(lambda: is_ready(run) or process.poll() is not None, PATIENCE, interval=0.2)
        assert process.poll() is None, api_log.read_text()[-2000:]
        assert terminal.home.read_run() == run  # It could not be written anew.

        disk.free()

        def addresses_are_true() -> bool:
            pids = (terminal.home.read_run() or run)["pids"]
            return all(pids[name] != run["pids"][name] for name in ("api", "worker"))

        assert wait_for(addresses_are_true, PATIENCE)
        assert wait_for(lambda: is_ready(run), PATIENCE, interval=0.2)
        process.terminate()
        output = terminal.end_of(process)
        assert (process.returncode, "Traceback" in output) == (0, False), output
        assert "run.json could not be written (No space left on device)" in output
        assert "run.json is written again" in output
