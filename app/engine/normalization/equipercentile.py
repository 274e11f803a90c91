"""The equipercentile method of SSC (since June 2025) and CUET."""

from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction

from app.engine.normalization.base import NormalizationMethod, Scale, percentiles
from app.engine.ranking import Histogram

Points = Sequence[tuple[Fraction, Fraction]]
"""Percentiles of a session in rising order, each with its raw score."""


class Equipercentile(NormalizationMethod):
    """The mean, over all sessions, of the marks that belong to the same percentile.

    In each session a raw score has the percentile m / n: m of its n candidates have at most this score. In a
    session where nobody has exactly this percentile, the marks are interpolated between those of the next
    lower and the next higher percentile. Below the lowest percentile of a session they are its lowest marks:
    nothing is extrapolated. Nothing lies above the highest: the best of each session has percentile 1.
    A session counts once in the mean, whatever its size. A normalized score lies between the lowest and the
    highest raw score of all sessions.
    Sources: SSC, notice of 2 June 2025; UGC and NTA on CUET (UG) 2022. Neither says what happens below the
    lowest percentile: this is our reading.
    """

    name = "equipercentile"
    places = 5

    def exact(self, sessions: Sequence[Histogram]) -> list[Scale]:
        shares = [percentiles(session) for session in sessions]
        points: list[Points] = [[(share, raw) for raw, share in session.items()] for session in shares]
        return [
            {
                raw: sum((marks_at(share, session) for session in points), Fraction(0)) / len(points)
                for raw, share in session_shares.items()
            }
            for session_shares in shares
        ]


def marks_at(share: Fraction, points: Points) -> Fraction:
    """Return the marks that belong to a percentile in a session."""
    place = bisect_left(points, share, key=lambda point: point[0])
    high, above = points[place]
    if high == share or place == 0:
        return above
    low, below = points[place - 1]
    return below + (share - low) / (high - low) * (above - below)
