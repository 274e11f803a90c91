"""A real `ias up` for rehearsals, and rehearsals that get more time on a slow machine."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from app.cli.servers import ensure_servers
from app.config import get_settings
from rehearsal.exam.run import ExamRehearsal, NotReadyInTime
from rehearsal.run import Rehearsal
from tests.cli.conftest import FROM_OUTSIDE
from tests.cli.test_up import Terminal

_TRIES = 5

AnyRehearsal = TypeVar("AnyRehearsal", Rehearsal, ExamRehearsal)


@contextmanager
def running_installation(folder: Path) -> Iterator[tuple[str, Path]]:
    """The API's address and the path of run.json. The environment of this process names its servers."""
    terminal = Terminal(folder)
    with pytest.MonkeyPatch.context() as environment:
        for name in FROM_OUTSIDE:
            environment.delenv(name, raising=False)
        environment.chdir(terminal.folder)
        environment.setenv("IAS_HOME", str(terminal.home.folder))
        environment.setenv("GRACE_SECONDS", "1")
        try:
            run = terminal.run_of(terminal.up())
            with ensure_servers():
                get_settings.cache_clear()
                yield run["api_url"], terminal.home.run_file
        finally:
            get_settings.cache_clear()
            terminal.close()


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
