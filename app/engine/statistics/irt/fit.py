"""Whether an item follows the model: S-X² of Orlando and Thissen (2000), Applied Psychological Measurement
24.

People are grouped by their number of right answers. In each group the observed share of right answers to the
item is compared with the one that the model expects, by the recursion of Lord and Wingersky (1984).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from app.engine.statistics.irt.model import Floats, Items, Model, node_weights, nodes, probabilities

_MIN_EXPECTED = 1.0
_FREE = {Model.ONE: 1, Model.TWO: 2, Model.THREE: 3}


@dataclass(frozen=True, slots=True, eq=False)
class ItemFit:
    """For each item: S-X², its degrees of freedom, and the probability of a larger value if the model holds.

    NaN where there are too few groups for a test.
    """

    statistic: Floats
    degrees_of_freedom: NDArray[np.int64]
    probability: Floats


def item_fit(right: NDArray[np.bool_], items: Items, model: Model) -> ItemFit:
    """Test each item. `right` has a row for each person. A blank counts as wrong, as in the literature."""
    length = right.shape[1]
    curve = probabilities(items, nodes())
    weights = node_weights()
    totals = right.sum(axis=1)
    sizes = np.bincount(totals, minlength=length + 1).astype(float)
    whole = number_right_distribution(curve) @ weights
    statistic, probability = np.full(length, np.nan), np.full(length, np.nan)
    degrees = np.zeros(length, dtype=np.int64)
    for item in range(length):
        observed = np.bincount(totals, weights=right[:, item], minlength=length + 1).astype(float)
        others = number_right_distribution(np.delete(curve, item, axis=0))
        with_right = (others * curve[item]) @ weights
        groups = slice(1, length)  # With none or all of them right, every item is as expected.
        share = with_right[: length - 1] / np.maximum(whole[groups], 1e-300)
        cells = _merged(observed[groups], sizes[groups] * share, sizes[groups])
        degrees[item] = len(cells) - _FREE[model]
        if degrees[item] > 0:
            statistic[item] = _chi_square(cells)
            probability[item] = special.chdtrc(degrees[item], statistic[item])
    return ItemFit(statistic, degrees, probability)


def number_right_distribution(curve: Floats) -> Floats:
    """The probability of each number of right answers (rows) at each node (columns), of items with these
    curves.
    """
    length, points = curve.shape
    distribution = np.zeros((length + 1, points))
    distribution[0] = 1
    for item in range(length):
        distribution[1 : item + 2] = (
            distribution[1 : item + 2] * (1 - curve[item]) + distribution[: item + 1] * curve[item]
        )
        distribution[0] *= 1 - curve[item]
    return distribution


def _merged(observed: Floats, expected: Floats, sizes: Floats) -> list[tuple[float, float, float]]:
    """Neighboring groups together until each expects at least one right and one wrong answer."""
    cells: list[tuple[float, float, float]] = []
    cell = np.zeros(3)
    for each in np.stack([observed, expected, sizes], axis=1):
        cell = cell + each
        if cell[1] >= _MIN_EXPECTED and cell[2] - cell[1] >= _MIN_EXPECTED:
            cells.append((float(cell[0]), float(cell[1]), float(cell[2])))
            cell = np.zeros(3)
    if cells and cell[2]:
        last = np.array(cells.pop()) + cell
        cells.append((float(last[0]), float(last[1]), float(last[2])))
    return cells


def _chi_square(cells: list[tuple[float, float, float]]) -> float:
    return sum(
        (observed - expected) ** 2 / expected + (observed - expected) ** 2 / (size - expected)
        for observed, expected, size in cells
    )
