"""The files of a home folder: private, replaced in one step, held by one process at a time."""

import fcntl
import os
import secrets
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from devservers.errors import HomeInUse


def make_private_folder(path: Path) -> Path:
    """Make a folder (with its parents) that its owner alone may enter; one that exists keeps its mode."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path


def write_private(path: Path, text: str) -> None:
    """Write or replace a file that its owner alone may read; readers see the old text or the new one."""
    make_private_folder(path.parent)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)  # A full disk must not be filled with unfinished files.
        raise


def kept_secret(path: Path) -> str:
    """The secret in a file; a random one, kept from now on, where there is none."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(32) + "\n")
    return path.read_text().strip()


@contextmanager
def hold(path: Path) -> Iterator[None]:
    """Hold a lock that dies with its holder."""
    make_private_folder(path.parent)
    # Unbuffered: what a full disk refused must not be written again when the file is closed.
    with open(path, "a+b", buffering=0, opener=private) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise HomeInUse(f"{path.parent} is in use by process {_text(file.read()) or '?'}.") from None
        with suppress(OSError):  # The number is for people to read. The lock holds on a full disk, too.
            file.truncate(0)
            file.write(f"{os.getpid()}\n".encode())
        yield


def _text(content: bytes) -> str:
    return content.decode(errors="replace").strip()


def private(path: str, flags: int) -> int:
    """An opener of files that their owner alone may read."""
    return os.open(path, flags, 0o600)
