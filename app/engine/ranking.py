"""Rank and percentile from the distribution of exact scores."""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

Histogram = Mapping[Fraction, int]
"""How many candidates have each score."""

_PERCENTILE_PLACES = 7


@dataclass(frozen=True)
class Standing:
    """A rank among the participants; `percentile` is from 0 to 100."""

    rank: int
    participants: int
    percentile: float


def standings(histogram: Histogram) -> Mapping[Fraction, Standing]:
    """Return the standing of each score of a histogram; see `standing`."""
    participants = sum(histogram.values())
    found, above = {}, 0
    for score in sorted(histogram, reverse=True):
        if histogram[score]:
            percentile = round(100 * (participants - above) / participants, _PERCENTILE_PLACES)
            found[score] = Standing(rank=above + 1, participants=participants, percentile=percentile)
        above += histogram[score]
    return found


def standing(histogram: Histogram, score: Fraction) -> Standing:
    """Return the rank and percentile that a score has, or would have, in the histogram.

    Equal scores share a rank and the next ones are skipped: 1, 2, 2, 4.
    The percentile is NTA's: 100 * (participants with a score <= this one) / participants, seven decimals.
    Raises ValueError if the histogram is empty.
    """
    participants = sum(histogram.values())
    if participants < 1:
        raise ValueError("Nobody has a score yet.")
    above = sum(count for other, count in histogram.items() if other > score)
    percentile = round(100 * (participants - above) / participants, _PERCENTILE_PLACES)
    return Standing(rank=above + 1, participants=participants, percentile=percentile)
