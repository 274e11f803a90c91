"""How far an import is: for whoever shows it to a person that waits."""

from collections.abc import Callable
from enum import StrEnum


class Stage(StrEnum):
    """What an import does, in this order."""

    READING = "Reading rows"
    FINDING = "Finding questions"
    WRITING = "Writing rows"
    COMPARING = "Comparing questions"


Progress = Callable[[Stage, int, int | None], None]
"""Is told the stage, how much is done, and how much there is to do, where that is known; from any thread."""


def unwatched(stage: Stage, done: int, of: int | None) -> None:
    """For imports that nobody watches."""
