"""The same storage twice: a folder, and a server that speaks S3."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import httpx
import pytest

from app.core.errors import NotFound, Unavailable
from app.core.storage import CHUNK_BYTES, S3Access, Storage
from devservers.network import free_port
from devservers.processes import wait_for
from tests.waiting import PATIENCE

CONTENT = bytes(range(256)) * 1000
ACCESS = {"key_id": "key", "secret": "secret"}


@pytest.fixture(scope="module")
def s3_url() -> Iterator[str]:
    """A server that speaks S3, with a bucket."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    arguments = [sys.executable, "-m", "moto.server", "-p", str(port)]
    with subprocess.Popen(arguments, stderr=subprocess.DEVNULL) as server:
        try:
            assert wait_for(lambda: _made_bucket(url), timeout=PATIENCE), "the S3 server does not answer"
            yield url
        finally:
            server.terminate()


def _made_bucket(url: str) -> bool:
    try:
        return httpx.put(f"{url}/images").is_success
    except httpx.TransportError:
        return False


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "images of all & sundry"


@pytest.fixture(params=["folder", "s3"])
def storage(request: pytest.FixtureRequest, folder: Path) -> Storage:
    if request.param == "folder":
        return Storage(folder.as_uri())
    return Storage("s3://images/a/prefix", S3Access(request.getfixturevalue("s3_url"), **ACCESS))


async def everything(storage: Storage, key: str) -> list[bytes]:
    return [piece async for piece in await storage.read(key)]


def files(folder: Path) -> dict[str, bytes]:
    """What is in a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


class TestStorage:
    async def test_what_goes_in_comes_out_in_pieces(self, storage: Storage) -> None:
        await storage.put("institute/0123", CONTENT)
        await storage.put("institute/4567", b"another")
        pieces = await everything(storage, "institute/0123")
        assert b"".join(pieces) == CONTENT
        assert len(pieces) > 1
        assert max(map(len, pieces)) < 4 * CHUNK_BYTES

    async def test_the_same_again_is_harmless(self, storage: Storage) -> None:
        for _ in range(2):
            await storage.put("again", CONTENT)
        assert b"".join(await everything(storage, "again")) == CONTENT

    async def test_what_is_lost_is_told_before_the_first_piece(self, storage: Storage) -> None:
        with pytest.raises(NotFound):
            await storage.read("lost")


class TestPlaces:
    async def test_a_folder_is_made_when_it_is_needed(self, folder: Path, tmp_path: Path) -> None:
        assert quote(folder.name) in folder.as_uri()
        storage = Storage(folder.as_uri())
        assert files(tmp_path) == {}
        await storage.put("institute/0123", CONTENT)
        assert files(folder) == {"institute/0123": CONTENT}

    async def test_a_prefix_of_a_bucket_is_kept(self, s3_url: str) -> None:
        await Storage("s3://images/one/two/", S3Access(s3_url, **ACCESS)).put("key", CONTENT)
        assert (
            b"".join(await everything(Storage("s3://images", S3Access(s3_url, **ACCESS)), "one/two/key"))
            == CONTENT
        )

    async def test_a_server_that_is_down(self) -> None:
        storage = Storage("s3://images", S3Access(f"http://127.0.0.1:{free_port()}", **ACCESS))
        with pytest.raises(Unavailable):
            await storage.put("key", CONTENT)

    async def test_a_bucket_that_is_not_there(self, s3_url: str) -> None:
        with pytest.raises(Unavailable):
            await Storage("s3://elsewhere", S3Access(s3_url, **ACCESS)).put("key", CONTENT)

    @pytest.mark.parametrize(
        "url",
        [
            "",
            "media",
            "/var/lib/media",
            "file://host/media",
            "file:///",
            "s3:///prefix",
            "s3://key:secret@bucket/prefix",
            "s3://bucket/prefix?region=x",
            "https://example.org/media",
        ],
    )
    def test_other_addresses_are_refused_at_once(self, url: str) -> None:
        with pytest.raises(ValueError, match="must have the form"):
            Storage(url)
