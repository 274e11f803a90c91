"""The probability of reaching a cut-off."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def score_distribution(
    probability: Sequence[float], right: Sequence[int], wrong: Sequence[int]
) -> dict[int, float]:
    """Return the probability of each total, exactly, by adding one question after the other.

    For each question that is answered: the probability of a right answer, and the marks in whole parts of a
    common denominator, such as thirds: +6 and -2.
    """
    lowest = sum(min(pair) for pair in zip(right, wrong, strict=True))
    highest = sum(max(pair) for pair in zip(right, wrong, strict=True))
    mass = np.zeros(highest - lowest + 1)
    mass[0] = 1
    for chance, gain, loss in zip(probability, right, wrong, strict=True):
        base = min(gain, loss)
        mass = chance * _moved(mass, gain - base) + (1 - chance) * _moved(mass, loss - base)
    return {lowest + step: float(share) for step, share in enumerate(mass) if share > 0}


def probability_of_reaching(
    cutoff: float, probability: Sequence[float], right: Sequence[int], wrong: Sequence[int]
) -> float:
    """Return the probability of a total of at least `cutoff`, which is in the same parts."""
    totals = score_distribution(probability, right, wrong)
    return min(1.0, sum(share for total, share in totals.items() if total >= cutoff))


def probability_with_uncertain_ability(
    cutoff: float, curves: Floats, weights: Floats, right: Sequence[int], wrong: Sequence[int]
) -> float:
    """Return the same when the ability is not known but has a distribution.

    `curves` has the probability of a right answer by question (row) and ability (column), `weights` the
    probability of each ability.
    """
    chances = [
        probability_of_reaching(cutoff, curves[:, node].tolist(), right, wrong)
        if weight > _NEGLIGIBLE
        else 0.0
        for node, weight in enumerate(weights)
    ]
    return float(np.array(chances) @ weights)


def _moved(mass: Floats, steps: int) -> Floats:
    """The distribution that many steps higher. Its end is empty there: the array holds the highest total."""
    if steps == 0:
        return mass
    moved = np.zeros_like(mass)
    moved[steps:] = mass[:-steps]
    return moved


_NEGLIGIBLE = 1e-9
