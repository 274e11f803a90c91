"""A worker that cannot start ends with its error, and leaves no child behind."""

import os
from pathlib import Path

from tests.fork_server import ForkServer, Program

SECONDS = 120


def test_a_wrong_setting_ends_the_worker(tmp_path: Path, fork_server: ForkServer) -> None:
    """Without the child's end Python would wait for it for ever. Only a failing test takes the time."""
    log = tmp_path / "log"
    worker = fork_server.start(Program("tests.workers.wrong_setting", [], {**os.environ}, log, log))
    try:
        assert worker.wait(SECONDS) == 1
    finally:
        worker.kill()
    assert "FCM_SERVICE_ACCOUNT" in log.read_text()
