"""ZIP files from people: opened only if what they say of their size can be true and is not too much."""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

_ENTRY = b"PK\x01\x02"  # at the beginning of each entry of a ZIP's directory
_LARGEST_RATIO = 200
_SMALL = 1_000_000

# Of the other methods, `zipfile` unpacks more than it is asked for.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """How much may be in an archive."""

    entries: int
    bytes_inside: int


class RefusedArchive(Exception):
    """Why an archive is not opened."""

    def __init__(self, reason: Literal["damaged", "entries", "size", "ratio"]) -> None:
        super().__init__(reason)
        self.reason = reason


def open_archive(content: bytes, limits: ArchiveLimits) -> zipfile.ZipFile:
    """The archive, nothing of it unpacked. Raises RefusedArchive.

    What the entries say of their size may be a lie: who unpacks one reads no more than that.
    """
    # Before the library makes an object of each entry: a directory of 25 MB has half a million of them.
    if content.count(_ENTRY) > limits.entries:
        raise RefusedArchive("entries")
    try:
        archive = zipfile.ZipFile(BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise RefusedArchive("damaged") from None
    _check_size(archive.infolist(), limits)
    return archive


def _check_size(entries: Sequence[zipfile.ZipInfo], limits: ArchiveLimits) -> None:
    size = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if size > limits.bytes_inside:
        raise RefusedArchive("size")
    if size > _SMALL and size > packed * _LARGEST_RATIO:
        raise RefusedArchive("ratio")
