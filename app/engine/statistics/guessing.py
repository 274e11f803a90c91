"""What guessing gains and costs under negative marking.

With m marks for a right and w (negative) for a wrong answer, an answer that is right with probability p is
worth p m + (1 - p) w on average. It pays to answer above the break-even p = -w / (m - w): 1/4 under minus one
third.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Accuracy:
    """How often answers were right, with an interval: Beta(1 + right, 1 + wrong), from a uniform prior."""

    right: int
    answered: int
    low: float
    high: float
    above_break_even: float
    """The probability that the true accuracy is above the break-even."""

    @property
    def share(self) -> float | None:
        return self.right / self.answered if self.answered else None


@dataclass(frozen=True, slots=True)
class Regret:
    """Marks that were lost by wrong decisions to answer or not, on average."""

    lost_by_blanks: float
    """By leaving questions blank whose answer would have paid."""

    lost_by_answers: float
    """By answering questions whose answer could not pay."""


def break_even(right: float, wrong: float) -> float:
    """Return the probability above which an answer pays; 0 without negative marking."""
    return -wrong / (right - wrong)


def accuracy(right: int, answered: int, threshold: float, level: float = 0.9) -> Accuracy:
    """Return the accuracy with its central interval. `threshold` is the break-even."""
    a, b = 1 + right, 1 + answered - right
    tail = (1 - level) / 2
    return Accuracy(
        right=right,
        answered=answered,
        low=float(special.betaincinv(a, b, tail)),
        high=float(special.betaincinv(a, b, 1 - tail)),
        above_break_even=float(special.betaincc(a, b, threshold)),
    )


def regret(probability: Floats, answered: NDArray[np.bool_], right: Floats, wrong: Floats) -> Regret:
    """Return the marks lost by decisions, question by question.

    `probability` is that of a right answer, if the candidate answers; `right` and `wrong` are the marks.
    """
    worth = probability * right + (1 - probability) * wrong
    return Regret(
        lost_by_blanks=float(np.maximum(worth[~answered], 0).sum()),
        lost_by_answers=float(-np.minimum(worth[answered], 0).sum()),
    )
