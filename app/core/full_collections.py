"""Disables full garbage collections while many objects are alive.

A full collection visits all objects and blocks the event loop. With the rows of a large sheet in memory it
takes a third of a second, and it runs often. The rows are freed by reference counting and do not need it.
"""

import gc
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_NEVER = 1_000_000_000
_default_threshold = gc.get_threshold()
_active_blocks = 0


@contextmanager
def disabled() -> Iterator[None]:
    """Disable full collections in this block. Collections of younger generations run as usual."""
    global _active_blocks, _default_threshold  # noqa: PLW0603 -- the collector belongs to the process
    if _active_blocks == 0:
        _default_threshold = gc.get_threshold()
        gc.set_threshold(*_default_threshold[:2], _NEVER)
    _active_blocks += 1
    try:
        yield
    finally:
        _active_blocks -= 1
        if _active_blocks == 0:
            gc.set_threshold(*_default_threshold)


def disabled_in(function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
    """Return the coroutine function with full collections disabled while it runs."""

    @wraps(function)
    async def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        with disabled():
            return await function(*args, **kwargs)

    return wrapped
