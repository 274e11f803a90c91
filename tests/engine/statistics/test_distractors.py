"""Which options were chosen, and what is unusual about it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.statistics.distractors import (
    BLANK,
    OTHER,
    Flag,
    FlaggedItem,
    flags,
    option_counts,
    score_groups,
)

NORMAL = np.array([30.0])


def counts_of(*groups: list[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Counts of one item: by group of scores, how often each of four options was chosen."""
    return np.array([[[*group, 0, 0]] for group in groups])


class TestScoreGroups:
    def test_equal_parts_from_the_lowest(self) -> None:
        assert score_groups(np.array([50.0, 10, 40, 20, 30])).tolist() == [4, 0, 3, 1, 2]

    @given(st.lists(st.integers(-5, 5), min_size=1, max_size=50))
    def test_equal_totals_are_together_and_better_ones_not_below(self, totals: list[int]) -> None:
        groups = score_groups(np.array(totals, float))
        for total, group in zip(totals, groups, strict=True):
            assert all(group <= other for score, other in zip(totals, groups, strict=True) if score >= total)
        assert 0 <= groups.min() <= groups.max() <= 4


def test_counts_by_hand() -> None:
    choices = np.array([[0, BLANK], [1, OTHER], [0, 1]], np.int8)
    found = option_counts(choices, np.array([0, 1, 1]), options=2)

    assert found.tolist() == [[[1, 0, 0, 0], [0, 0, 1, 0]], [[1, 1, 0, 0], [0, 1, 0, 1]]]


class TestFlags:
    @pytest.mark.parametrize(
        ("counts", "index", "efficiency", "found"),
        [
            (counts_of([10, 10, 10, 10], [30, 5, 5, 5]), 30, 40, []),
            # The best chose c rather than the key a.
            (
                counts_of([20, 5, 10, 5], [10, 5, 30, 5]),
                20,
                40,
                [(Flag.STRONG_CANDIDATES_CHOOSE_ANOTHER_OPTION, 2)],
            ),
            (
                counts_of([30, 10, 10, 10], [10, 5, 5, 5]),
                -5,
                40,
                [(Flag.NEGATIVE_DISCRIMINATION, None)],
            ),
            (counts_of([10, 10, 10, 10], [30, 5, 5, 5]), 5, 9, [(Flag.WEAK_DISCRIMINATION, None)]),
            (counts_of([10, 20, 10, 0], [30, 20, 10, 1]), 30, 40, [(Flag.OPTION_RARELY_CHOSEN, 3)]),
            (
                counts_of([0, 33, 33, 34], [4, 2, 2, 2]),
                30,
                40,
                [(Flag.BELOW_GUESSING, None)],
            ),
            # Too few attempts for any flag.
            (counts_of([1, 0, 0, 0], [0, 9, 0, 0]), -50, 0, []),
        ],
    )
    def test_of_one_item_whose_key_is_a(
        self,
        counts: np.ndarray[tuple[int, ...], np.dtype[np.int64]],
        index: float,
        efficiency: float,
        found: list[tuple[Flag, int | None]],
    ) -> None:
        flagged = flags(counts, np.array([0]), np.array([float(index)]), np.array([float(efficiency)]))
        assert flagged == [FlaggedItem(flag, 0, option) for flag, option in found]
