"""Holding back Python's full garbage collections while very many objects are alive.

A full collection looks at every object and holds the event loop meanwhile: a third of a second with the rows
of a large sheet, again and again. Objects of a sheet are freed without it, as soon as nobody names them.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_NEVER = 1_000_000_000
_usual = gc.get_threshold()
_holding = 0


@contextmanager
def held_back() -> Iterator[None]:
    """Until the last one leaves, only young objects are collected, as often as always."""
    global _holding, _usual  # noqa: PLW0603 -- the collector is one for the process
    if _holding == 0:
        _usual = gc.get_threshold()
        gc.set_threshold(*_usual[:2], _NEVER)
    _holding += 1
    try:
        yield
    finally:
        _holding -= 1
        if _holding == 0:
            gc.set_threshold(*_usual)
