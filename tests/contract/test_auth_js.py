"""The official JavaScript client against our server, under Node."""

import json
import os
import shutil
from pathlib import Path

import pytest

from tests.contract.conftest import Project
from tests.npm import installed_packages, run

SOURCE = Path(__file__).parent / "js"


@pytest.fixture(scope="session")
def installed(pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the script and the client's package."""
    folder = tmp_path_factory.mktemp("auth-js")
    packages = installed_packages(SOURCE, "auth-js", pytestconfig)
    (folder / "node_modules").symlink_to(packages / "node_modules")
    shutil.copy(SOURCE / "session.mjs", folder)
    return folder


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
