"""The files of a home folder: private, replaced atomically, and locked by one process at a time."""

import fcntl
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from devservers.errors import HomeInUse


def make_private_folder(path: Path) -> Path:
    """Make a folder that only its owner may enter.

    Missing parents get the default mode; an existing folder keeps its mode.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_private(path: Path, text: str) -> None:
    """Write or replace a file that only its owner may read. Readers see the old text or the new text."""
    make_private_folder(path.parent)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)  # Unfinished files must not fill a full disk.
        raise


def read_or_create_secret(path: Path) -> str:
    """The secret in a file; if there is none, a random one is written."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32) + "\n")
    return path.read_text().strip()


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold a lock until the block or the process ends. Raises HomeInUse if another process holds it."""
    make_private_folder(path.parent)
    # Unbuffered, so that text that a full disk refused is not written again at closing.
    with open(path, "a+b", buffering=0, opener=private) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise HomeInUse(f"{path.parent} is in use by process {_text(file.read()) or '?'}.") from None
        with suppress(OSError):  # The pid is information for people; the lock does not need it.
            file.truncate(0)
            file.write(f"{os.getpid()}\n".encode())
        yield


def _text(content: bytes) -> str:
    return content.decode(errors="replace").strip()


def private(path: str, flags: int) -> int:
    """An opener for files that only their owner may read."""
    return os.open(path, flags, 0o600)
