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
            found[score] = _standing(above, participants)
        above += histogram[score]
    return found


def standing(histogram: Histogram, score: Fraction) -> Standing:
    """Return the rank and percentile that a score has, or would have, in the histogram.

    Equal scores share a rank and the next ones are skipped: 1, 2, 2, 4.
    Raises ValueError if the histogram is empty.
    """
    participants = sum(histogram.values())
    if participants < 1:
        raise ValueError("Nobody has a score yet.")
    above = sum(count for other, count in histogram.items() if other > score)
    return _standing(above, participants)


def at_or_below_percentile(rank: int, participants: int) -> float:
    """Return NTA's percentile of a rank, with seven decimals.

    It is 100 * (participants with the same or a lower score) / participants.
    """
    return round(100 * (participants - rank + 1) / participants, _PERCENTILE_PLACES)


def _standing(above: int, participants: int) -> Standing:
    rank = above + 1
    return Standing(rank, participants, at_or_below_percentile(rank, participants))
