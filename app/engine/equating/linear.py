"""Linear equating of forms with anchor items (NEAT design): the methods of Tucker and Levine."""

import math
from dataclasses import dataclass

import numpy as np

from app.engine.equating.distributions import Floats


@dataclass(frozen=True, slots=True)
class GroupMoments:
    """Moments of the scores of a group on the form and on the anchor, in marks.

    Variances have denominator n.
    """

    count: int
    mean: float
    variance: float
    anchor_mean: float
    anchor_variance: float
    covariance: float


@dataclass(frozen=True, slots=True)
class Line:
    """The equivalent of a score on form Y is `slope` times the score plus `intercept`."""

    slope: float
    intercept: float

    def at(self, scores: Floats) -> Floats:
        """Return the equivalents of scores of form X."""
        return self.slope * scores + self.intercept


def moments(scores: Floats, anchor: Floats) -> GroupMoments:
    """Return the moments of a group; both arrays have one entry for each candidate, in the same order."""
    table = np.cov(scores, anchor, ddof=0)
    return GroupMoments(
        count=len(scores),
        mean=float(scores.mean()),
        variance=float(table[0, 0]),
        anchor_mean=float(anchor.mean()),
        anchor_variance=float(table[1, 1]),
        covariance=float(table[0, 1]),
    )


def tucker(x: GroupMoments, y: GroupMoments, weight: float | None = None) -> Line:
    """Tucker's method: the regression of form on anchor is the same in both groups.

    For groups that do not differ much. `weight` is the share of group 1 in the synthetic population; without
    it, the share of its candidates.
    """
    return _line(x, y, _regression(x), _regression(y), weight)


def levine(x: GroupMoments, y: GroupMoments, weight: float | None = None, *, internal: bool = True) -> Line:
    """Levine's observed score method: the regression of true scores is the same in both groups.

    For groups that differ. The anchor items are a part of the form if `internal`.
    """
    return _line(x, y, _true_regression(x, internal), _true_regression(y, internal), weight)


def _regression(group: GroupMoments) -> float:
    return _ratio(group.covariance, group.anchor_variance)


def _true_regression(group: GroupMoments, internal: bool) -> float:
    if internal:
        return _ratio(group.variance, group.covariance)
    return _ratio(group.variance + group.covariance, group.anchor_variance + group.covariance)


def _ratio(one: float, other: float) -> float:
    if other <= 0:
        raise ValueError("The anchor does not tell candidates apart, or not in the way of the form.")
    return one / other


def _line(x: GroupMoments, y: GroupMoments, x_slope: float, y_slope: float, weight: float | None) -> Line:
    """Equate means and standard deviations in the synthetic population."""
    first = x.count / (x.count + y.count) if weight is None else weight
    second = 1 - first
    shift, spread = x.anchor_mean - y.anchor_mean, x.anchor_variance - y.anchor_variance
    between = first * second * shift**2
    x_mean, y_mean = x.mean - second * x_slope * shift, y.mean + first * y_slope * shift
    x_variance = x.variance + x_slope**2 * (between - second * spread)
    y_variance = y.variance + y_slope**2 * (between + first * spread)
    if x_variance <= 0 or y_variance <= 0:
        raise ValueError("The scores of a form have no spread in the synthetic population.")
    slope = math.sqrt(y_variance / x_variance)
    return Line(slope, y_mean - slope * x_mean)
