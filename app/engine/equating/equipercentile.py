"""Equipercentile equating of forms that equally able groups took."""

from app.engine.equating.distributions import Floats, ScoreDistribution, percentile_ranks, scores_at


def equipercentile(x: ScoreDistribution, y: ScoreDistribution) -> Floats:
    """Return, for each possible score of form X, the score of form Y with the same percentile rank.

    Equated scores lie between half a step below the lowest and half a step above the highest score of form Y.
    They rise with the score. Smooth both distributions first (`presmoothing.smoothed`): otherwise the
    function follows the accidents of the two groups.
    """
    return equated(x.scores, x, y)


def equated(scores: Floats, x: ScoreDistribution, y: ScoreDistribution) -> Floats:
    """Return the equivalents of any scores of form X, also between possible ones."""
    return scores_at(y, percentile_ranks(x, scores))
