"""Object storage in a local folder or an S3-compatible service (Supabase Storage, MinIO, AWS)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import SplitResult, unquote, urlsplit

import structlog

from app.core.errors import NotFound, Unavailable

if TYPE_CHECKING:
    from obstore.store import LocalStore, S3Store

CHUNK_BYTES = 64 * 1024
TIMEOUT = timedelta(seconds=10)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class S3Access:
    """The location and credentials of a bucket. Without a key, the identity of the machine is used."""

    endpoint: str | None = None
    region: str = "us-east-1"
    key_id: str | None = None
    secret: str | None = None


class Storage:
    """Stores objects. Its methods raise Unavailable if the storage does not respond."""

    def __init__(self, url: str, access: S3Access | None = None) -> None:
        self._url = checked_url(url)
        self._access = access or S3Access()

    @cached_property
    def _store(self) -> "LocalStore | S3Store":
        """Opened at the first use, so that a process without stored objects creates no folder."""
        from obstore.store import LocalStore  # noqa: PLC0415 -- 5 MB, which processes without files do not need

        if self._url.scheme == "file":
            return LocalStore(Path(unquote(self._url.path)), mkdir=True)
        return _bucket(self._url, self._access)

    async def put(self, key: str, content: bytes) -> None:
        """Store an object. It replaces what the key had."""
        try:
            await self._store.put_async(key, content)
        except _failures() as error:
            raise self._unavailable(error) from error

    async def put_file(self, key: str, path: Path) -> None:
        """Store a file under a key. A large one is read and sent in parts."""
        try:
            await self._store.put_async(key, path)
        except _failures() as error:
            raise self._unavailable(error) from error

    async def delete(self, key: str) -> None:
        """Delete an object. Does nothing if there is none."""
        try:
            await self._store.delete_async(key)
        except FileNotFoundError:
            return
        except _failures() as error:
            raise self._unavailable(error) from error

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """Return an iterator over the object's bytes. Raises NotFound here, not in the iterator."""
        try:
            found = await self._store.get_async(key)
        except FileNotFoundError as error:
            log.exception("stored_object_missing", key=key)
            raise NotFound("file") from error
        except _failures() as error:
            raise self._unavailable(error) from error
        return (bytes(chunk) async for chunk in found.stream(min_chunk_size=CHUNK_BYTES))

    def _unavailable(self, error: Exception) -> Unavailable:
        log.error("storage_failed", error=repr(error))
        return Unavailable("The storage of files does not respond. Try again.")


def checked_url(url: str) -> SplitResult:
    """Parse `file:///folder` or `s3://bucket/prefix`. Raises ValueError for other addresses."""
    parts = urlsplit(url)
    folder = parts.scheme == "file" and not parts.netloc and len(parts.path) > 1
    bucket = parts.scheme == "s3" and parts.netloc and "@" not in parts.netloc
    if not (folder or bucket) or parts.query or parts.fragment:
        raise ValueError(
            "the address of the storage must have the form file:///var/lib/ias/media or s3://bucket/prefix"
        )
    return parts


@cache
def _failures() -> tuple[type[Exception], ...]:
    from obstore.exceptions import BaseError  # noqa: PLC0415 -- as above

    # Obstore raises built-in exceptions for some errors, such as FileNotFoundError.
    return BaseError, OSError


def _bucket(url: SplitResult, access: S3Access) -> "S3Store":
    from obstore.store import S3Store  # noqa: PLC0415 -- as above

    given = {
        "endpoint": access.endpoint,
        "access_key_id": access.key_id,
        "secret_access_key": access.secret,
        "prefix": url.path.strip("/"),
    }
    return S3Store(
        url.netloc,
        region=access.region,
        client_options={
            "allow_http": (access.endpoint or "").startswith("http://"),
            "connect_timeout": timedelta(seconds=3),
            "timeout": TIMEOUT,
        },
        # A request waits for the storage. The default of three minutes is too long.
        retry_config={"max_retries": 2, "retry_timeout": TIMEOUT},
        **{name: value for name, value in given.items() if value},  # type: ignore[arg-type] # as in S3Config
    )
