"""Progress of a long import, for display to the person who waits for it."""

from typing import Protocol


class ReportProgress(Protocol):
    """Called with the name of a stage, the number of items done and, if known, the total; from any thread."""

    def __call__(self, stage: str, done: int, total: int | None) -> None: ...


def no_progress(stage: str, done: int, total: int | None) -> None:
    """Report nothing."""
