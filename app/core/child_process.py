"""A child of `core/process_pool.py`: `python -m app.core.child_process MEMORY_BYTES CPU_SECONDS`.

It reads requests from its standard input and writes replies to its standard output. Each message is a pickle
with its length in front. The process exits when its input is closed, as it is when the parent ends.
"""

import errno
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

_OUT_OF_MEMORY_TEXTS = ("failed to map segment", "Cannot allocate memory")
"""Messages of the dynamic linkers of glibc and musl when there is not enough memory."""

Reply = tuple[str, Any]
"""`("item", value)` for each value of a generator, then `("done", (value, reusable))` or `("raised", …)`.

A process that uses much memory is not reusable: the parent replaces it.
"""


def send(pipe: IO[bytes], message: object) -> None:
    """Write one message."""
    frame = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    pipe.write(_LENGTH.pack(len(frame)))
    pipe.write(frame)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes:
    """Read one message without unpickling it. Raises EOFError if the other side has closed the pipe."""
    (length,) = _LENGTH.unpack(_exactly(pipe, _LENGTH.size))
    return _exactly(pipe, length)


def _exactly(pipe: IO[bytes], size: int) -> bytes:
    content = pipe.read(size)
    if len(content) < size:
        raise EOFError
    return content


def main() -> None:
    """Process requests until the input is closed."""
    memory_bytes, cpu_seconds = int(sys.argv[1]), int(sys.argv[2])
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # Output that a library prints must not be mixed with the replies.
    with suppress(ValueError, OSError):  # macOS does not support this limit.
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    requests: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_read_requests, args=(requests,), daemon=True).start()
    while True:
        request = requests.get()
        _limit_cpu(cpu_seconds)
        for reply in _replies(request, memory_bytes):
            send(replies, reply)


def _read_requests(requests: "SimpleQueue[bytes]") -> None:
    """Runs in a separate thread, so that the process exits with its parent even during a request."""
    try:
        while True:
            requests.put(receive(sys.stdin.buffer))
    except (EOFError, MemoryError):
        os._exit(1)


def _limit_cpu(seconds: int) -> None:
    """Limit the CPU time of a request. The system's limit counts from the start of the process."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    used = int(usage.ru_utime + usage.ru_stime) + 1
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (used + seconds, hard))


def _replies(request: bytes, memory_bytes: int) -> Iterator[Reply]:
    try:
        function: Callable[..., object]
        function, arguments = pickle.loads(request)  # noqa: S301 -- sent by the parent process
        result = function(*arguments)
        if isinstance(result, Iterator):
            for item in result:
                yield "item", item
            result = None
        yield "done", (result, _is_reusable(memory_bytes))
    except Exception as caught:  # noqa: BLE001 -- raised again in the parent
        error = MemoryError(str(caught)) if _is_out_of_memory(caught) else caught
        error.add_note(traceback.format_exc())
        # The exception is sent in parts, because pickle fails for classes with their own constructor.
        parts = (type(error), error.args, dict(error.__dict__))
        yield "raised", (parts, not isinstance(error, MemoryError) and _is_reusable(memory_bytes))


def _is_out_of_memory(error: Exception) -> bool:
    """Whether memory was short while a library was loaded, or where the interpreter sets no exception."""
    if isinstance(error, SystemError):
        return "without exception set" in str(error)
    if isinstance(error, OSError):
        return error.errno == errno.ENOMEM
    return isinstance(error, ImportError) and any(text in str(error) for text in _OUT_OF_MEMORY_TEXTS)


def _is_reusable(memory_bytes: int) -> bool:
    """Whether the process uses less than half of its memory. Libraries do not return all memory."""
    return _memory_used() < memory_bytes // 2


def _memory_used() -> int:
    if sys.platform == "darwin":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # On Linux `ru_maxrss` cannot be used, because a process starts with the value of its parent.
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize()


if __name__ == "__main__":
    main()
