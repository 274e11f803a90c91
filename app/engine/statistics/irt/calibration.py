"""Estimating item parameters by marginal maximum likelihood.

The EM algorithm of Bock and Aitkin (1981), "Marginal maximum likelihood estimation of item parameters",
Psychometrika 46; each M step is Fisher scoring of all items at once. SQUAREM (Varadhan and Roland, 2008,
Scandinavian Journal of Statistics 35) extrapolates from two steps to the next. Standard errors are from the
cross products of the people's scores (the empirical information).
"""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.engine.statistics.irt.model import Floats, Items, Model, logistic, nodes
from app.engine.statistics.irt.posterior import Responses, posterior
from app.engine.statistics.irt.priors import NO_PRIORS, Priors

_MAX_STEPS = 500
_TOLERANCE = 1e-6
_SCORING_STEPS = 3
_MAX_MOVE = 0.7
_MIN_SLOPE = 0.02
_EDGE = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Estimated items. Errors are standard errors; those of parameters that are not free are 0."""

    model: Model
    items: Items
    discrimination_error: Floats
    difficulty_error: Floats
    guessing_error: Floats
    log_likelihood: float
    """Of the answers, without the priors."""

    steps: int
    converged: bool


def calibrate(responses: Responses, model: Model, priors: Priors | None = None) -> Calibration:
    """Estimate the items of a test.

    Without priors the estimates are of maximum likelihood. An item that everybody has right or wrong has no
    such estimate: its parameters are NaN, and it tells nothing of anybody. Raises ValueError for the 3PL
    without priors, whose likelihood has no maximum on most data (who wants it anyway gives `NO_PRIORS`), and
    without any item that some have right and some wrong.
    """
    if model is Model.THREE and priors is None:
        raise ValueError("The 3PL needs priors.")
    varies = _varying(responses)
    if not varies.any():
        raise ValueError("No item has both right and wrong answers.")
    estimator = _Estimator(_columns(responses, varies), model, (priors or NO_PRIORS).of(varies))
    return _spread(estimator.estimate(), varies)


def _varying(responses: Responses) -> NDArray[np.bool_]:
    seen = np.ones(responses.shares.shape, bool) if responses.seen is None else responses.seen
    lowest = np.where(seen, responses.shares, np.inf).min(axis=0)
    highest = np.where(seen, responses.shares, -np.inf).max(axis=0)
    varies: NDArray[np.bool_] = lowest < highest
    return varies


def _columns(responses: Responses, kept: NDArray[np.bool_]) -> Responses:
    if kept.all():
        return responses
    seen = None if responses.seen is None else responses.seen[:, kept]
    return replace(responses, shares=responses.shares[:, kept], seen=seen)


def _spread(found: Calibration, kept: NDArray[np.bool_]) -> Calibration:
    """The same estimates, with NaN for the items that were left out."""

    def wide(values: Floats) -> Floats:
        everywhere = np.full(kept.shape, np.nan)
        everywhere[kept] = values
        return everywhere

    items = found.items
    return replace(
        found,
        items=Items(wide(items.discrimination), wide(items.difficulty), wide(items.guessing)),
        discrimination_error=wide(found.discrimination_error),
        difficulty_error=wide(found.difficulty_error),
        guessing_error=wide(found.guessing_error),
    )


class _Estimator:
    """Holds the answers and the model; parameters are one array of shape (items, 3): a, d, logit c."""

    def __init__(self, responses: Responses, model: Model, priors: Priors) -> None:
        self._responses = responses
        self._model = model
        self._priors = priors
        self._nodes = nodes()
        self._free = {Model.ONE: 2, Model.TWO: 2, Model.THREE: 3}[model]

    def estimate(self) -> Calibration:
        values = self._start()
        best, fallback = -np.inf, values
        steps, converged = 0, False
        while steps < _MAX_STEPS and not converged:
            first, likelihood = self._step(values)
            second, _ = self._step(first)
            steps += 2
            moved = second[:, : self._free] - first[:, : self._free]
            converged = bool(np.abs(moved).max() < _TOLERANCE)
            if likelihood < best - _EDGE * abs(
                best
            ):  # The extrapolation went too far: go on from its last base.
                values, best = fallback, -np.inf
                continue
            best, fallback = likelihood, second
            values = second if converged else self._extrapolated(values, first, second)
        items = self._items(values)
        errors, likelihood = self._errors(values)
        return Calibration(self._model, items, *errors, likelihood, steps, converged)

    def _start(self) -> Floats:
        """Slopes of 1, and intercepts by the shares of right answers."""
        counts = self._responses.counts()[:, None]
        seen = counts if self._responses.seen is None else counts * self._responses.seen
        share = (self._responses.shares * seen).sum(axis=0) / np.broadcast_to(
            seen, self._responses.shares.shape
        ).sum(axis=0)
        values = np.empty((self._responses.shares.shape[1], 3))
        guessing = -np.inf if self._free < 3 else np.asarray(self._priors.logit_guessing_mean)
        lowest = logistic(np.asarray(guessing))
        above = np.clip((share - lowest) / (1 - lowest), 0.01, 0.99)
        values[:, 0], values[:, 1], values[:, 2] = 1, 1.2 * np.log(above / (1 - above)), guessing
        return values

    def _items(self, values: Floats) -> Items:
        return Items(values[:, 0], -values[:, 1] / values[:, 0], logistic(values[:, 2]))

    def _step(self, values: Floats) -> tuple[Floats, float]:
        """One EM step; also the log-likelihood of the parameters before it, with their priors."""
        right, given, likelihood = self._expected(values)
        new = values.copy()
        for _ in range(_SCORING_STEPS):
            new = self._scored(new, right, given)
        return new, likelihood + self._priors.log_density(values, self._free)

    def _expected(self, values: Floats) -> tuple[Floats, Floats, float]:
        """By item and node: the expected number of right answers, and of all answers."""
        items = self._items(values)
        right = np.zeros((len(values), len(self._nodes)))
        given = np.zeros_like(right)
        likelihood = 0.0
        for batch in self._responses.batches():
            share, logarithms = posterior(batch, items)
            weighted = share * batch.counts()[:, None]
            likelihood += float(logarithms @ batch.counts())
            narrow = weighted.astype(batch.shares.dtype)
            if batch.seen is None:
                right += batch.shares.T @ narrow
                given += weighted.sum(axis=0)
            else:
                right += (batch.shares * batch.seen).T @ narrow
                given += batch.seen.T.astype(narrow.dtype) @ narrow
        return right, given, likelihood

    def _scored(self, values: Floats, right: Floats, given: Floats) -> Floats:
        """One step of Fisher scoring of all items."""
        curve, slopes = self._curve(values)
        weight = 1 / np.maximum(curve * (1 - curve), _EDGE)
        gradient = np.einsum("iq,iqk->ik", (right - given * curve) * weight, slopes)
        matrix = np.einsum("iq,iqk,iql->ikl", given * weight, slopes, slopes)
        prior_gradient, prior_matrix = self._priors.derivatives(values, self._free)
        gradient += prior_gradient
        matrix += prior_matrix
        move = (
            self._common_move(gradient, matrix) if self._model is Model.ONE else self._moves(gradient, matrix)
        )
        new = values.copy()
        new[:, : self._free] += np.clip(move, -_MAX_MOVE, _MAX_MOVE)
        new[:, 0] = np.maximum(new[:, 0], _MIN_SLOPE)
        return new

    def _curve(self, values: Floats) -> tuple[Floats, Floats]:
        """P by item and node, and its derivatives by the free parameters."""
        logit = np.outer(values[:, 0], self._nodes) + values[:, 1, None]
        plain, guessing = logistic(logit), logistic(values[:, 2])[:, None]
        by_logit = (1 - guessing) * plain * (1 - plain)
        slopes = [by_logit * self._nodes, by_logit]
        if self._free == 3:
            slopes.append(guessing * (1 - guessing) * (1 - plain))
        return guessing + (1 - guessing) * plain, np.stack(slopes, axis=2)

    def _moves(self, gradient: Floats, matrix: Floats) -> Floats:
        solved = np.linalg.solve(matrix + _EDGE * np.eye(self._free), gradient[..., None])
        return np.asarray(solved[..., 0], dtype=np.float64)

    def _common_move(self, gradient: Floats, matrix: Floats) -> Floats:
        """The move when all items share the slope: intercepts are eliminated first."""
        cross, own = matrix[:, 0, 1], matrix[:, 1, 1]
        slope = (gradient[:, 0] - cross / own * gradient[:, 1]).sum() / (
            matrix[:, 0, 0] - cross**2 / own
        ).sum()
        return np.stack([np.full(len(own), slope), (gradient[:, 1] - cross * slope) / own], axis=1)

    def _extrapolated(self, values: Floats, first: Floats, second: Floats) -> Floats:
        """SQUAREM's step of scheme S3."""
        free = slice(0, self._free)
        step = first[:, free] - values[:, free]
        turn = second[:, free] - first[:, free] - step
        size = np.sqrt((turn**2).sum())
        if size < _EDGE:
            return second
        length = min(-1.0, -float(np.sqrt((step**2).sum()) / size))
        new = second.copy()
        new[:, free] = values[:, free] - 2 * length * step + length**2 * turn
        new[:, 0] = np.maximum(new[:, 0], _MIN_SLOPE)
        return new

    def _errors(self, values: Floats) -> tuple[tuple[Floats, Floats, Floats], float]:
        """The standard errors of a, b and c, and the log-likelihood of the answers."""
        count, free = len(values), self._free
        information = np.zeros((count * free, count * free))
        items, likelihood = self._items(values), 0.0
        curve, slopes = self._curve(values)
        weight = slopes / np.maximum(curve * (1 - curve), _EDGE)[..., None]
        for batch in self._responses.batches():
            share, logarithms = posterior(batch, items)
            counts = batch.counts()
            likelihood += float(logarithms @ counts)
            scores = np.empty((len(share), count, free))
            for parameter in range(free):
                by_node = weight[..., parameter].T
                scores[..., parameter] = batch.shares * (share @ by_node) - share @ (curve.T * by_node)
            if batch.seen is not None:
                scores *= batch.seen[..., None]
            flat = scores.reshape(len(share), -1)
            information += (flat * counts[:, None]).T @ flat
        _, prior = self._priors.derivatives(values, self._free)
        for item in range(count):
            place = slice(item * free, (item + 1) * free)
            information[place, place] += prior[item]
        return self._delta(values, information), likelihood

    def _delta(self, values: Floats, information: Floats) -> tuple[Floats, Floats, Floats]:
        """The errors of a, b = -d / a and c by the delta method."""
        count, free = len(values), self._free
        if self._model is Model.ONE:
            information = _sharing_the_slope(information, count)
        covariance = np.linalg.pinv(information, hermitian=True)
        if self._model is Model.ONE:
            slope_variance = np.full(count, covariance[0, 0])
            intercept_variance, cross = np.diag(covariance)[1:], covariance[0, 1:]
        else:
            block = covariance.reshape(count, free, count, free)[np.arange(count), :, np.arange(count), :]
            slope_variance, intercept_variance, cross = block[:, 0, 0], block[:, 1, 1], block[:, 0, 1]
        a, d = values[:, 0], values[:, 1]
        difficulty = (d / a**2) ** 2 * slope_variance + intercept_variance / a**2 - 2 * d / a**3 * cross
        guessing = np.zeros(count)
        if free == 3:
            c = logistic(values[:, 2])
            guessing = np.sqrt(np.maximum(block[:, 2, 2], 0)) * c * (1 - c)
        return np.sqrt(np.maximum(slope_variance, 0)), np.sqrt(np.maximum(difficulty, 0)), guessing


def _sharing_the_slope(information: Floats, count: int) -> Floats:
    """The information about (a, d_1, …, d_p) from that about (a_1, d_1, …, a_p, d_p)."""
    design = np.zeros((2 * count, count + 1))
    design[0::2, 0] = 1
    design[np.arange(count) * 2 + 1, np.arange(count) + 1] = 1
    return design.T @ information @ design
