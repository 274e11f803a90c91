"""What guessing gains and costs under negative marking.

With m marks for a right and w (negative) for a wrong answer, an answer that is right with probability p is
worth p m + (1 - p) w on average. It pays to answer above the break-even p = -w / (m - w): 1/4 under minus one
third.
"""

from collections.abc import Sequence
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
class Brier:
    """The mean squared error of stated probabilities, in the three parts of Murphy (1973).

    score = reliability - resolution + uncertainty. Reliability is 0 for somebody whose statements are true,
    resolution is large for somebody who tells right answers from wrong ones.
    """

    reliability: float
    resolution: float
    uncertainty: float

    @property
    def score(self) -> float:
        return self.reliability - self.resolution + self.uncertainty


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


def elimination_skill(right: int, answered: int, options: int, eliminated: int) -> float | None:
    """Return how much better than a blind guess among the options left the answers were; None without
    answers.
    """
    return right / answered - 1 / (options - eliminated) if answered else None


def brier(groups: Sequence[tuple[float, int, int]]) -> Brier | None:
    """Return the parts of the Brier score; None without answers.

    Each group is of answers with one stated probability: (probability, right, answered).
    """
    total = sum(answered for _, _, answered in groups)
    if total == 0:
        return None
    base = sum(right for _, right, _ in groups) / total
    reliability = sum(n * (stated - right / n) ** 2 for stated, right, n in groups if n) / total
    resolution = sum(n * (right / n - base) ** 2 for _, right, n in groups if n) / total
    return Brier(reliability, resolution, base * (1 - base))


def regret(probability: Floats, answered: NDArray[np.bool_], right: Floats, wrong: Floats) -> Regret:
    """Return the marks lost by decisions, question by question.

    `probability` is that of a right answer, if the candidate answers; `right` and `wrong` are the marks.
    """
    worth = probability * right + (1 - probability) * wrong
    return Regret(
        lost_by_blanks=float(np.maximum(worth[~answered], 0).sum()),
        lost_by_answers=float(-np.minimum(worth[answered], 0).sum()),
    )
