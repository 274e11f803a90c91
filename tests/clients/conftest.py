"""The OpenAPI document as a file, and the application behind a real server, for generated clients."""

import json
import os
import re
import sys
import tempfile
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest
from fastapi import FastAPI

from tests.api.document import openapi_document
from tests.npm import run
from tests.sockets import serving

GENERATORS = Path(__file__).parent / "generators"
NO_PACKAGES = re.compile("Failed to establish a new connection|Name or service not known|timed out")


@pytest.fixture(scope="session")
def document_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The document, from which each language's client is generated once."""
    file = tmp_path_factory.mktemp("document") / "openapi.json"
    file.write_text(json.dumps(openapi_document()))
    return file


@pytest.fixture(scope="session")
async def sockets_url(app: FastAPI) -> AsyncIterator[str]:
    async with serving(app) as url:
        yield url


@pytest.fixture(scope="session")
def api_url(sockets_url: str) -> str:
    """The address of the application, without `/v1`."""
    return sockets_url.replace("ws://", "http://")


@pytest.fixture(scope="session")
def generators(pytestconfig: pytest.Config) -> Path:
    """A folder with the packages of the generators, installed once as their lock file says."""
    assert pytestconfig.cache is not None
    lock = GENERATORS / "requirements.txt"
    version = f"{sys.version_info.major}.{sys.version_info.minor} ".encode()
    folder = pytestconfig.cache.mkdir("generators") / sha256(version + lock.read_bytes()).hexdigest()[:16]
    if not folder.exists():
        _install(lock, folder)
    return folder


def _install(lock: Path, folder: Path) -> None:
    """Under another name until it is complete: two test runs may do it at the same time."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        unfinished = Path(name) / "packages"
        pip = [sys.executable, "-m", "pip", "install", "--quiet", "--require-hashes", "--no-deps"]
        result = run(
            [*pip, "--target", str(unfinished), "--requirement", str(lock)], folder.parent, os.environ
        )
        if result.returncode != 0 and NO_PACKAGES.search(result.stderr):
            pytest.skip("the package index cannot be reached")
        assert result.returncode == 0, result.stderr
        if not folder.exists():
            unfinished.rename(folder)
