"""The official JavaScript client against our server, under Node."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path

import pytest

from tests.contract.conftest import Project

SOURCE = Path(__file__).parent / "js"
NO_NETWORK = re.compile(
    "ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT"
)


def run(
    command: list[str], folder: Path, environment: Mapping[str, str]
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="session")
def installed(pytestconfig: pytest.Config) -> Path:
    """A folder with the script and the client's package, kept between runs."""
    if not (shutil.which("node") and shutil.which("npm")):
        pytest.skip("Node and npm are not installed")
    assert pytestconfig.cache is not None
    content = b"".join((SOURCE / name).read_bytes() for name in ("package-lock.json", "session.mjs"))
    folder = pytestconfig.cache.mkdir("auth-js") / sha256(content).hexdigest()[:16]
    if not folder.exists():
        _install(folder)
    return folder


def _install(folder: Path) -> None:
    """Under another name until it is complete: two test runs may do it at the same time."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        unfinished = Path(name) / "auth-js"
        shutil.copytree(SOURCE, unfinished)
        command = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
        result = run(command, unfinished, os.environ)
        if result.returncode != 0 and NO_NETWORK.search(result.stderr):
            pytest.skip("the npm registry cannot be reached")
        assert result.returncode == 0, result.stderr
        if not folder.exists():
            unfinished.rename(folder)


def test_lives_a_whole_account(installed: Path, project: Project, email: str) -> None:
    if project.mail_folder is None:
        pytest.skip("the script reads the mails of our own server")
    environment = {
        "PATH": os.environ["PATH"],
        "AUTH_URL": f"{project.url}/auth/v1",
        "ANON_KEY": project.anon_key,
        "EMAIL": email,
        "MAIL_FOLDER": str(project.mail_folder),
    }
    result = run(["node", "session.mjs"], installed, environment)
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout) == {
        "weak": {"code": "weak_password", "reasons": ["length"]},
        "name": "Asha",
        "taken": "user_already_exists",
        "wrong": "invalid_credentials",
        "rotated": True,
        "claims": email,
        "user": email,
        "same": "same_password",
        "renamed": "Asha Rao",
        "signedOut": "refresh_token_not_found",
        "signedInAgain": email,
    }
