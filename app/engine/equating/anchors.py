"""Equipercentile equating of forms with anchor items, which groups of unequal ability took (NEAT design)."""

import numpy as np

from app.engine.equating.distributions import Floats, ScoreDistribution
from app.engine.equating.equipercentile import equated, equipercentile


def chained(
    x: ScoreDistribution, x_anchor: ScoreDistribution, y_anchor: ScoreDistribution, y: ScoreDistribution
) -> Floats:
    """Return the equivalent on form Y of each possible score of form X: chained equipercentile equating.

    X is equated to the anchor in group 1, and the anchor to Y in group 2. `x_anchor` and `y_anchor` are the
    anchor scores of the two groups. Smooth the four distributions first.
    """
    if len(x_anchor.frequencies) != len(y_anchor.frequencies):
        raise ValueError("Both groups have the same possible anchor scores.")
    return equated(equipercentile(x, x_anchor), y_anchor, y)


def frequency_estimation(x_joint: Floats, y_joint: Floats, weight: float | None = None) -> Floats:
    """Return the equivalent on form Y, in steps from its lowest score, of each possible score of form X.

    `x_joint[i, v]` is how many of group 1 have score i on form X and score v on the anchor; `y_joint` is the
    same for group 2 and form Y. It assumes that candidates with the same anchor score do equally well on a
    form, whatever their group. It equates in a synthetic population with a share `weight` of group 1; without
    it, the share of its candidates. Anchor scores that nobody of the other group has are left out there.
    """
    if x_joint.shape[1] != y_joint.shape[1]:
        raise ValueError("Both groups have the same possible anchor scores.")
    first = float(x_joint.sum() / (x_joint.sum() + y_joint.sum())) if weight is None else weight
    x_own, y_own = x_joint / x_joint.sum(), y_joint / y_joint.sum()
    x = first * x_own.sum(axis=1) + (1 - first) * _reweighted(x_own, y_own.sum(axis=0))
    y = first * _reweighted(y_own, x_own.sum(axis=0)) + (1 - first) * y_own.sum(axis=1)
    return equipercentile(ScoreDistribution(x), ScoreDistribution(y))


def _reweighted(joint: Floats, anchor: Floats) -> Floats:
    """The distribution of scores, if the anchor scores were distributed as in the other group."""
    own = joint.sum(axis=0)
    shares = np.where(own > 0, anchor / np.where(own > 0, own, 1.0), 0.0)
    found: Floats = joint @ shares
    if not found.any():
        raise ValueError("The groups have no anchor score in common.")
    found /= found.sum()
    return found
