"""Stored bytes by key: in a local folder, or in S3-compatible storage (Supabase Storage, MinIO, AWS)."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

import structlog
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from app.core.errors import Unavailable

CHUNK_BYTES = 64 * 1024
PATIENCE = timedelta(seconds=10)

# Obstore raises Python's own errors where there is one, such as FileNotFoundError.
_FAILURES = (BaseError, OSError)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class S3Access:
    """Where a bucket is and who we are there; without a key, what the machine's own identity allows."""

    endpoint: str | None = None
    region: str = "us-east-1"
    key_id: str | None = None
    secret: str | None = None


class Storage:
    """Objects that are written once and never change; Unavailable where the storage does not answer."""

    def __init__(self, url: str, access: S3Access | None = None) -> None:
        self._url = checked_url(url)
        self._access = access or S3Access()

    @cached_property
    def _store(self) -> LocalStore | S3Store:
        """Opened when first used: a process that needs no object makes no folder."""
        if self._url.scheme == "file":
            return LocalStore(Path(unquote(self._url.path)), mkdir=True)
        return _bucket(self._url, self._access)

    async def put(self, key: str, content: bytes) -> None:
        """Keep the bytes. The same again is harmless."""
        try:
            await self._store.put_async(key, content)
        except _FAILURES as error:
            raise self._unavailable(error) from error

    async def read(self, key: str) -> AsyncIterator[bytes]:
        """The bytes, in pieces; that there are any is known before the first one."""
        try:
            found = await self._store.get_async(key)
        except _FAILURES as error:
            raise self._unavailable(error) from error
        return (bytes(piece) async for piece in found.stream(min_chunk_size=CHUNK_BYTES))

    def _unavailable(self, error: Exception) -> Unavailable:
        log.error("storage_failed", error=repr(error))
        return Unavailable("The storage of images does not answer. Try again.")


def checked_url(url: str) -> SplitResult:
    """The parts of `file:///folder` or `s3://bucket/prefix`; ValueError for anything else."""
    parts = urlsplit(url)
    folder = parts.scheme == "file" and not parts.netloc and len(parts.path) > 1
    bucket = parts.scheme == "s3" and parts.netloc and "@" not in parts.netloc
    if not (folder or bucket) or parts.query or parts.fragment:
        raise ValueError(
            "the address of the storage must look like file:///var/lib/ias/media or s3://bucket/prefix"
        )
    return parts


def _bucket(url: SplitResult, access: S3Access) -> S3Store:
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
            "timeout": PATIENCE,
        },
        # A request waits for this: the usual three minutes would be too long.
        retry_config={"max_retries": 2, "retry_timeout": PATIENCE},
        **{name: value for name, value in given.items() if value},  # type: ignore[arg-type] # as in S3Config
    )
