"""A bar for each stage of a long command, beside its output: on the standard error."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn


class Told(Protocol):
    """Is told a stage, how much of it is done, and how much there is to do, where that is known."""

    def __call__(self, stage: str, done: int, of: int | None) -> None: ...


@contextmanager
def shown_progress() -> Iterator[Told]:
    """What is told is shown until the block ends. Where nobody watches, only how it ended is written."""
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    tasks: dict[str, TaskID] = {}
    with Progress(*columns, console=Console(stderr=True)) as bars:

        def told(stage: str, done: int, of: int | None) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=of)
            bars.update(tasks[stage], completed=done, total=of)

        yield told
