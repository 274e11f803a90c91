"""Equating against the published examples of Kolen and Brennan (2004), and its properties."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.engine.equating.anchors import chained, frequency_estimation
from app.engine.equating.distributions import (
    Floats,
    ScoreDistribution,
    distribution,
    percentile_ranks,
    scores_at,
)
from app.engine.equating.equipercentile import equated, equipercentile
from app.engine.equating.linear import GroupMoments, levine, moments, tucker
from app.engine.equating.presmoothing import best_degree, smoothed
from tests.engine.equating.kolen_brennan import (
    ACT_X,
    ACT_X_RANKS,
    ACT_Y,
    NEAT_X,
    NEAT_X_ANCHOR,
    NEAT_Y,
    NEAT_Y_ANCHOR,
)


def counted(frequencies: list[int]) -> ScoreDistribution:
    return ScoreDistribution(np.array(frequencies, dtype=np.float64))


X, Y = counted(ACT_X), counted(ACT_Y)

frequencies = st.lists(st.integers(0, 40), min_size=2, max_size=30).filter(any)
two_forms = st.integers(2, 25).flatmap(
    lambda count: st.tuples(*[st.lists(st.integers(0, 40), min_size=count, max_size=count).filter(any)] * 2)
)


def central_moments(scores: Floats, weights: Floats) -> list[float]:
    """Mean, standard deviation, skewness and kurtosis."""
    shares = weights / weights.sum()
    mean = shares @ scores
    deviation = np.sqrt(shares @ (scores - mean) ** 2)
    return [mean, deviation, *(shares @ ((scores - mean) / deviation) ** power for power in (3, 4))]


class TestPercentileRanks:
    def test_act_mathematics(self) -> None:
        """Table 2.5."""
        assert 100 * percentile_ranks(X, X.scores) == pytest.approx(ACT_X_RANKS, abs=0.0051)

    @given(frequencies)
    def test_lie_between_0_and_1_and_rise(self, counts: list[int]) -> None:
        ranks = percentile_ranks(counted(counts), np.linspace(-2, len(counts) + 1, 50))
        assert ranks[0] == 0
        assert ranks[-1] == pytest.approx(1)
        assert np.all(np.diff(ranks) >= 0)

    @given(frequencies)
    def test_scores_at_is_the_inverse(self, counts: list[int]) -> None:
        found = counted(counts)
        ranks = np.linspace(0, 1, 41)
        assert percentile_ranks(found, scores_at(found, ranks)) == pytest.approx(ranks, abs=1e-9)

    def test_the_middle_of_a_gap_is_returned(self) -> None:
        assert scores_at(counted([1, 0, 0, 1]), np.array([0.5])) == pytest.approx([1.5])


class TestEquipercentile:
    def test_the_first_example(self) -> None:
        """Table 2.2: five scores."""
        x, y = counted([2, 3, 2, 2, 1]), counted([1, 2, 2, 3, 2])
        assert equipercentile(x, y) == pytest.approx([0.5, 1.75, 2.8333, 3.5, 4.25], abs=5e-5)

    def test_act_mathematics(self) -> None:
        """Tables 2.7 and 2.8."""
        found = equipercentile(X, Y)
        expected = [0, 0.9796, 1.6462, 2.2856, 2.8932, 3.6205, 4.4997, 5.5148, 6.3124, 7.2242, 8.1607]
        assert found[:11] == pytest.approx(expected, abs=5.1e-5)
        expected = [18.9799, 8.9352, 0.3545, 2.1465]
        assert central_moments(found, X.frequencies) == pytest.approx(expected, abs=5.1e-5)

    @given(two_forms)
    def test_rises_within_the_bounds(self, forms: tuple[list[int], list[int]]) -> None:
        found = equipercentile(*map(counted, forms))
        assert np.all(np.diff(found) >= -1e-9)
        assert found.min() >= -0.5
        assert found.max() <= len(forms[1]) - 0.5

    @given(st.lists(st.integers(1, 40), min_size=2, max_size=30))
    def test_equal_distributions_are_left_as_they_are(self, counts: list[int]) -> None:
        found = counted(counts)
        assert equipercentile(found, counted([2 * count for count in counts])) == pytest.approx(found.scores)

    @given(st.lists(st.integers(1, 40), min_size=3, max_size=20), st.lists(st.integers(1, 40), min_size=3))
    def test_is_symmetric(self, one: list[int], other: list[int]) -> None:
        x, y = counted(one), counted(other)
        assert equated(equipercentile(x, y), y, x) == pytest.approx(x.scores, abs=1e-6)

    def test_is_in_marks_of_the_other_form(self) -> None:
        thirds = ScoreDistribution(np.array([1.0, 2.0, 1.0]), lowest=-2 / 3, step=2 / 3)
        assert equipercentile(counted([1, 2, 1]), thirds) == pytest.approx([-2 / 3, 0, 2 / 3])


class TestSmoothed:
    @pytest.mark.parametrize("degree", [2, 3, 4, 6])
    def test_keeps_the_number_and_the_moments(self, degree: int) -> None:
        found = smoothed(X, degree)
        places = np.linspace(-1, 1, len(ACT_X))
        for power in range(degree + 1):
            assert found.frequencies @ places**power == pytest.approx(X.frequencies @ places**power)

    def test_act_mathematics_with_degree_6(self) -> None:
        """Chapter 3, polynomial log-linear method with C = 6: equivalents, and moments of table 3.3."""
        assert best_degree(X) == best_degree(Y) == 6
        found = equipercentile(smoothed(X), smoothed(Y))
        expected = [-0.4384, 0.1239, 0.9293, 1.8264, 2.7410, 3.6573, 4.5710, 5.4725]
        assert found[:8] == pytest.approx(expected, abs=1e-4)
        expected = [18.9809, 8.9354, 0.3541, 2.1464]
        assert central_moments(found, X.frequencies) == pytest.approx(expected, abs=1e-4)

    @given(st.lists(st.integers(0, 3000), min_size=8, max_size=60), st.integers(1, 4))
    def test_finds_the_maximum_for_any_distribution(self, counts: list[int], degree: int) -> None:
        assume(sum(map(bool, counts)) > degree)
        found = smoothed(counted(counts), degree)
        places = np.linspace(-1, 1, len(counts))
        gaps = [(found.frequencies - np.array(counts)) @ places**power for power in range(degree + 1)]
        assert gaps == pytest.approx([0] * len(gaps), abs=1e-4 * sum(counts))
        assert np.all(found.frequencies >= 0)

    @pytest.mark.parametrize(("counts", "degree"), [([5, 0, 0, 0], 1), ([1, 1, 1], 3), ([1, 2, 3], 0)])
    def test_refuses_too_few_scores(self, counts: list[int], degree: int) -> None:
        with pytest.raises(ValueError, match="too few"):
            smoothed(counted(counts), degree)

    def test_refuses_to_choose_a_degree_for_two_scores(self) -> None:
        with pytest.raises(ValueError, match="too few"):
            smoothed(counted([4, 4]))


class TestChained:
    def test_the_example_of_equate_jl(self) -> None:
        """The last three equivalents, as its tests compare them with the book."""
        found = chained(*map(counted, (NEAT_X, NEAT_X_ANCHOR, NEAT_Y_ANCHOR, NEAT_Y)))
        assert found[-3:] == pytest.approx([34.3125, 35.4125, 36.0938], abs=5.1e-5)

    def test_equally_able_groups_need_no_anchor(self) -> None:
        found = chained(X, counted([5, 9, 5]), counted([5, 9, 5]), Y)
        assert found == pytest.approx(equipercentile(X, Y), abs=1e-6)

    def test_refuses_different_anchors(self) -> None:
        with pytest.raises(ValueError, match="anchor"):
            chained(X, counted([1, 2]), counted([1, 2, 3]), Y)


class TestFrequencyEstimation:
    X = np.array(
        [
            [4, 4, 2, 0],
            [4, 8, 2, 1],
            [6, 12, 5, 2],
            [3, 12, 5, 5],
            [2, 3, 4, 6],
            [1, 1, 2, 6],
        ],
        dtype=np.float64,
    )
    Y = np.array(
        [
            [4, 3, 1, 0],
            [7, 5, 7, 1],
            [3, 5, 12, 2],
            [3, 4, 13, 5],
            [2, 2, 5, 6],
            [1, 1, 2, 6],
        ],
        dtype=np.float64,
    )

    def test_the_example_of_chapter_5(self) -> None:
        """Tables 5.1 to 5.4: six scores, four anchor scores, weight 1 for group 1."""
        found = frequency_estimation(self.X, self.Y, 1.0)
        assert found == pytest.approx([-0.02, 0.83, 1.76, 2.92, 3.98, 5.00], abs=0.0051)

    def test_without_a_weight_the_numbers_of_candidates_count(self) -> None:
        assert frequency_estimation(self.X, 3 * self.Y) == pytest.approx(
            frequency_estimation(self.X, self.Y, 0.25), abs=1e-9
        )

    def test_groups_without_a_common_anchor_score_cannot_be_compared(self) -> None:
        with pytest.raises(ValueError, match="in common"):
            frequency_estimation(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]]))

    def test_refuses_different_anchors(self) -> None:
        with pytest.raises(ValueError, match="anchor"):
            frequency_estimation(self.X, self.Y[:, :3])


class TestLinear:
    X = GroupMoments(1655, 15.8205, 6.5278**2, 5.1063, 2.3760**2, 13.4088)
    Y = GroupMoments(1638, 18.6728, 6.8784**2, 5.8626, 2.4515**2, 14.7603)
    """Table 4.4."""

    @pytest.mark.parametrize(("weight", "slope", "intercept"), [(1.0, 1.0289, 0.5370), (0.5, 1.0292, 0.5378)])
    def test_tucker(self, weight: float, slope: float, intercept: float) -> None:
        """Table 4.5."""
        found = tucker(self.X, self.Y, weight)
        assert (found.slope, found.intercept) == pytest.approx((slope, intercept), abs=5e-4)

    @pytest.mark.parametrize(
        ("internal", "slope", "intercept"), [(True, 1.0110, 0.2514), (False, 1.0168, 0.3257)]
    )
    def test_levine(self, internal: bool, slope: float, intercept: float) -> None:
        """The internal anchor is in table 4.5, the external one in the tests of Equate.jl."""
        found = levine(self.X, self.Y, internal=internal)
        assert (found.slope, found.intercept) == pytest.approx((slope, intercept), abs=5e-4)

    def test_moments_are_of_a_population(self) -> None:
        found = moments(np.array([1.0, 3.0]), np.array([0.0, 1.0]))
        assert found == GroupMoments(2, 2.0, 1.0, 0.5, 0.25, 0.5)

    def test_a_group_equated_to_itself(self) -> None:
        for line in (tucker(self.X, self.X), levine(self.X, self.X)):
            assert line.at(np.array([3.0, 20.0])) == pytest.approx([3.0, 20.0])

    @pytest.mark.parametrize("method", [tucker, levine])
    def test_an_anchor_that_tells_nobody_apart_is_refused(self, method: object) -> None:
        flat = GroupMoments(10, 5.0, 4.0, 1.0, 0.0, 0.0)
        assert callable(method)
        with pytest.raises(ValueError, match="anchor"):
            method(flat, flat)


class TestDistribution:
    def test_counts_scores_with_thirds(self) -> None:
        found = distribution(np.array([-2 / 3, 0, 0, 4 / 3]), -2 / 3, 4 / 3, 2 / 3)
        assert found.frequencies.tolist() == [1, 2, 0, 1]
        assert found.mean == pytest.approx(1 / 6)
        assert found.deviation == pytest.approx(np.std([-2 / 3, 0, 0, 4 / 3]))

    @pytest.mark.parametrize("score", [0.5, -1.0, 3.0])
    def test_refuses_a_score_that_cannot_be(self, score: float) -> None:
        with pytest.raises(ValueError, match="possible"):
            distribution(np.array([score]), 0, 2)

    @pytest.mark.parametrize(("counts", "step"), [([0, 0], 1), ([1, -1], 1), ([1, 1], 0)])
    def test_refuses_what_is_no_distribution(self, counts: list[int], step: float) -> None:
        with pytest.raises(ValueError, match=r"distribution|rise"):
            ScoreDistribution(np.array(counts, dtype=np.float64), 0, step)
