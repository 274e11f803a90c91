"""A child of `core/process_pool.py`: `python -m app.core.child_process MEMORY_BYTES CPU_SECONDS`.

It reads requests from its standard input and writes replies to its standard output, each a pickle with its
length before it. It ends as soon as the input is closed, which the system does when the parent ends.
"""

import os
import pickle
import resource
import struct
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from typing import IO, Any

_LENGTH = struct.Struct(">Q")

_DOES_NOT_FIT = ("failed to map segment", "Cannot allocate memory")
"""What the dynamic linkers of glibc and musl say."""

Reply = tuple[str, Any]
"""`("item", value)` for each value of a generator; at last `("done", (value, stays))` or `("raised", …)`.

A process that does not stay has taken so much memory that it is to be replaced.
"""


def send(pipe: IO[bytes], message: object) -> None:
    """Write one message."""
    frame = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(frame)))
    pipe.write(frame)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes:
    """Read one message, still pickled. Raises EOFError where the other side has ended."""
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    return _exactly(pipe, length)


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    content = pipe.read(size)
    if len(content) < size:
        raise EOFError
    return content


def main() -> None:
    """Answer requests until the input is closed."""
    memory_bytes, cpu_seconds = int(sys.argv[1]), int(sys.argv[2])
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # What a library prints must not stand among the replies.
    with suppress(ValueError, OSError):  # macOS does not know this limit.
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    requests: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_read_requests, args=(requests,), daemon=True).start()
    while True:
        request = requests.get()
        _limit_cpu(cpu_seconds)
        for reply in _replies(request, memory_bytes):
            send(replies, reply)


def _read_requests(requests: "SimpleQueue[bytes]") -> None:
    """In a thread of its own, so that the end of the parent is noticed while a request is worked on."""
    try:
        while True:
            requests.put(receive(sys.stdin.buffer))
    except (EOFError, MemoryError):
        os._exit(1)


def _limit_cpu(seconds: int) -> None:
    """Each request has its own time; the limit of the system counts from the start of the process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, hard))


def _replies(request: bytes, memory_bytes: int) -> Iterator[Reply]:
    try:
        function: Callable[..., object]
        function, arguments = pickle.loads(request)  # noqa: S301 -- from our parent
        result = function(*arguments)
        if isinstance(result, Iterator):
            for item in result:
                yield "item", item
            result = None
        yield "done", (result, _may_stay(memory_bytes))
    except Exception as caught:  # noqa: BLE001 -- the parent decides what it means
        error = MemoryError(str(caught)) if _lacks_memory(caught) else caught
        error.add_note(traceback.format_exc())
        # Not pickled as it is: a class with a constructor of its own cannot be made again by calling it.
        parts = (type(error), error.args, dict(error.__dict__))
        yield "raised", (parts, not isinstance(error, MemoryError) and _may_stay(memory_bytes))


def _lacks_memory(error: Exception) -> bool:
    """Whether a library could not be loaded because its code does not fit into the memory that is left."""
    return isinstance(error, ImportError) and any(sign in str(error) for sign in _DOES_NOT_FIT)


def _may_stay(memory_bytes: int) -> bool:
    """Whether little enough memory is taken: libraries keep what they have for later."""
    return _memory_used() < memory_bytes // 2


def _memory_used() -> int:
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Not `ru_maxrss`: on Linux a process begins with that of its parent.
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    main()
