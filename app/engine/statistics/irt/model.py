"""The models, their curves and the quadrature over abilities."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_POINTS = 41
_RANGE = 6.0
_NODES: Floats = np.linspace(-_RANGE, _RANGE, _POINTS)


class Model(StrEnum):
    """Which parameters are free."""

    ONE = "1pl"
    TWO = "2pl"
    THREE = "3pl"


@dataclass(frozen=True, slots=True, eq=False)
class Items:
    """The parameters of items, in arrays of equal length."""

    discrimination: Floats
    difficulty: Floats
    guessing: Floats

    @property
    def intercept(self) -> Floats:
        return -self.discrimination * self.difficulty


def nodes() -> Floats:
    """The abilities over which integrals are summed: 41 from -6 to 6."""
    return _NODES.copy()


def node_weights() -> Floats:
    """The share of a standard normal population at each node."""
    density = np.exp(-(_NODES**2) / 2)
    weights: Floats = density / density.sum()
    return weights


def probabilities(items: Items, abilities: Floats) -> Floats:
    """The probability of a right answer: a row for each item, a column for each ability."""
    logit = np.outer(items.discrimination, abilities) + items.intercept[:, None]
    guessing = items.guessing[:, None]
    curve: Floats = guessing + (1 - guessing) * logistic(logit)
    return curve


def information(items: Items, abilities: Floats) -> Floats:
    """Fisher's information of each item (row) about each ability (column).

    a² (P - c)² (1 - P) / ((1 - c)² P). The information of a test is the sum over its items, and the standard
    error of an ability that was estimated by maximum likelihood is 1 / sqrt(information).
    """
    curve = probabilities(items, abilities)
    guessing, slope = items.guessing[:, None], items.discrimination[:, None]
    found: Floats = slope**2 * (curve - guessing) ** 2 * (1 - curve) / ((1 - guessing) ** 2 * curve)
    return found


def logistic(logit: Floats) -> Floats:
    """1 / (1 + exp(-logit)), without overflow."""
    small = np.exp(-np.abs(logit))
    value: Floats = np.where(logit >= 0, 1 / (1 + small), small / (1 + small))
    return value
