"""SSC's formula of 2019: a straight line for each session, through two points of its distribution."""

import math
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from app.engine.normalization.base import NormalizationMethod, NormalizationUndefined, Scale
from app.engine.ranking import Histogram

_TOP_SHARE = Fraction(1, 1000)
_ROOT_PLACES = 40


class Ssc2019(NormalizationMethod):
    """(M_gt - M_gq) / (M_ti - M_iq) * (M_ij - M_iq) + M_gm, with

    - M_ij the raw score of candidate j of session i,
    - M_gt and M_ti the mean of the best 0.1 %, over all sessions and of session i, their number rounded up,
    - M_gq and M_iq the mean plus the standard deviation, over all sessions and of session i,
    - M_gm the mean of the session with the highest mean, plus the standard deviation over all sessions.

    The notice does not say which standard deviation: it is the one of a population (denominator n), because
    all candidates are counted. Scores may be above the maximum of the paper or below its minimum.
    Not defined where the best 0.1 % have no more than mean plus standard deviation: the line would be flat,
    or fall, or not exist. This happens in small sessions and where nearly all candidates have the same marks.
    Source: SSC, notice of 7 February 2019.
    """

    name = "ssc_2019"
    places = 5

    def exact(self, sessions: Sequence[Histogram]) -> list[Scale]:
        overall: Counter[Fraction] = Counter()
        for session in sessions:
            overall.update(session)
        top, quantile = best_mean(overall), mean(overall) + deviation(overall)
        if top <= quantile:
            raise NormalizationUndefined(None)
        base = max(map(mean, sessions)) + deviation(overall)
        return [_line(index, session, top - quantile, base) for index, session in enumerate(sessions)]


def _line(index: int, session: Histogram, rise: Fraction, base: Fraction) -> Scale:
    quantile = mean(session) + deviation(session)
    run = best_mean(session) - quantile
    if run <= 0:
        raise NormalizationUndefined(index)
    return {raw: rise / run * (raw - quantile) + base for raw in session}


def mean(session: Histogram) -> Fraction:
    """Return the mean raw score."""
    return Fraction(sum(raw * count for raw, count in session.items())) / sum(session.values())


def deviation(session: Histogram) -> Fraction:
    """Return the standard deviation of the population, cut off after 40 decimal places."""
    center = mean(session)
    variance = sum((raw - center) ** 2 * count for raw, count in session.items()) / sum(session.values())
    return _root(Fraction(variance))


def best_mean(session: Histogram) -> Fraction:
    """Return the mean of the best 0.1 % of candidates, their number rounded up."""
    wanted = left = math.ceil(_TOP_SHARE * sum(session.values()))
    total = Fraction(0)
    for raw in sorted(session, reverse=True):
        taken = min(left, session[raw])
        total += raw * taken
        left -= taken
        if not left:
            break
    return total / wanted


def _root(value: Fraction) -> Fraction:
    """The square root, from whole numbers: the same on every machine."""
    scale = 10**_ROOT_PLACES
    return Fraction(math.isqrt(value.numerator * value.denominator * scale**2), value.denominator * scale)
