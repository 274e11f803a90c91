"""The Python with which `make` creates .venv. Scripts that print a fixed answer replace the interpreters."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

NOTICE = "python3 was built without optimizations"


def run(folder: Path, answers: dict[str, str], python: str = "") -> subprocess.CompletedProcess[str]:
    """Run the script where each of these commands gives its answer."""
    for name, answer in answers.items():
        command = folder / name
        command.write_text(f"#!/bin/sh\necho {answer}\n")
        command.chmod(0o755)
    return subprocess.run(
        ["/bin/sh", ROOT / "scripts/find_python.sh"],
        check=False,
        env={"PATH": str(folder), "PYTHON": python},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("answers", "python", "found", "message"),
    [
        ({"python3": "optimized", "python3.13": "optimized"}, "", "python3", ""),
        (
            {"python3": "unoptimized", "python3.12": "optimized"},
            "",
            "python3.12",
            NOTICE,
        ),
        ({"python3": "no_venv", "python3.11": "optimized"}, "", "python3.11", ""),
        ({"python3": "", "python3.13": "optimized"}, "", "python3.13", ""),
        (
            {"python3": "unoptimized", "python3.12": "optimized"},
            "python3",
            "python3",
            NOTICE,
        ),
    ],
)
def test_which_is_found(
    tmp_path: Path, answers: dict[str, str], python: str, found: str, message: str
) -> None:
    done = run(tmp_path, answers, python)
    assert (done.returncode, done.stdout) == (0, f"{found}\n")
    assert message in done.stderr
    assert bool(message) is bool(done.stderr)


@pytest.mark.parametrize(
    ("answer", "message"),
    [("no_venv", "apt install python3-venv"), ("", "PYTHON=python3 is not Python 3.11")],
)
def test_why_the_named_one_is_refused(tmp_path: Path, answer: str, message: str) -> None:
    done = run(tmp_path, {"python3": answer, "python3.13": "optimized"}, "python3")
    assert (done.returncode, done.stdout) == (1, "")
    assert message in done.stderr


def test_this_python_is_suitable(tmp_path: Path) -> None:
    assert run(tmp_path, {}, sys.executable).stdout == f"{sys.executable}\n"
