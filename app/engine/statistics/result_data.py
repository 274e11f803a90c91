"""The results of a test as its analysis takes them, and how figures are written as JSON."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
JsonObject = Mapping[str, Any]

_Z_90 = 1.6448536269514722


@dataclass(frozen=True, slots=True)
class QuestionData:
    """What the analysis has to know of a question."""

    max_marks: float
    wrong_marks: float
    """The marks of a wrong answer, such as -0.667."""
    options: int
    """The number of options, without one that means "not attempted"; 0 if answers are not choices."""
    listed_options: int
    """The number of options with it."""
    guess: float
    """How often a blind guess is right."""
    right_option: int
    """The place of the only right option; -1 if there is not just one."""
    section: int
    """The place of its section in the paper."""
    is_dropped: bool
    is_optional: bool
    """Whether candidates choose which questions of the section they answer."""
    difficulty: float = 0.0
    """What is known of its difficulty before anybody has answered it, in logits, ..."""
    difficulty_deviation: float = 2.5
    """... and the standard deviation of that."""


@dataclass(frozen=True, slots=True, eq=False)
class Membership:
    """A division of the attempts into groups: the place of the group of each, -1 for none."""

    places: NDArray[np.int8]
    names: Sequence[str]
    reference: str
    """The group with which the others are compared."""


@dataclass(frozen=True, slots=True, eq=False)
class ResultData:
    """A row for each attempt, a column for each question."""

    questions: Sequence[QuestionData]
    marks: Floats
    letters: NDArray[np.uint8]
    """The outcomes: c(orrect), i(ncorrect), p(artial), u(nattempted), d(ropped)."""
    choices: NDArray[np.int8]
    """The place of the chosen option, or `distractors.BLANK` or `distractors.OTHER`."""
    times_ms: NDArray[np.int32]
    """Milliseconds; -1 where they are not known."""
    groups: Mapping[str, Membership]
    """By `language`, `category` and `pwbd`."""

    def has(self, letter: str) -> NDArray[np.bool_]:
        """Where this is the outcome."""
        is_outcome: NDArray[np.bool_] = self.letters == ord(letter)
        return is_outcome

    @property
    def asked(self) -> NDArray[np.bool_] | None:
        """Where an answer was asked for; None if candidates could not choose which questions they answer.

        A blank of a question that is optional was not, nor was an answer beyond the number of its section.
        """
        optional = np.array([question.is_optional for question in self.questions], dtype=np.bool_)
        return ~(optional & self.has("u")) if optional.any() else None

    @property
    def measured(self) -> NDArray[np.bool_]:
        """Which questions are not dropped."""
        return ~np.array([question.is_dropped for question in self.questions], dtype=np.bool_)

    @property
    def max_marks(self) -> Floats:
        return np.array([question.max_marks for question in self.questions])


def number(value: float) -> float | None:
    """A figure as JSON has it: null if it is not defined."""
    return round(float(value), 6) if isfinite(value) else None


def interval(value: float, error: float, low: float = -np.inf, high: float = np.inf) -> JsonObject | None:
    """The interval that covers the true value in 90 of 100 cases, inside these limits."""
    if not (isfinite(value) and isfinite(error)):
        return None
    return {
        "low": number(max(value - _Z_90 * error, low)),
        "high": number(min(value + _Z_90 * error, high)),
    }
