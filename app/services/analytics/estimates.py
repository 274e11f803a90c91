"""Estimates of a candidate's figures: a value with its interval and what it rests on, or why there is none.

Functions that need numpy import it where they run, in a thread: the application does not load it at start.
"""

from dataclasses import dataclass
from typing import Self

from app.sentences import Sentence


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its 90 % interval. `n` counts the answers, or what else it rests on.

    Where there is too little, the value is None and `reason` says how much is missing.
    """

    value: float | None
    low: float | None
    high: float | None
    n: int
    reason: Sentence | None = None

    @classmethod
    def missing(cls, n: int, reason: Sentence) -> Self:
        """No value, and why."""
        return cls(None, None, None, n, reason)
