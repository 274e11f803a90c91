"""Answer similarity: pairs of answer sheets that agree more often than chance allows.

The generalized binomial test (van der Linden and Sotaridona, 2006, Journal of Educational and Behavioral
Statistics 31), with option probabilities by score stratum instead of a parametric model. Given the strata of
two candidates, the number of their equal answers is a sum of independent trials of unequal probability.

A small probability is a reason to look, never a proof: candidates who learned from one book agree too. With
fewer than about 80 items the test finds little. All pairs of n candidates are n (n - 1) / 2 tests.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.engine.statistics.distractors import Choices, option_counts, score_groups

Floats = NDArray[np.float64]
Pairs = NDArray[np.int64]
_Compared = tuple[Pairs, Pairs, NDArray[np.int16]]
"""Rows of the first and of the second candidates, and the number of their equal answers."""

_STRATA = 12
_SMOOTHING = 0.1
"""Added to each count. With 0.5, three times as many independent pairs as promised were below 0.001."""
_BLOCK = 2_000
_PAIRS_AT_ONCE = 100_000


@dataclass(frozen=True, slots=True)
class SimilarPair:
    """Two rows of the answers, the number of their equal answers, and how probable it is."""

    first: int
    second: int
    equal: int
    expected: float
    probability: float
    """Of so many equal answers or more, by chance."""


def similar_pairs(
    choices: Choices, totals: Floats, options: int, threshold: float, pairs: Pairs | None = None
) -> list[SimilarPair]:
    """Return the pairs whose probability is at most `threshold`, the least probable first.

    `choices` is as in `option_counts`: equal blanks count as equal answers, with their own probability. All
    pairs are compared, or only those of `pairs`, which has two rows of `choices` in each row. The
    probabilities of options are always estimated from all candidates.
    """
    strata = score_groups(totals, min(_STRATA, max(1, len(totals) // 30)))
    tails, expected = _tails(choices, strata, options)
    found: list[SimilarPair] = []
    compared = _all_pairs(choices, options) if pairs is None else _listed_pairs(choices, pairs)
    for first, second, equal in compared:
        probability = tails[strata[first], strata[second], equal]
        for place in np.argwhere(probability <= threshold):
            at = tuple(place)
            one, other = (int(np.broadcast_to(rows, equal.shape)[at]) for rows in (first, second))
            if one < other:
                mean = float(expected[strata[one], strata[other]])
                found.append(SimilarPair(one, other, int(equal[at]), mean, float(probability[at])))
    return sorted(found, key=lambda pair: (pair.probability, pair.first, pair.second))


def _listed_pairs(choices: Choices, pairs: Pairs) -> Iterator[_Compared]:
    """The number of equal answers of the pairs of a list, some at a time."""
    ordered = np.sort(pairs, axis=1)
    for start in range(0, len(ordered), _PAIRS_AT_ONCE):
        first, second = ordered[start : start + _PAIRS_AT_ONCE].T
        yield first, second, (choices[first] == choices[second]).sum(axis=1, dtype=np.int16)


def _all_pairs(choices: Choices, options: int) -> Iterator[_Compared]:
    """The number of equal answers of each pair, block by block of the upper triangle.

    The rows of a block are a column of numbers, and the columns a row, so that they broadcast to its shape.
    """
    count = len(choices)
    codes = np.arange(-2, options)
    places = np.arange(count)
    for top in range(0, count, _BLOCK):
        rows = slice(top, top + _BLOCK)
        of_rows = _one_hot(choices[rows], codes)
        for left in range(top, count, _BLOCK):
            columns = slice(left, left + _BLOCK)
            equal = (of_rows @ _one_hot(choices[columns], codes).T).astype(np.int16)
            yield places[rows, None], places[None, columns], equal


def _one_hot(choices: Choices, codes: NDArray[np.int64]) -> NDArray[np.float32]:
    marks: NDArray[np.bool_] = choices[:, :, None] == codes
    return marks.reshape(len(choices), -1).astype(np.float32)


def _tails(choices: Choices, strata: NDArray[np.int64], options: int) -> tuple[Floats, Floats]:
    """By two strata: the probability of k equal answers or more, for each k; and the expected number."""
    counts = option_counts(choices, strata, options) + _SMOOTHING
    shares = counts / counts.sum(axis=2, keepdims=True)
    equal = np.einsum("sio,tio->sti", shares, shares)
    groups, items = equal.shape[0], equal.shape[2]
    mass = np.zeros((groups, groups, items + 2))
    mass[..., 0] = 1
    for item in range(items):
        chance = equal[..., item, None]
        mass[..., 1:] = mass[..., 1:] * (1 - chance) + mass[..., :-1] * chance
        mass[..., 0] *= 1 - chance[..., 0]
    tails = np.flip(np.cumsum(np.flip(mass, axis=2), axis=2), axis=2)
    return tails, equal.sum(axis=2)
