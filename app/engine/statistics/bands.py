"""The luck in one score: how far it may be from the mean of many sittings of an unchanged candidate.

Source: Lord and Novick, "Statistical Theories of Mental Test Scores", 1968, chapter 7: the standard error of
measurement is SD * sqrt(1 - alpha).
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import accumulate
from math import hypot

_Z_90 = 1.6448536269514722
_Z_95 = 1.959963984540054


class Change(StrEnum):
    """What two scores say of a candidate."""

    UP = "up"
    DOWN = "down"
    WITHIN_NOISE = "within_noise"


@dataclass(frozen=True, slots=True)
class Band:
    """An interval that holds the true score, the mean of many sittings, of 90 of 100 candidates.

    The score of one further sitting has luck of its own: of 100, about 76 lie in the interval.
    """

    low: float
    high: float


def score_band(score: float, error: float) -> Band:
    """Return the 90 % interval of a score."""
    return Band(score - _Z_90 * error, score + _Z_90 * error)


def rank_band(band: Band, scores: Sequence[float], counts: Sequence[int]) -> tuple[int, int]:
    """Return the best and the worst rank that the scores of a band would have among these participants.

    `scores` are the distinct scores in ascending order, `counts` how many participants have each.
    """
    below = [0, *accumulate(counts)]
    participants = below[-1]
    best = participants - below[bisect_right(scores, band.high)] + 1
    worst = participants - below[bisect_right(scores, band.low)] + 1
    return min(best, max(participants, 1)), min(worst, max(participants, 1))


def change(before: float, error_before: float, after: float, error_after: float) -> Change:
    """Return whether two scores on one scale differ by more than luck, with 95 % confidence."""
    limit = _Z_95 * hypot(error_before, error_after)
    if after - before > limit:
        return Change.UP
    return Change.DOWN if before - after > limit else Change.WITHIN_NOISE
