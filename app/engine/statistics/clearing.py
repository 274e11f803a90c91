"""The probability that a candidate clears cut-offs with another paper like those that they have taken.

Whether an answer is right depends on one ability, which the answers so far show up to an error. Therefore the
probability has an interval: its 90 % interval over the abilities that are possible.

The ability is that of the questions that the candidate chose to answer. Ability over all questions, with
blanks as blind guesses, predicts the same mean and too large a spread: blanks earn nothing for certain.

How many questions the candidate answers differs from paper to paper: each is answered with the probability
of the share that was answered. Without this, the probabilities of simulated candidates were too near 0 and 1.

Before the answers, all accuracies from 0 to 1 are equally likely: the logistic distribution of the ability.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import gcd
from typing import Self

import numpy as np
from numpy.typing import NDArray

from app.engine.statistics.irt.model import Floats, Items, logistic, probabilities

_ABILITIES: Floats = np.linspace(-6, 6, 121)
_MIN_PROBABILITY = 1e-12
_LOW, _HIGH = 0.05, 0.95


@dataclass(frozen=True, slots=True)
class Chance:
    """The probability of clearing a cut-off, with its 90 % interval."""

    probability: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Marking:
    """How a paper is marked: all questions alike, in whole parts of a mark such as thirds: +6 and -2."""

    questions: int
    right: int
    wrong: int
    """Zero or negative."""

    @property
    def step(self) -> int:
        """All totals are multiples of this."""
        return gcd(self.right, self.wrong)

    @property
    def steps(self) -> tuple[int, int]:
        """What a right answer gains and a wrong one loses, in steps."""
        return self.right // self.step, -self.wrong // self.step


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
    known: Answered, paper: Items, marking: Marking, cutoffs: Sequence[int]
) -> list[Chance]:
    """Return the chance of at least each of the totals.

    `known` are the answers that show the ability, `paper` the questions that were answered in the paper that
    the next one is like.
    """
    weights = _possible_abilities(known)
    near = _likely(weights)
    totals = total_distribution(probabilities(paper, _ABILITIES[near]), marking)
    tails = totals[:, ::-1].cumsum(axis=1)[:, ::-1]
    return [_chance(_reaching(tails, marking, each), weights[near]) for each in cutoffs]


def total_distribution(curves: Floats, marking: Marking) -> Floats:
    """Return the distribution of the total: a row for each ability, a column for each step from the lowest.

    `curves` has the probability of a right answer by answered question (row) and ability (column). They stand
    for all questions of the paper, in turn, each of which is answered with the share of questions that have
    a curve. The distribution is exact: one question is added after the other.
    """
    answered, abilities = curves.shape
    gain, loss = marking.steps
    mass = np.zeros((abilities, (gain + loss) * marking.questions + 1))
    lowest = highest = loss * marking.questions
    mass[:, lowest] = 1
    share = answered / marking.questions
    for number in range(marking.questions if answered else 0):
        chance = share * curves[number % answered][:, None]
        before = mass[:, lowest : highest + 1].copy()
        mass[:, lowest : highest + 1] *= 1 - share
        mass[:, lowest + gain : highest + gain + 1] += before * chance
        mass[:, lowest - loss : highest - loss + 1] += before * (share - chance)
        lowest, highest = lowest - loss, highest + gain
    return mass


def _possible_abilities(known: Answered) -> Floats:
    """The probability of each ability after the answers."""
    curves = np.clip(probabilities(known.items, _ABILITIES), _MIN_PROBABILITY, 1 - _MIN_PROBABILITY)
    logarithm = np.where(known.is_right[:, None], np.log(curves), np.log1p(-curves)).sum(axis=0)
    share = logistic(_ABILITIES)
    likelihood = np.exp(logarithm - logarithm.max()) * share * (1 - share)
    weights: Floats = likelihood / likelihood.sum()
    return weights


def _likely(weights: Floats) -> slice:
    """The abilities that are not practically impossible, with one more on each side.

    After a few hundred answers they are a quarter of all, and the rest changes no digit that is shown.
    """
    possible = np.flatnonzero(weights > _MIN_PROBABILITY)
    return slice(max(possible[0] - 1, 0), possible[-1] + 2)


def _reaching(tails: Floats, marking: Marking, cutoff: int) -> Floats:
    """By ability, the probability of at least the cut-off. `tails` has that of each total or more."""
    _, loss = marking.steps
    lowest = -(-cutoff // marking.step) + loss * marking.questions
    if lowest >= tails.shape[1]:
        return np.zeros(len(tails))
    reached: Floats = np.clip(tails[:, max(lowest, 0)], 0, 1)
    return reached


def _chance(by_ability: Floats, weights: Floats) -> Chance:
    """The mean over the abilities, and the probabilities at the ends of their 90 % interval."""
    below = np.cumsum(weights) - weights / 2
    low, high = np.interp([_LOW, _HIGH], below, by_ability)
    mean = float(by_ability @ weights)
    return Chance(mean, min(float(low), mean), max(float(high), mean))
