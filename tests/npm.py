"""Packages of npm for the tests: installed once, as the lock file says, and kept between runs."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

NO_NETWORK = re.compile(
    "ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT"
)


def run(
    command: list[str], folder: Path, environment: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end."""
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def installed_packages(source: Path, name: str, config: pytest.Config) -> Path:
    """A folder with `package.json` of the source and its packages. Skips where npm cannot install them."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node and npm are not installed")
    assert config.cache is not None
    content = b"".join((source / name).read_bytes() for name in ("package.json", "package-lock.json"))
    folder = config.cache.mkdir(name) / sha256(content).hexdigest()[:16]
    if not folder.exists():
        _install(source, folder)
    return folder


def _install(source: Path, folder: Path) -> None:
    """Under another name until it is complete: two test runs may do it at the same time."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        unfinished = Path(name) / "packages"
        unfinished.mkdir()
        for file in ("package.json", "package-lock.json"):
            shutil.copy(source / file, unfinished)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        result = run(command, unfinished, os.environ)
        if result.returncode != 0 and NO_NETWORK.search(result.stderr):
            pytest.skip("the npm registry cannot be reached")
        assert result.returncode == 0, result.stderr
        if not folder.exists():
            unfinished.rename(folder)
