"""Differential item functioning (DIF): an item that is harder for one group than for an equally able other
one.

The method of Mantel and Haenszel, as Holland and Thayer (1988) use it for items, with the classes of ETS
(Zieky, 1993): A negligible, B moderate, C large.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

_ETS_SCALE = -2.35
_MODERATE, _LARGE = 1.0, 1.5
_ONE_SIDED_95 = 1.645
_SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class MantelHaenszel:
    """The comparison of a reference group and a focal group over several strata."""

    odds_ratio: float
    """Above 1: the reference group has better odds."""

    chi_square: float
    """With continuity correction, one degree of freedom."""

    probability: float
    """Of so large a chi-square if the odds are equal."""

    delta: float
    """-2.35 times the logarithm of the odds ratio, on the scale of ETS. Negative: harder for the focal group.
    """

    delta_error: float
    """The standard error of `delta`, by Robins, Breslow and Greenland (1986)."""

    @property
    def ets_class(self) -> str:
        """A, B or C."""
        size = abs(self.delta)
        if not self.probability < _SIGNIFICANT or size < _MODERATE:
            return "A"
        surely_over_one = size - _ONE_SIDED_95 * self.delta_error > _MODERATE
        return "C" if size >= _LARGE and surely_over_one else "B"


def mantel_haenszel(tables: NDArray[np.integer]) -> MantelHaenszel:
    """Compare two groups over strata.

    `tables` is [stratum, group, outcome]: group 0 is the reference, 1 the focal one; outcome 0 is right, 1
    wrong. Strata in which a group or an outcome is missing are left out. Raises ValueError if no
    stratum is left.
    """
    cells = tables.astype(float)
    reference, focal = cells.sum(axis=2).T
    right, wrong = cells.sum(axis=1).T
    total = reference + focal
    complete = (reference > 0) & (focal > 0) & (right > 0) & (wrong > 0)
    if not complete.any():
        raise ValueError("No stratum has both groups and both outcomes.")
    (a, b), (c, d) = cells[complete].transpose(1, 2, 0)
    reference, focal, right, wrong, total = (
        each[complete] for each in (reference, focal, right, wrong, total)
    )
    up, down = a * d / total, b * c / total
    variance = reference * focal * right * wrong / (total**2 * (total - 1))
    distance = max(abs(a.sum() - (reference * right / total).sum()) - 0.5, 0)
    chi_square = float(distance**2 / variance.sum())
    with np.errstate(divide="ignore"):
        ratio = float(up.sum() / down.sum()) if down.sum() else np.inf
        delta = float(_ETS_SCALE * np.log(ratio))
    agree, differ = (a + d) / total, (b + c) / total
    spread = (
        (agree * up).sum() / (2 * up.sum() ** 2)
        + (agree * down + differ * up).sum() / (2 * up.sum() * down.sum())
        + (differ * down).sum() / (2 * down.sum() ** 2)
        if up.sum() and down.sum()
        else np.inf
    )
    return MantelHaenszel(
        odds_ratio=ratio,
        chi_square=chi_square,
        probability=float(special.chdtrc(1, chi_square)),
        delta=delta,
        delta_error=float(-_ETS_SCALE * np.sqrt(spread)),
    )


def tables_of(
    right: NDArray[np.bool_], focal: NDArray[np.bool_], strata: NDArray[np.integer]
) -> NDArray[np.int64]:
    """Return the tables of one item for `mantel_haenszel`.

    By attempt: whether the item was right, whether the candidate belongs to the focal group, and the stratum:
    the total score, the item included, so that equally able candidates are compared.
    """
    _, places = np.unique(strata, return_inverse=True)
    cells = places * 4 + focal * 2 + ~right
    return np.bincount(cells, minlength=4 * (int(places.max()) + 1)).reshape(-1, 2, 2)
