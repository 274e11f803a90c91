"""Prior knowledge of items, as distributions of their parameters."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from app.engine.statistics.irt.model import Floats

SLOPE, INTERCEPT, LOGIT_GUESSING = range(3)
"""The columns of an array of parameters: a, d and the logit of c, a row for each item."""


@dataclass(frozen=True, slots=True, eq=False)
class Priors:
    """What is known of the items before their answers. The 3PL and small samples need it.

    The discrimination is lognormal, the intercept and the logit of guessing are normal. Each has a mean and a
    deviation, for all items or for each of them. A label such as "hard" is an intercept below 0, with the
    deviation that such labels have. Where nothing is known, the deviation is infinite and
    `log_discrimination` is None.
    """

    log_discrimination: tuple[float, float] | None = (0.0, 0.5)
    intercept_mean: Floats | float = 0.0
    intercept_deviation: Floats | float = 2.5
    logit_guessing_mean: Floats | float = -1.1
    logit_guessing_deviation: Floats | float = 0.5

    def of(self, kept: NDArray[np.bool_]) -> "Priors":
        """Return the priors of these items."""

        def some(values: Floats | float) -> Floats:
            return np.broadcast_to(values, kept.shape)[kept]

        return replace(
            self,
            intercept_mean=some(self.intercept_mean),
            intercept_deviation=some(self.intercept_deviation),
            logit_guessing_mean=some(self.logit_guessing_mean),
            logit_guessing_deviation=some(self.logit_guessing_deviation),
        )

    def derivatives(self, parameters: Floats, free: int) -> tuple[Floats, Floats]:
        """Return the gradient of the logarithm of the density by the first `free` parameters, and minus its
        second derivatives where they are positive.
        """
        gradient, matrix = np.zeros((len(parameters), free)), np.zeros((len(parameters), free, free))
        if self.log_discrimination is not None:
            (mean, deviation), slope = self.log_discrimination, parameters[:, SLOPE]
            from_mean = (np.log(slope) - mean) / deviation**2
            gradient[:, SLOPE] = -(1 + from_mean) / slope
            matrix[:, SLOPE, SLOPE] = np.maximum((1 / deviation**2 - 1 - from_mean) / slope**2, 0)
        for column, center, spread in self._normal(free):
            gradient[:, column] = (center - parameters[:, column]) / np.square(spread)
            matrix[:, column, column] = 1 / np.square(spread)
        return gradient, matrix

    def log_density(self, parameters: Floats, free: int) -> float:
        """Return the logarithm of the density, without its constants."""
        total = 0.0
        if self.log_discrimination is not None:
            (mean, deviation), logarithm = self.log_discrimination, np.log(parameters[:, SLOPE])
            total -= float((logarithm + (logarithm - mean) ** 2 / (2 * deviation**2)).sum())
        for column, center, spread in self._normal(free):
            total -= float((np.square(parameters[:, column] - center) / (2 * np.square(spread))).sum())
        return total

    def _normal(self, free: int) -> list[tuple[int, Floats | float, Floats | float]]:
        """Column, mean and deviation of each parameter with a normal prior."""
        normal = [
            (INTERCEPT, self.intercept_mean, self.intercept_deviation),
            (LOGIT_GUESSING, self.logit_guessing_mean, self.logit_guessing_deviation),
        ]
        return normal[: free - 1]


NO_PRIORS = Priors(None, intercept_deviation=np.inf, logit_guessing_deviation=np.inf)
"""For maximum likelihood. The 3PL has such a maximum on large samples only, often with guessing at 0."""
