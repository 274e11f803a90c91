"""Distributions of scores: percentile ranks, and the scores that have them."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class ScoreDistribution:
    """How many candidates have each possible score of a form.

    The possible scores are `lowest`, `lowest + step` and so on; there are as many as frequencies. Smoothed
    frequencies are not whole numbers. For percentile ranks, candidates are spread evenly over half a step on
    both sides of their score, as is usual.
    """

    frequencies: Floats
    lowest: float = 0.0
    step: float = 1.0

    def __post_init__(self) -> None:
        if self.frequencies.ndim != 1 or not np.all(self.frequencies >= 0) or not self.frequencies.any():
            raise ValueError("A distribution has frequencies that are not negative, and a candidate.")
        if self.step <= 0:
            raise ValueError("The possible scores rise.")

    @property
    def scores(self) -> Floats:
        """The possible scores."""
        found: Floats = self.lowest + self.step * np.arange(len(self.frequencies), dtype=np.float64)
        return found

    @property
    def total(self) -> float:
        """How many candidates there are."""
        return float(self.frequencies.sum())

    @property
    def mean(self) -> float:
        """The mean score."""
        return float(self.frequencies @ self.scores) / self.total

    @property
    def deviation(self) -> float:
        """The standard deviation of the scores, with denominator n."""
        return float(np.sqrt(self.frequencies @ (self.scores - self.mean) ** 2 / self.total))


def distribution(scores: Floats, lowest: float, highest: float, step: float = 1.0) -> ScoreDistribution:
    """Count the scores of candidates. Raises ValueError for a score that is not a possible one."""
    places = (scores - lowest) / step
    count = round((highest - lowest) / step) + 1
    whole = np.rint(places).astype(np.int64)
    if np.any(np.abs(places - whole) > 1e-6) or np.any(whole < 0) or np.any(whole >= count):
        raise ValueError("A score is not one of the possible ones.")
    return ScoreDistribution(np.bincount(whole, minlength=count).astype(np.float64), lowest, step)


def percentile_ranks(found: ScoreDistribution, scores: Floats) -> Floats:
    """Return the share of candidates below each score, from 0 to 1, half of those who have it included."""
    ranks: Floats = np.interp((scores - found.lowest) / found.step, _ends(found), _cumulative(found))
    return ranks


def scores_at(found: ScoreDistribution, ranks: Floats) -> Floats:
    """Return the scores that have these percentile ranks.

    They lie between half a step below the lowest possible score and half a step above the highest. Where no
    candidate has the scores between two others, all of them have the same percentile rank: the middle one is
    returned.
    """
    ends, cumulative = _ends(found), _cumulative(found)
    ranks = np.clip(ranks, 0.0, 1.0)
    places = (_first(ends, cumulative, ranks) - _first(-ends[::-1], 1 - cumulative[::-1], 1 - ranks)) / 2
    return found.lowest + found.step * places


def _first(ends: Floats, cumulative: Floats, ranks: Floats) -> Floats:
    """The first place at which the cumulative share reaches each rank."""
    high = np.clip(np.searchsorted(cumulative, ranks - _SAME, side="left"), 1, len(ends) - 1)
    rise = cumulative[high] - cumulative[high - 1]
    part = np.where(rise > 0, (ranks - cumulative[high - 1]) / np.where(rise > 0, rise, 1.0), 0.0)
    found: Floats = np.where(
        ranks <= cumulative[0] + _SAME, ends[0], ends[high - 1] + np.clip(part, 0.0, 1.0)
    )
    return found


_SAME = 1e-12
"""Shares that differ by less are the same: they come from sums."""


def _ends(found: ScoreDistribution) -> Floats:
    """Where the interval of each score begins, in steps, and where the last one ends."""
    ends: Floats = np.arange(len(found.frequencies) + 1, dtype=np.float64) - 0.5
    return ends


def _cumulative(found: ScoreDistribution) -> Floats:
    shares: Floats = np.concatenate([[0.0], np.cumsum(found.frequencies)]) / found.total
    return shares
