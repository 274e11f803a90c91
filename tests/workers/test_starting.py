"""A worker that cannot start ends with its error, and leaves no child behind."""

import os
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

PROGRAM = """
from pydantic import SecretStr
from app.config import Settings
from app.workers.supervisor import run_worker
if __name__ == "__main__":
    run_worker(Settings(fcm_service_account=SecretStr("{}")), 1)
"""


def test_a_wrong_setting_ends_the_worker(tmp_path: Path) -> None:
    """Without the child's end Python would wait for it for ever. Only a failing test takes the timeout."""
    program = tmp_path / "worker.py"
    program.write_text(PROGRAM)
    ended = subprocess.run(
        [sys.executable, program],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )
    assert ended.returncode == 1
    assert "FCM_SERVICE_ACCOUNT" in ended.stderr
