"""Ranks and percentiles from histograms; one test compares them with a sorted list."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.ranking import (
    CohortPlace,
    Distribution,
    PercentileDefinition,
    Standing,
    standing,
    standings,
)


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
    def test_equals_a_sorted_list(self, scores: list[Fraction]) -> None:
        best_first = sorted(scores, reverse=True)
        for score in scores:
            found = standing(Counter(scores), score)
            assert found.rank == best_first.index(score) + 1
            not_above = sum(other <= score for other in scores)
            assert found.percentile == pytest.approx(100 * not_above / len(scores), abs=5.1e-8)


class TestDistribution:
    @given(st.lists(st.fractions(min_value=-5, max_value=5, max_denominator=12), max_size=60))
    def test_has_the_standings_of_the_histogram_best_first(self, scores: list[Fraction]) -> None:
        counted = Counter(scores)
        found = Distribution(counted)
        assert found.participants == len(scores)
        assert list(found.scores) == sorted(counted, reverse=True)
        assert {score: found.standing(score) for score in counted} == standings(counted)
        assert found.standing(Fraction(6)) is None

    def test_leaves_out_a_score_that_nobody_has_any_more(self) -> None:
        found = Distribution({Fraction(2): 0, Fraction(1, 3): 1})
        assert list(found.scores) == [Fraction(1, 3)]
        assert found.standing(Fraction(2)) is None

    def test_a_place_in_a_cohort_has_the_same_standing(self) -> None:
        assert CohortPlace(above=1, participants=4).standing == Standing(2, 4, 75.0)


class TestPercentiles:
    @pytest.mark.parametrize(
        ("definition", "expected"),
        [
            (PercentileDefinition.AT_OR_BELOW, [100.0, 80.0, 40.0, 20.0]),
            (PercentileDefinition.MID_RANK, [90.0, 60.0, 30.0, 10.0]),
            (PercentileDefinition.BETTER_THAN, [80.0, 40.0, 20.0, 0.0]),
        ],
    )
    def test_of_five_with_a_tie(self, definition: PercentileDefinition, expected: list[float]) -> None:
        histogram = {Fraction(9): 1, Fraction(7): 2, Fraction(5): 1, Fraction(-1): 1}
        found = standings(histogram, definition)
        assert [found[score].percentile for score in sorted(histogram, reverse=True)] == expected

    @pytest.mark.parametrize(
        ("definition", "alone", "third"),
        [
            (PercentileDefinition.AT_OR_BELOW, 100.0, 33.3333333),
            (PercentileDefinition.MID_RANK, 50.0, 16.6666667),
            (PercentileDefinition.BETTER_THAN, 0.0, 0.0),
        ],
    )
    def test_of_one_alone_and_of_the_last_of_three(
        self, definition: PercentileDefinition, alone: float, third: float
    ) -> None:
        assert standings({Fraction(5): 1}, definition)[Fraction(5)].percentile == alone
        assert standings({1: 1, 2: 1, 3: 1}, definition)[1].percentile == third

    def test_all_equal(self) -> None:
        found = [standings({7: 4}, definition)[7].percentile for definition in PercentileDefinition]
        assert found == [100.0, 50.0, 0.0]
