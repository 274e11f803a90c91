"""Distractor analysis: who chose which option of an item."""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Choices = NDArray[np.int8]
"""For each attempt (row) and item (column) the number of the chosen option from 0, or one of these two."""

BLANK, OTHER = -1, -2
"""No answer; an answer that is not one single option."""

_RARELY_CHOSEN = 0.05
_WEAK_EFFICIENCY = 15.0
_MIN_ATTEMPTS = 30


class Flag(StrEnum):
    """What is unusual about an item."""

    NEGATIVE_DISCRIMINATION = "negative_discrimination"
    WEAK_DISCRIMINATION = "weak_discrimination"
    STRONG_CANDIDATES_CHOOSE_ANOTHER_OPTION = "strong_candidates_choose_another_option"
    BELOW_GUESSING = "below_guessing"
    OPTION_RARELY_CHOSEN = "option_rarely_chosen"


@dataclass(frozen=True, slots=True)
class FlaggedItem:
    """A flag of an item, and the number of the option that it is about, if it is about one."""

    flag: Flag
    item: int
    option: int | None = None


def score_groups(totals: Floats, groups: int = 5) -> NDArray[np.int64]:
    """Return the group of each total, 0 for the lowest. Equal totals are in one group."""
    above = np.searchsorted(np.sort(totals), totals, side="left")
    numbers: NDArray[np.int64] = above * groups // max(len(totals), 1)
    return numbers


def option_counts(choices: Choices, groups: NDArray[np.int64], options: int) -> NDArray[np.int64]:
    """Return how often each option was chosen: [group, item, option].

    After the options stand two more columns: blank, and any other answer.
    """
    count, items = choices.shape
    codes = np.where(choices >= 0, choices, options - 1 - choices).astype(np.int64)
    width = options + 2
    cells = groups[:, None] * (items * width) + np.arange(items) * width + codes
    number_of_groups = int(groups.max()) + 1 if count else 0
    counted = np.bincount(cells.ravel(), minlength=number_of_groups * items * width)
    return counted.reshape(number_of_groups, items, width)


def flags(
    counts: NDArray[np.int64], right: NDArray[np.int64], discrimination: Floats, efficiency: Floats
) -> list[FlaggedItem]:
    """Return what is unusual, item by item.

    `counts` is what `option_counts` returned. `right` has the right option of each item, -1 where an item has
    not just one. `discrimination` and `efficiency` are those of `item_statistics`. With fewer than 30
    attempts nothing is flagged: chance alone makes such figures.
    """
    found: list[FlaggedItem] = []
    if counts.sum() < _MIN_ATTEMPTS * counts.shape[1]:
        return found
    for item in range(counts.shape[1]):
        if discrimination[item] < 0:
            found.append(FlaggedItem(Flag.NEGATIVE_DISCRIMINATION, item))
        elif efficiency[item] < _WEAK_EFFICIENCY:
            found.append(FlaggedItem(Flag.WEAK_DISCRIMINATION, item))
        if right[item] >= 0:
            found += _option_flags(item, counts[:, item, :-2], int(right[item]))
    return found


def _option_flags(item: int, counts: NDArray[np.int64], right: int) -> list[FlaggedItem]:
    """`counts` is [group, option]."""
    totals, top = counts.sum(axis=0), counts[-1]
    answered = max(int(totals.sum()), 1)
    found = []
    for option in range(counts.shape[1]):
        if option != right and top[option] > top[right]:
            found.append(FlaggedItem(Flag.STRONG_CANDIDATES_CHOOSE_ANOTHER_OPTION, item, option))
        elif option != right and totals[option] < _RARELY_CHOSEN * answered:
            found.append(FlaggedItem(Flag.OPTION_RARELY_CHOSEN, item, option))
    # Two standard errors below what blind guesses would reach.
    guessing = 1 / counts.shape[1]
    error = np.sqrt(guessing * (1 - guessing) / answered)
    if totals[right] / answered < guessing - 2 * error:
        found.append(FlaggedItem(Flag.BELOW_GUESSING, item))
    return found
