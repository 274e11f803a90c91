"""Rehearsals that get more time on a slow machine."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

import pytest

from rehearsal.exam.run import ExamRehearsal, NotReadyInTime
from rehearsal.run import Rehearsal

_TRIES = 5

AnyRehearsal = TypeVar("AnyRehearsal", Rehearsal, ExamRehearsal)


def rehearse(make: Callable[[int], AnyRehearsal], seconds: int) -> AnyRehearsal:
    """Run rehearsals of growing duration until the machine is fast enough for everything that is planned.

    Only the time may be too short: a rehearsal with problems is returned at once.
    """
    for attempt in range(_TRIES):
        rehearsal = make(seconds * 2**attempt)
        try:
            asyncio.run(rehearsal.run())
        except NotReadyInTime:
            continue
        if rehearsal.problems or not was_too_short(rehearsal):
            return rehearsal
    pytest.fail(f"{_TRIES} rehearsals were too short; the last one was delayed: {rehearsal.delays}")


def was_too_short(rehearsal: Rehearsal | ExamRehearsal) -> bool:
    """Whether something came too late by the server's clock."""
    return bool(rehearsal.delays) or (isinstance(rehearsal, ExamRehearsal) and bool(rehearsal.skipped))
