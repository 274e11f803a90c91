"""Classical item analysis, as Moodle's quiz statistics define it.

Source: Moodle, "Quiz statistics calculations" (docs.moodle.org/dev/Quiz_statistics_calculations).

In all formulas x_i is the mark of item i, T the total, R_i = T - x_i the rest, n the number of attempts
and p the number of items. Marks may be negative. Variances and covariances have the denominator n - 1.
A figure that is not defined, such as a correlation with a constant, is NaN.
"""

from dataclasses import astuple, dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class ItemStatistics:
    """The statistics of each item, in arrays of length p."""

    facility: Floats
    """The mean mark as a share of the maximum: 1 is an item that everybody has right."""

    standard_deviation: Floats
    """In marks."""

    intended_weight: Floats
    """The share of the item in the maximum of the test, in percent."""

    effective_weight: Floats
    """The share of the item in the spread of totals, in percent. NaN if its covariance is negative."""

    discrimination_index: Floats
    """The correlation of the item with the rest of the test, in percent."""

    discriminative_efficiency: Floats
    """The covariance with the rest, in percent of the largest that these marks allow. Below 15 is weak."""


@dataclass(frozen=True, slots=True)
class ScoreStatistics:
    """The statistics of the totals of a test."""

    attempts: int
    mean: float
    median: float
    standard_deviation: float
    skewness: float
    kurtosis: float
    """Excess kurtosis: 0 for a normal distribution."""

    alpha: float
    """Cronbach's alpha, a share of 1. Moodle shows 100 times alpha as coefficient of internal consistency."""

    error_ratio: float
    """The part of the standard deviation that is due to chance, in percent."""

    standard_error: float
    """The standard error of measurement of one score, in marks."""


def item_statistics(marks: Floats, max_marks: Floats, measured: Flags | None = None) -> ItemStatistics:
    """Return the statistics of the items of a test.

    `marks` has a row for each attempt and a column for each item. `max_marks` has the maximum of each item.
    `measured` is False for a dropped item, which is no part of the test: its figures are NaN.
    Raises ValueError for fewer than two attempts.
    """
    if measured is not None and not measured.all():
        found = item_statistics(marks[:, measured], max_marks[measured])
        return ItemStatistics(*(_spread(figures, measured) for figures in astuple(found)))
    count = _attempts(marks)
    totals = marks.sum(axis=1)
    centered = marks - marks.mean(axis=0)
    variances = (centered**2).sum(axis=0) / (count - 1)
    with_total = centered.T @ (totals - totals.mean()) / (count - 1)
    with_rest = with_total - variances
    rest_variances = variances + totals.var(ddof=1) - 2 * with_total
    roots = np.sqrt(np.where(with_total >= 0, with_total, np.nan))
    return ItemStatistics(
        facility=marks.mean(axis=0) / max_marks,
        standard_deviation=np.sqrt(variances),
        intended_weight=100 * max_marks / max_marks.sum(),
        effective_weight=100 * _ratio(roots, np.full_like(roots, np.nansum(roots))),
        discrimination_index=100 * _ratio(with_rest, np.sqrt(variances * np.maximum(rest_variances, 0))),
        discriminative_efficiency=100 * _ratio(with_rest, _largest_covariances(marks, totals)),
    )


def statistics_of_chosen(
    found: ItemStatistics, marks: Floats, max_marks: Floats, asked: Flags, fewest: int
) -> ItemStatistics:
    """Return the statistics of items among which candidates chose.

    `found` is what `item_statistics` returned. `asked` is False where an attempt was not asked for the item.
    The figures of an item that some were not asked for are those among the others; with fewer than `fewest`
    of them they are NaN. Weights are NaN: maximum and spread are not sums over the same items for all.
    """
    nothing = np.full(len(max_marks), np.nan)
    chosen = replace(
        found,
        facility=found.facility.copy(),
        standard_deviation=found.standard_deviation.copy(),
        intended_weight=nothing,
        effective_weight=nothing,
        discrimination_index=found.discrimination_index.copy(),
        discriminative_efficiency=found.discriminative_efficiency.copy(),
    )
    totals = marks[:, np.isfinite(found.facility)].sum(axis=1)
    for item in np.flatnonzero(~asked.all(axis=0)):
        rows = asked[:, item]
        alone = _alone(marks[rows, item], totals[rows], max_marks[item]) if rows.sum() >= fewest else None
        for name in _ALONE:
            getattr(chosen, name)[item] = getattr(alone, name)[0] if alone else np.nan
    return chosen


def score_statistics(marks: Floats, measured: Flags | None = None) -> ScoreStatistics:
    """Return the statistics of the totals; `marks` and `measured` as for `item_statistics`.

    The marks that a dropped item gives are in the totals. Alpha and the errors are those of the other items.

    With the central moments m_k, the estimates are Fisher's k-statistics:
    k2 = n m2 / (n - 1), k3 = n² m3 / ((n - 1)(n - 2)),
    k4 = n² ((n + 1) m4 - 3 (n - 1) m2²) / ((n - 1)(n - 2)(n - 3)).
    """
    count = _attempts(marks)
    own = marks if measured is None else marks[:, measured]
    items = own.shape[1]
    totals = marks.sum(axis=1)
    m2, m3, m4 = (float(((totals - totals.mean()) ** power).mean()) for power in (2, 3, 4))
    k2 = count * m2 / (count - 1)
    k3 = count**2 * m3 / ((count - 1) * (count - 2)) if count > 2 else np.nan
    k4 = (
        count**2 * ((count + 1) * m4 - 3 * (count - 1) * m2**2) / ((count - 1) * (count - 2) * (count - 3))
        if count > 3
        else np.nan
    )
    spread, own_spread = float(own.var(axis=0, ddof=1).sum()), float(own.sum(axis=1).var(ddof=1))
    alpha = items / (items - 1) * (1 - spread / own_spread) if items > 1 and own_spread > 0 else np.nan
    error_ratio = 100 * np.sqrt(1 - alpha)
    return ScoreStatistics(
        attempts=count,
        mean=float(totals.mean()),
        median=float(np.median(totals)),
        standard_deviation=float(np.sqrt(k2)),
        skewness=k3 / k2**1.5 if k2 > 0 else np.nan,
        kurtosis=k4 / k2**2 if k2 > 0 else np.nan,
        alpha=alpha,
        error_ratio=float(error_ratio),
        standard_error=float(error_ratio * np.sqrt(own_spread) / 100),
    )


def _attempts(marks: Floats) -> int:
    if marks.shape[0] < 2:
        raise ValueError("Item analysis needs at least two attempts.")
    return int(marks.shape[0])


def _alone(marks: Floats, totals: Floats, maximum: float) -> ItemStatistics:
    """The statistics of one item with the rest of the test as the other item."""
    return item_statistics(np.column_stack([marks, totals - marks]), np.array([maximum, 1.0]))


def _spread(figures: Floats, measured: Flags) -> Floats:
    """The figures at the places of the measured items, NaN at the others."""
    spread: Floats = np.full(len(measured), np.nan)
    spread[measured] = figures
    return spread


def _largest_covariances(marks: Floats, totals: Floats) -> Floats:
    """The covariance of each item with the rest if the best at one were the best at the other."""
    count = marks.shape[0]
    largest = np.empty(marks.shape[1])
    # A column at a time: sorting a copy of all of them takes the memory twice.
    for item in range(marks.shape[1]):
        own = np.sort(marks[:, item])
        rest = np.sort(totals - marks[:, item])
        largest[item] = (own - own.mean()) @ (rest - rest.mean()) / (count - 1)
    return largest


def _ratio(numerator: Floats, denominator: Floats) -> Floats:
    """The ratio, NaN where the denominator is zero."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.abs(denominator) > _TINY, numerator / denominator, np.nan)


_ALONE = "facility", "standard_deviation", "discrimination_index", "discriminative_efficiency"
"""The figures of an item that do not depend on the other items one by one."""

_TINY = 1e-12
"""Variances below are those of a constant, computed with rounding errors."""
