"""ZIP files from users: opened only if their declared sizes are plausible and within limits."""

import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Literal

_ENTRY = b"PK\x01\x02"  # at the beginning of each entry of a ZIP's directory
_MAX_RATIO = 200
_SMALL = 1_000_000

_IS_UTF_8 = 0x800
_OF_SYSTEMS = frozenset((".ds_store", "thumbs.db", "desktop.ini"))

# Of the other methods, `zipfile` unpacks more than it is asked for.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)

DAMAGED_ENTRY = (
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
    NotImplementedError,
)
"""The exceptions that reading a damaged entry raises."""


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """The number of entries and the unpacked size that an archive may have."""

    entries: int
    unpacked_bytes: int


class ArchiveRefused(Exception):
    """The archive is not opened; `reason` says why."""

    def __init__(self, reason: Literal["damaged", "entries", "size", "ratio"]) -> None:
        super().__init__(reason)
        self.reason = reason


def open_archive(content: bytes, limits: ArchiveLimits) -> zipfile.ZipFile:
    """Open an archive without unpacking anything. Raises ArchiveRefused.

    The declared sizes may be wrong: whoever unpacks an entry reads no more bytes than it declares.
    """
    # Counted before the library makes an object of each entry: 25 MB can hold half a million entries.
    if content.count(_ENTRY) > limits.entries:
        raise ArchiveRefused("entries")
    try:
        archive = zipfile.ZipFile(BytesIO(content))
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        raise ArchiveRefused("damaged") from None
    _check_size(archive.infolist(), limits)
    return archive


def archived_name(entry: zipfile.ZipInfo) -> str:
    """Return the path of an entry. macOS writes UTF-8 without saying so, which reads as code page 437."""
    if entry.flag_bits & _IS_UTF_8:
        return entry.filename
    try:
        return entry.filename.encode("cp437").decode("utf-8")
    except UnicodeError:
        return entry.filename


def is_left_by_a_system(name: str) -> bool:
    """Return whether an entry is a folder, or a file that a system adds without telling."""
    parts = name.split("/")
    return name.endswith("/") or "__MACOSX" in parts or parts[-1].casefold() in _OF_SYSTEMS


def is_encrypted(entry: zipfile.ZipInfo) -> bool:
    """Return whether the entry has a password."""
    return bool(entry.flag_bits & 1)


def _check_size(entries: Sequence[zipfile.ZipInfo], limits: ArchiveLimits) -> None:
    size = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if size > limits.unpacked_bytes:
        raise ArchiveRefused("size")
    if size > _SMALL and size > packed * _MAX_RATIO:
        raise ArchiveRefused("ratio")
