"""Answer similarity: pairs of attempts that agree more often than chance allows.

The generalized binomial test (van der Linden and Sotaridona, 2006, Journal of Educational and Behavioral
Statistics 31), with probabilities of answers by regression instead of a parametric model. Given how well two
candidates answer, the number of their equal answers is a sum of independent trials of unequal probability.

Only questions that both have answered count. Blanks depend on how cautious a candidate is, which no total
tells: if equal blanks counted, two cautious candidates would look alike, and under negative marking a hundred
times as many independent pairs as promised would be flagged.

A small probability is a reason to look, never a proof: candidates who learned from one book agree too. With
fewer than about 80 items the test finds little. All pairs of n candidates are n (n - 1) / 2 tests.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from app.engine.statistics.distractors import BLANK, Choices, option_counts

Floats = NDArray[np.float64]
Numbers = NDArray[np.int64]
Pairs = NDArray[np.int64]
"""Two rows of the answers in each row."""

_LEVELS = 60
_BANDWIDTH = 1.1
"""In standard deviations of totals, times n to the power of -1/5."""
_TINY = 1e-9
_SMOOTHING = 0.1
"""Added to each count. With 0.5, three times as many independent pairs as promised were below 0.001."""
_BLOCK = 2_000
_PAIRS_AT_ONCE = 5_000
_SCREENED_BELOW = 0.1
_SCREEN = 0.75


@dataclass(frozen=True, slots=True)
class SimilarPair:
    """Two rows of the answers, the number of their equal answers, and how probable it is."""

    first: int
    second: int
    both: int
    """The number of items that both have answered."""
    equal: int
    expected: float
    probability: float
    """Of so many equal answers or more, by chance."""


def similar_pairs(
    choices: Choices, totals: Floats, options: int, threshold: float, pairs: Pairs | None = None
) -> list[SimilarPair]:
    """Return the pairs whose probability is at most `threshold`, the least probable first.

    `choices` is as in `option_counts`. `totals` says how well each candidate answers what they answer: where
    blanks are many, the share of right answers among the answers. All pairs are compared, or only those of
    `pairs`. The probabilities of answers are always estimated from all candidates.
    """
    comparison = _Comparison(choices, totals, options, threshold)
    listed = comparison.all_pairs() if pairs is None else iter([np.sort(pairs, axis=1)])
    found = [
        pair
        for some in listed
        for start in range(0, len(some), _PAIRS_AT_ONCE)
        for pair in comparison.flagged(some[start : start + _PAIRS_AT_ONCE])
    ]
    return sorted(found, key=lambda pair: (pair.probability, pair.first, pair.second))


class _Comparison:
    """The answers, and the probability of equal answers by two levels and item."""

    def __init__(self, choices: Choices, totals: Floats, options: int, threshold: float) -> None:
        self._choices, self._options, self._threshold = choices, options, threshold
        self._answered = choices != BLANK
        self._levels, shares = _shares(choices, totals, options)
        self._chances: Floats = np.einsum("sio,tio->sti", shares, shares)

    def flagged(self, pairs: Pairs) -> list[SimilarPair]:
        """Those of the pairs that are not more probable than the threshold."""
        first, second = pairs.T
        both = self._answered[first] & self._answered[second]
        equal = ((self._choices[first] == self._choices[second]) & both).sum(axis=1)
        chances = self._chances[self._levels[first], self._levels[second]] * both
        tails = _tails(chances, equal)
        return [
            SimilarPair(
                int(first[place]),
                int(second[place]),
                int(both[place].sum()),
                int(equal[place]),
                float(chances[place].sum()),
                float(tails[place]),
            )
            for place in np.flatnonzero(tails <= self._threshold)
        ]

    def all_pairs(self) -> Iterator[Pairs]:
        """The pairs that may be flagged, by two levels.

        The tail is computed for pairs only that have at least three quarters of the distance from the mean
        which the threshold has in a normal distribution.
        """
        order = np.argsort(self._levels, kind="stable")
        bounds = np.flatnonzero(np.diff(self._levels[order], prepend=-1, append=len(self._chances)))
        marks = _one_hot(self._choices[order], self._options)
        answered = self._answered[order].astype(np.float32)
        screen = -_SCREEN * special.ndtri(self._threshold) if self._threshold < _SCREENED_BELOW else -np.inf
        for one in range(len(self._chances)):
            for other in range(one, len(self._chances)):
                chances = self._chances[one, other].astype(np.float32)
                for rows, columns in _blocks(bounds, one, other):
                    equal = marks[rows] @ marks[columns].T
                    mean = (answered[rows] * chances) @ answered[columns].T
                    variance = (answered[rows] * (chances * (1 - chances))) @ answered[columns].T
                    near = np.argwhere(equal - 0.5 - mean >= screen * np.sqrt(variance))
                    near += (rows.start, columns.start)
                    yield np.sort(order[near[near[:, 0] < near[:, 1]]], axis=1)


def _blocks(bounds: Numbers, one: int, other: int) -> Iterator[tuple[slice, slice]]:
    """The candidates of two levels, some thousand at a time."""
    for top in range(bounds[one], bounds[one + 1], _BLOCK):
        for left in range(bounds[other], bounds[other + 1], _BLOCK):
            yield (
                slice(top, min(top + _BLOCK, bounds[one + 1])),
                slice(left, min(left + _BLOCK, bounds[other + 1])),
            )


def _one_hot(choices: Choices, options: int) -> NDArray[np.float32]:
    """For each candidate, item and answer whether it was given; of a blank nothing."""
    marks = np.zeros((*choices.shape, options + 1), dtype=np.float32)
    rows, columns = np.nonzero(choices != BLANK)
    codes = choices[rows, columns]
    marks[rows, columns, np.where(codes < 0, options, codes)] = 1
    return marks.reshape(len(choices), -1)


def _levels(totals: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The level of each candidate, and the mean total of each level, in standard deviations.

    Levels are narrow: in a wide one, two of its best candidates agree more than its mean explains.
    """
    deviation = float(totals.std())
    standard = (totals - totals.mean()) / deviation if deviation > 0 else np.zeros(len(totals))
    edges = np.linspace(standard.min(initial=0), standard.max(initial=0), _LEVELS + 1)
    _, levels = np.unique(np.searchsorted(edges[1:-1], standard), return_inverse=True)
    means = np.bincount(levels, standard) / np.bincount(levels)
    return levels, means


def _shares(choices: Choices, totals: Floats, options: int) -> tuple[NDArray[np.int64], Floats]:
    """The level of each candidate, and the probability of each answer of those who answer, by level and item:
    [level, item, answer], with any other answer at the end.

    A regression on the total, local and linear with a Gaussian kernel (Fan, 1992, "Design-adaptive
    nonparametric regression", Journal of the American Statistical Association 87; for items Ramsay, 1991,
    "Kernel smoothing approaches to nonparametric item characteristic curve estimation", Psychometrika 56).
    """
    levels, means = _levels(totals)
    counted = np.delete(option_counts(choices, levels, options), options, axis=2).astype(float)
    width = options + 1
    people = np.bincount(levels).astype(float)
    distance = means[None, :] - means[:, None]
    kernel = np.exp(-((distance / (_BANDWIDTH * len(totals) ** -0.2)) ** 2) / 2)
    zeroth, first, second = ((kernel * distance**power) @ people for power in (0, 1, 2))
    spread = zeroth * second - first**2
    linear = kernel * (second[:, None] - distance * first[:, None])
    constant = spread <= _TINY * zeroth**2
    weights = np.where(constant[:, None], kernel, linear / np.where(constant, 1, spread / zeroth)[:, None])
    counts = (
        np.maximum((weights @ counted.reshape(len(means), -1)).reshape(len(means), -1, width), 0) + _SMOOTHING
    )
    return levels, counts / counts.sum(axis=2, keepdims=True)


def _tails(chances: Floats, equal: Numbers) -> Floats:
    """The probability of at least so many successes in trials with these chances, for each row."""
    count, trials = chances.shape
    mass = np.zeros((count, trials + 1))
    mass[:, 0] = 1
    for trial in range(trials):
        chance = chances[:, trial, None]
        mass[:, 1:] = mass[:, 1:] * (1 - chance) + mass[:, :-1] * chance
        mass[:, 0] *= 1 - chance[:, 0]
    # From the smallest on, so that small tails are exact.
    tails = np.flip(np.cumsum(np.flip(mass, axis=1), axis=1), axis=1)
    found: Floats = np.minimum(tails[np.arange(count), equal], 1)
    return found
