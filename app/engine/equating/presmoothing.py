"""Log-linear presmoothing of a distribution of scores (Holland and Thayer)."""

import numpy as np

from app.engine.equating.distributions import Floats, ScoreDistribution

_MAX_STEPS = 100
_CLOSE_ENOUGH = 1e-10
MAX_DEGREE = 8


def smoothed(found: ScoreDistribution, degree: int | None = None) -> ScoreDistribution:
    """Return the distribution whose logarithm is a polynomial in the score, fitted by maximum likelihood.

    It has the same number of candidates and the same first `degree` moments: with degree 2 mean and standard
    deviation, with 3 the skewness too. Without a degree the one with the lowest AIC, from 2 to 8, is used.
    Raises ValueError if fewer scores occur than the polynomial has coefficients.
    """
    return _fit(found, best_degree(found) if degree is None else degree)


def best_degree(found: ScoreDistribution, highest: int = MAX_DEGREE) -> int:
    """Return the degree, from 2, with the lowest AIC. Source: Moses and Holland, ETS RR-09-29, 2009."""
    occurring = int(np.count_nonzero(found.frequencies))
    degrees = range(2, min(highest, occurring - 1) + 1)
    if not degrees:
        raise ValueError("There are too few different scores to smooth.")
    return min(degrees, key=lambda degree: _misfit(found, _fit(found, degree)) + 2 * degree)


def _misfit(found: ScoreDistribution, fitted: ScoreDistribution) -> float:
    """The likelihood ratio chi-square of observed and fitted frequencies."""
    seen = found.frequencies > 0
    observed, expected = found.frequencies[seen], fitted.frequencies[seen]
    return float(2 * (observed @ np.log(observed / expected)))


def _fit(found: ScoreDistribution, degree: int) -> ScoreDistribution:
    """Newton's method for the Poisson likelihood, on orthonormal polynomials."""
    if degree < 1 or np.count_nonzero(found.frequencies) <= degree:
        raise ValueError("There are too few different scores for a polynomial of this degree.")
    basis = _polynomials(len(found.frequencies), degree)
    coefficients = _start(basis, found.frequencies)
    likelihood = _likelihood(basis, coefficients, found.frequencies)
    for _ in range(_MAX_STEPS):
        expected = np.exp(basis @ coefficients)
        slope = basis.T @ (found.frequencies - expected)
        step = np.linalg.solve((basis * expected[:, None]).T @ basis, slope).astype(np.float64)
        coefficients, reached = _improved(basis, coefficients, step, found.frequencies, likelihood)
        if reached - likelihood <= _CLOSE_ENOUGH * max(1.0, abs(likelihood)) and slope @ step < _CLOSE_ENOUGH:
            return ScoreDistribution(np.exp(basis @ coefficients), found.lowest, found.step)
        likelihood = reached
    raise ValueError("The distribution could not be smoothed. Use a lower degree.")


def _polynomials(count: int, degree: int) -> Floats:
    """Orthonormal polynomials over the possible scores, as columns, up to the degree."""
    places = np.linspace(-1.0, 1.0, count)
    basis, _ = np.linalg.qr(np.polynomial.legendre.legvander(places, degree))
    return basis


def _start(basis: Floats, frequencies: Floats) -> Floats:
    """Least squares for the logarithms, a little of the mean added to each frequency."""
    start: Floats = basis.T @ np.log(frequencies + frequencies.mean() / 2)
    return start


def _likelihood(basis: Floats, coefficients: Floats, frequencies: Floats) -> float:
    logs = basis @ coefficients
    with np.errstate(over="ignore"):
        return float(frequencies @ logs - np.exp(logs).sum())


def _improved(
    basis: Floats, coefficients: Floats, step: Floats, frequencies: Floats, likelihood: float
) -> tuple[Floats, float]:
    """Take the step, or the largest half, quarter and so on of it that does not lower the likelihood."""
    for halvings in range(30):
        tried = coefficients + step / 2**halvings
        reached = _likelihood(basis, tried, frequencies)
        if reached >= likelihood:
            return tried, reached
    return coefficients, likelihood
