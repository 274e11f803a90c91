"""A bounded pool of child processes for work on files that a library could make long or large.

An image, a workbook's XML or a page to typeset may take gigabytes or minutes for a small input, and hold
Python's lock meanwhile. A child has a limit for its memory and its time; one that reaches a limit is killed
and replaced. Children get no secrets, no sockets and no environment but what Python needs.
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

T = TypeVar("T")

_ROOT = Path(__file__).parent.parent.parent
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT")
_IDLE_SECONDS = 300
_BUSY = "Too many files are being worked on. Try again in a moment."

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class PoolLimits:
    """What all the work of a pool, and each piece of it, may take."""

    processes: int = 2
    queue: int = 8
    """How many callers may wait for a child."""
    seconds: int = 60
    memory_bytes: int = 1_500_000_000


class ProcessPool:
    """Runs functions in child processes, one for each caller at a time. Children start when needed."""

    def __init__(self, limits: PoolLimits) -> None:
        self._limits = limits
        self._threads = ThreadPoolExecutor(limits.processes, thread_name_prefix="files")
        self._idle: list[_Child] = []
        self._turns = Turns(at_once=limits.processes, queue=limits.queue, seconds=limits.seconds, busy=_BUSY)
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """How many pieces of work wait for a child."""
        return self._turns.waiting

    async def run(self, function: Callable[..., T], *arguments: Any, caller: Hashable, advice: str) -> T:
        """Call a function of a module in a child. What it raises is raised here.

        `caller` is whose work it is: a second piece of theirs waits for the first. Raises Unavailable where
        too many wait, TooComplex with `advice` on how to mend the input where a limit was reached.
        """
        async with self._turns.turn(caller):
            result: T = await self._within_limits(_Call(function, arguments, []), advice)
            return result

    async def collect(
        self, function: Callable[..., Iterator[T]], *arguments: Any, caller: Hashable, advice: str
    ) -> list[T]:
        """Like `run`, for a generator: its items come one by one, so that none holds the event loop long."""
        call = _Call(function, arguments, [])
        async with self._turns.turn(caller):
            await self._within_limits(call, advice)
        return call.items

    def close(self) -> None:
        """End the children. Those at work end with their callers."""
        self._is_closed = True
        while self._idle:
            child = self._idle.pop()
            child.kill()
            child.close()
        self._threads.shutdown(wait=True)

    async def _within_limits(self, call: "_Call", advice: str) -> Any:
        child = self._idle.pop() if self._idle else _Child(self._limits)
        child.keep()
        try:
            async with asyncio.timeout(self._limits.seconds):
                result = await self._exchange(child, call)
        except TimeoutError:
            raise _too_long(self._limits.seconds, advice) from None
        except EOFError:
            raise await self._fact_of_end(child, call, advice) from None
        finally:
            await self._put_back(child, call)
        if isinstance(result, MemoryError):
            raise _too_much(advice)
        if isinstance(result, Exception):
            raise result
        return result

    async def _fact_of_end(self, child: "_Child", call: "_Call", advice: str) -> TooComplex:
        """What to say where a child has ended by itself, or by the system."""
        signal_number = await asyncio.get_running_loop().run_in_executor(self._threads, child.close)
        log.warning("child_process_ended", function=call.function.__name__, signal=signal_number)
        if signal_number == signal.SIGXCPU:
            return _too_long(self._limits.seconds, advice)
        return _too_much(advice)

    async def _put_back(self, child: "_Child", call: "_Call") -> None:
        """Keep a child that has finished its work; end any other."""
        if call.is_finished and not self._is_closed:
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
            result, call.is_finished = value
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
    is_finished: bool = False
    """Whether the child has answered and may be used again."""


def _rebuilt(kind: type[Exception], arguments: tuple[Any, ...], state: dict[str, Any]) -> Exception:
    """What the function raised."""
    error = kind.__new__(kind, *arguments)
    error.__dict__.update(state)
    return error


class _Child:
    """A process that runs one function at a time. Its methods that use the pipes are called in threads."""

    def __init__(self, limits: PoolLimits) -> None:
        self._limits = limits
        self._process: subprocess.Popen[bytes] | None = None
        self._killed = False
        self._timer: asyncio.TimerHandle | None = None

    def ask(self, request: object) -> None:
        """Send a function and its arguments. Raises EOFError where the process has ended."""
        if self._process is None:
            self._process = _started(self._limits)
        if self._killed:  # while it started
            self._process.kill()
        assert self._process.stdin is not None  # noqa: S101 -- a pipe was asked for
        try:
            child_process.send(self._process.stdin, request)
        except (OSError, ValueError):
            raise EOFError from None

    def reply(self) -> Any:
        """Wait for the next reply. Raises EOFError where the process has ended."""
        assert self._process is not None  # noqa: S101 -- it was asked
        assert self._process.stdout is not None  # noqa: S101 -- a pipe was asked for
        try:
            return pickle.loads(child_process.receive(self._process.stdout))  # noqa: S301 -- from our child
        except (OSError, ValueError):
            raise EOFError from None

    def kill(self) -> None:
        """End the process at once. Whoever waits for it gets EOFError."""
        self._killed = True
        self.keep()
        if self._process is not None:
            self._process.kill()

    def close(self) -> int:
        """Wait for the end of the process; the signal that ended it, or 0. When nobody uses its pipes."""
        if self._process is None:
            return 0
        code = self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what was not sent any more
                    pipe.close()
        return max(0, -code)

    def end_later(self, end: Callable[["_Child"], None]) -> None:
        """Let the process go if nobody needs it for some minutes."""
        self._timer = asyncio.get_running_loop().call_later(_IDLE_SECONDS, end, self)

    def keep(self) -> None:
        """It is needed after all."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def _started(limits: PoolLimits) -> "subprocess.Popen[bytes]":
    """A child with nothing of ours but the path of our code."""
    environment = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    environment |= {
        "PYTHONPATH": str(_ROOT),
        # Each thread would reserve memory of its own, and many of them all that the limit allows.
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
        start_new_session=True,  # Ctrl-C is for the parent: a request that is under way may finish.
    )


def _too_long(seconds: int, advice: str) -> TooComplex:
    return TooComplex(f"This could not be done within {seconds} seconds. {advice}")


def _too_much(advice: str) -> TooComplex:
    return TooComplex(f"This needs more memory than it may have. {advice}")
