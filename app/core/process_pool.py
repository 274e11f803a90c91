"""A pool of child processes for work on files, with limits for memory and time (docs/decisions/0041).

For a small image, workbook or page to typeset, a library may need gigabytes or minutes and hold Python's
global interpreter lock. A child that reaches a limit is killed and replaced. Children get no secrets, no
sockets and only the environment that is listed in `_start`.
"""

import asyncio
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import structlog

from app.core import child_process
from app.core.errors import TooComplex
from app.core.turns import Turns
from app.sentences import Sentence

T = TypeVar("T")

_ROOT = Path(__file__).parent.parent.parent
_INHERITED_VARIABLES = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")
_IDLE_SECONDS = 300
_BUSY = Sentence("Too many files are being processed. Try again in a moment.")

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """The limits of a pool. Time and memory are limits of one call."""

    processes: int = 2
    queue: int = 8
    """The number of callers that may wait for a child."""
    seconds: int = 60
    memory_bytes: int = 1_500_000_000


class ProcessPool:
    """Runs functions in child processes, one at a time for each caller. Children are started on demand."""

    def __init__(self, limits: PoolLimits) -> None:
        self._limits = limits
        self._threads = ThreadPoolExecutor(limits.processes, thread_name_prefix="files")
        self._idle: list[_Child] = []
        self._turns = Turns(at_once=limits.processes, queue=limits.queue, seconds=limits.seconds, busy=_BUSY)
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """The number of calls that wait for a child."""
        return self._turns.waiting

    async def run(self, function: Callable[..., T], *arguments: Any, caller: Hashable, advice: str) -> T:
        """Call a function in a child. An exception of the function is raised here.

        A second call of the same `caller` waits for the first. Raises Unavailable if too many calls wait, and
        TooComplex with `advice` on how to correct the input if a limit was reached.
        """
        async with self._turns.turn(caller):
            result: T = await self._within_limits(_Call(function, arguments, []), advice)
            return result

    async def collect(
        self, function: Callable[..., Iterator[T]], *arguments: Any, caller: Hashable, advice: str
    ) -> list[T]:
        """Like `run` for a generator. Receiving items one by one keeps the event loop responsive."""
        call = _Call(function, arguments, [])
        async with self._turns.turn(caller):
            await self._within_limits(call, advice)
        return call.items

    def close(self) -> None:
        """End idle children. Busy children end when their callers are done."""
        self._is_closed = True
        while self._idle:
            child = self._idle.pop()
            child.kill()
            child.close()
        self._threads.shutdown(wait=True)

    async def _within_limits(self, call: "_Call", advice: str) -> Any:
        child = self._idle.pop() if self._idle else _Child(self._limits)
        child.cancel_timer()
        try:
            async with asyncio.timeout(self._limits.seconds):
                result = await self._exchange(child, call)
        except TimeoutError:
            raise _too_long(self._limits.seconds, advice) from None
        except EOFError:
            raise await self._limit_reached(child, call, advice) from None
        finally:
            await self._put_back(child, call)
        if isinstance(result, MemoryError):
            raise _too_much(advice)
        if isinstance(result, Exception):
            raise result
        return result

    async def _limit_reached(self, child: "_Child", call: "_Call", advice: str) -> TooComplex:
        """The error for a child that has exited or was killed by the system."""
        signal_number = await asyncio.get_running_loop().run_in_executor(self._threads, child.close)
        log.warning("child_process_ended", function=call.function.__name__, signal=signal_number)
        if signal_number == signal.SIGXCPU:
            return _too_long(self._limits.seconds, advice)
        return _too_much(advice)

    async def _put_back(self, child: "_Child", call: "_Call") -> None:
        """Keep a child that can be used again. End any other."""
        if call.is_reusable and not self._is_closed:
            self._idle.append(child)
            child.end_later(self._end_idle)
        else:
            child.kill()
            self._threads.submit(child.close)

    async def _exchange(self, child: "_Child", call: "_Call") -> Any:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, child.ask, (call.function, call.arguments))
        while True:
            kind, value = await loop.run_in_executor(self._threads, child.reply)
            if kind == "item":
                call.items.append(value)
                continue
            result, call.is_reusable = value
            return _rebuilt(*result) if kind == "raised" else result

    def _end_idle(self, child: "_Child") -> None:
        if child in self._idle:
            self._idle.remove(child)
            child.kill()
            self._threads.submit(child.close)


@dataclass(slots=True)
class _Call:
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    items: list[Any]
    is_reusable: bool = False
    """Whether the child has replied and can be used again."""


def _rebuilt(kind: type[Exception], arguments: tuple[Any, ...], state: dict[str, Any]) -> Exception:
    """Build the exception of the function from its parts."""
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error


class _Child:
    """A process that runs one function at a time. `ask`, `reply` and `close` block and run in threads."""

    def __init__(self, limits: PoolLimits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, request: object) -> None:
        """Send a function and its arguments. Raises EOFError if the process has ended."""
        if self._process is None:
            self._process = _start(self._limits)
        if self._killed:  # While the process was starting, so that `kill` and `close` did not find it.
            self._process.kill()
            self.close()
            raise EOFError
        assert self._process.stdin is not None  # noqa: S101 -- opened as a pipe
        try:
            child_process.send(self._process.stdin, request)
        except (OSError, ValueError):
            raise EOFError from None

    def reply(self) -> Any:
        """Wait for the next reply. Raises EOFError if the process has ended."""
        assert self._process is not None  # noqa: S101 -- started by `ask`
        assert self._process.stdout is not None  # noqa: S101 -- opened as a pipe
        try:
            return pickle.loads(child_process.receive(self._process.stdout))  # noqa: S301 -- sent by our child
        except (OSError, ValueError):
            raise EOFError from None

    def kill(self) -> None:
        """Kill the process. `ask` and `reply` in other threads raise EOFError."""
        self._killed = True
        self.cancel_timer()
        if self._process is not None:
            self._process.kill()

    def close(self) -> int:
        """Wait for the end of the process and close its pipes, which no thread may use any more.

        Returns the signal that ended the process, or 0.
        """
        if self._process is None:
            return 0
        code = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # The pipe may hold data that was not sent.
                    pipe.close()
        return max(0, -code)

    def end_later(self, end: Callable[["_Child"], None]) -> None:
        """Call `end` after some minutes unless the timer is canceled before."""
        self._timer = asyncio.get_running_loop().call_later(_IDLE_SECONDS, end, self)

    def cancel_timer(self) -> None:
        """Cancel the timer of `end_later`."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _start(limits: PoolLimits) -> "subprocess.Popen[bytes]":
    """Start a child. It inherits only a few environment variables."""
    environment = {name: os.environ[name] for name in _INHERITED_VARIABLES if name in os.environ}
    environment |= {
        "PYTHONPATH": str(_ROOT),
        # Each thread reserves memory, and many threads would reserve all of the allowed memory.
        "MALLOC_ARENA_MAX": "2",
        "RAYON_NUM_THREADS": "2",
    }
    program = [sys.executable, "-P", "-m", child_process.__name__]
    return subprocess.Popen(  # noqa: S603 -- our own program
        [*program, str(limits.memory_bytes), str(limits.seconds)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
        start_new_session=True,  # Ctrl-C ends only the parent, so that requests in progress can finish.
    )


def _too_long(seconds: int, advice: str) -> TooComplex:
    template = "The file could not be processed within {seconds} seconds. {advice}"
    return TooComplex(Sentence(template, seconds=seconds, advice=Sentence(advice)))


def _too_much(advice: str) -> TooComplex:
    template = "Processing the file needs more memory than is allowed. {advice}"
    return TooComplex(Sentence(template, advice=Sentence(advice)))
