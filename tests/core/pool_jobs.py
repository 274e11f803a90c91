"""Functions that tests run in child processes."""

import os
import signal
import sys
import time
from collections.abc import Iterator

from app.core.errors import TooLarge


def add(one: int, other: int) -> int:
    return one + other


def count_to(number: int) -> Iterator[int]:
    yield from range(number)


def process_id() -> int:
    return os.getpid()


def environment() -> list[str]:
    return sorted(os.environ)


def open_files() -> list[str]:
    """What the process has open besides its three standard streams and the listing itself."""
    links = (f"/proc/self/fd/{name}" for name in os.listdir("/proc/self/fd"))
    return [os.readlink(link) for link in links if os.path.exists(link)]


def refuse() -> None:
    raise TooLarge(1_000)


def stumble() -> None:
    raise LookupError("in the child")


_kept: list[bytearray] = []


def keep_memory(size: int) -> None:
    """As libraries do that hold what they have for later."""
    _kept.append(bytearray(b"x") * size)


def take_memory(size: int) -> int:
    return len(bytearray(size))


def work_for_ever() -> None:
    while True:
        pass


def wait_for_ever() -> None:
    time.sleep(10_000)


def wait_for(path: str) -> str:
    while not os.path.exists(path):
        time.sleep(0.01)
    return path


def die(with_signal: int = signal.SIGKILL) -> None:
    os.kill(os.getpid(), with_signal)


def print_much() -> str:
    print("x" * 100_000)
    sys.stdout.flush()
    return "done"


def fail_to_load() -> None:
    """As a library does whose code finds no room."""
    raise ImportError("libtiff.so.6: failed to map segment from shared object")


def fail_in_the_interpreter() -> None:
    """What CPython raises where an allocation fails and no exception is set."""
    raise SystemError("error return without exception set")
