"""Ranks and percentiles from the distribution, against a naive sort."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.ranking import Standing, standing


class TestStanding:
    @pytest.mark.parametrize(
        ("score", "expected"),
        [
            (Fraction(320, 3), Standing(rank=1, participants=4, percentile=100.0)),
            (Fraction(100), Standing(rank=2, participants=4, percentile=75.0)),
            (Fraction(-2, 3), Standing(rank=4, participants=4, percentile=25.0)),
        ],
    )
    def test_ranks_1_2_2_4(self, score: Fraction, expected: Standing) -> None:
        assert standing({Fraction(100): 2, Fraction(-2, 3): 1, Fraction(320, 3): 1}, score) == expected

    def test_percentile_has_seven_decimals(self) -> None:
        assert standing({Fraction(2): 1, Fraction(1): 2}, Fraction(1)).percentile == 66.6666667

    def test_a_single_participant_is_first_at_100(self) -> None:
        assert standing({Fraction(0): 1}, Fraction(0)) == Standing(1, 1, 100.0)

    def test_a_third_of_a_mark_decides(self) -> None:
        histogram = {Fraction(200, 3): 1, Fraction(201, 3): 1}
        assert [standing(histogram, score).rank for score in histogram] == [2, 1]

    def test_a_score_that_nobody_has_gets_the_place_it_would_have(self) -> None:
        assert standing({Fraction(3): 1, Fraction(1): 1}, Fraction(2)) == Standing(2, 2, 50.0)

    @pytest.mark.parametrize("histogram", [{}, {Fraction(1): 0}])
    def test_refuses_an_empty_histogram(self, histogram: dict[Fraction, int]) -> None:
        with pytest.raises(ValueError, match="Nobody"):
            standing(histogram, Fraction(1))

    @given(st.lists(st.fractions(min_value=-5, max_value=5, max_denominator=3), min_size=1, max_size=60))
    def test_equals_a_naive_sort(self, scores: list[Fraction]) -> None:
        best_first = sorted(scores, reverse=True)
        for score in scores:
            found = standing(Counter(scores), score)
            assert found.rank == best_first.index(score) + 1
            not_above = sum(other <= score for other in scores)
            assert found.percentile == pytest.approx(100 * not_above / len(scores), abs=5.1e-8)
