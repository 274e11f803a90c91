"""The probability that a candidate clears cut-offs with a paper like those that they have taken.

The candidate answers the same questions again, or others of the same difficulty. Whether each answer is right
depends on one ability, which the answers so far show up to an error. Therefore the probability has an
interval: its 90 % interval over the abilities that are possible.

The ability is that of the questions that the candidate chose to answer. Ability over all questions, with
blanks as blind guesses, predicts the same mean and too large a spread: blanks earn nothing for certain.

Before the answers, all accuracies from 0 to 1 are equally likely: the logistic distribution of the ability.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from app.engine.statistics.irt.model import Floats, Items, logistic, probabilities

_ABILITIES: Floats = np.linspace(-6, 6, 121)
_SMALLEST = 1e-12
_LOW, _HIGH = 0.05, 0.95


@dataclass(frozen=True, slots=True)
class Chance:
    """The probability of clearing a cut-off, with its 90 % interval."""

    probability: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, eq=False)
class Answered:
    """Questions that the candidate answered, and which of the answers were right."""

    items: Items
    is_right: NDArray[np.bool_]

    @classmethod
    def of(cls, parameters: Sequence[tuple[float, float, float]], is_right: Sequence[bool]) -> Self:
        """Answers to items with these parameters, as in `items_of`."""
        return cls(items_of(parameters), np.array(is_right, dtype=bool))


def items_of(parameters: Sequence[tuple[float, float, float]]) -> Items:
    """Return items from their parameters: discrimination, difficulty and guessing."""
    return Items(*np.array(parameters, dtype=float).reshape(-1, 3).T)


def chances_of_clearing(
    known: Answered, paper: Items, right: int, wrong: int, cutoffs: Sequence[int]
) -> list[Chance]:
    """Return the chance of at least each of the totals.

    `known` are the answers that show the ability, `paper` the questions that will be answered, all with the
    same marks. Marks and cut-offs are whole parts of a common denominator, such as thirds: +6 and -2.
    """
    weights = _possible_abilities(known)
    totals = right_answers(probabilities(paper, _ABILITIES))
    count = len(paper.difficulty)
    return [_chance(_reaching(totals, _fewest_right(count, right, wrong, each)), weights) for each in cutoffs]


def right_answers(curves: Floats) -> Floats:
    """Return the distribution of the number of right answers: a row for each ability, a column for each
    number.

    `curves` has the probability of a right answer by question (row) and ability (column). The distribution
    is exact: one question is added after the other.
    """
    questions, abilities = curves.shape
    mass = np.zeros((abilities, questions + 1))
    mass[:, 0] = 1
    for number, curve in enumerate(curves):
        chance = curve[:, None]
        mass[:, 1 : number + 2] = mass[:, 1 : number + 2] * (1 - chance) + mass[:, : number + 1] * chance
        mass[:, 0] *= 1 - curve
    return mass


def _possible_abilities(known: Answered) -> Floats:
    """The probability of each ability after the answers."""
    curves = np.clip(probabilities(known.items, _ABILITIES), _SMALLEST, 1 - _SMALLEST)
    logarithm = np.where(known.is_right[:, None], np.log(curves), np.log1p(-curves)).sum(axis=0)
    share = logistic(_ABILITIES)
    likelihood = np.exp(logarithm - logarithm.max()) * share * (1 - share)
    weights: Floats = likelihood / likelihood.sum()
    return weights


def _fewest_right(count: int, right: int, wrong: int, cutoff: int) -> int:
    """How many of the answers must be right to reach a total; `count + 1` if all of them are too few."""
    needed = -((wrong * count - cutoff) // (right - wrong))
    return min(max(needed, 0), count + 1)


def _reaching(totals: Floats, fewest: int) -> Floats:
    """By ability, the probability of at least so many right answers."""
    reached: Floats = np.clip(totals[:, fewest:].sum(axis=1), 0, 1)
    return reached


def _chance(by_ability: Floats, weights: Floats) -> Chance:
    """The mean over the abilities, and the probabilities at the ends of their 90 % interval."""
    below = np.cumsum(weights) - weights / 2
    low, high = np.interp([_LOW, _HIGH], below, by_ability)
    mean = float(by_ability @ weights)
    return Chance(mean, min(float(low), mean), max(float(high), mean))
