"""Classical item analysis against hand-computed figures and a slow reference."""

from math import sqrt

import numpy as np
import pytest

from app.engine.statistics.item_analysis import Floats, item_statistics, score_statistics

# Four attempts at three items of one mark: totals 3, 2, 1, 0. Item 3 is right for nobody but the best.
LADDER = np.array([[1.0, 1, 1], [1, 1, 0], [1, 0, 0], [0, 0, 0]])


class TestHandComputed:
    def test_facility_and_weights(self) -> None:
        found = item_statistics(LADDER, np.ones(3))

        assert found.facility == pytest.approx([0.75, 0.5, 0.25])
        assert found.standard_deviation == pytest.approx([0.5, sqrt(1 / 3), 0.5])
        assert found.intended_weight == pytest.approx([100 / 3] * 3)
        # cov(x_i, T) is 1/2, 2/3, 1/2.
        roots = [sqrt(0.5), sqrt(2 / 3), sqrt(0.5)]
        assert found.effective_weight == pytest.approx([100 * root / sum(roots) for root in roots])

    def test_discrimination(self) -> None:
        found = item_statistics(LADDER, np.ones(3))

        # Item 1: cov(x, R) = 1/2 - 1/4 = 1/4; var R = 5/3 + 1/4 - 1 = 11/12.
        assert found.discrimination_index[0] == pytest.approx(100 * 0.25 / sqrt(0.25 * 11 / 12))
        # Sorted, nobody changes places: the covariance is already the largest.
        assert found.discriminative_efficiency == pytest.approx([100, 100, 100])

    def test_totals(self) -> None:
        found = score_statistics(LADDER)

        assert (found.attempts, found.mean, found.median) == (4, 1.5, 1.5)
        assert found.standard_deviation == pytest.approx(sqrt(5 / 3))
        assert found.skewness == pytest.approx(0)
        assert found.kurtosis == pytest.approx(-1.2)
        # alpha = 3/2 (1 - (1/4 + 1/3 + 1/4) / (5/3)) = 3/4
        assert found.alpha == pytest.approx(0.75)
        assert found.error_ratio == pytest.approx(50)
        assert found.standard_error == pytest.approx(sqrt(5 / 3) / 2)

    def test_an_item_that_is_the_same_for_all_discriminates_nothing(self) -> None:
        found = item_statistics(np.column_stack([LADDER, np.ones(4)]), np.ones(4))

        assert np.isnan(found.discrimination_index[3])
        assert np.isnan(found.discriminative_efficiency[3])
        assert found.effective_weight[3] == pytest.approx(0)

    def test_a_reversed_item_is_negative_and_has_no_effective_weight(self) -> None:
        found = item_statistics(np.column_stack([LADDER, [0.0, 0, 0, 1]]), np.ones(4))

        assert found.discrimination_index[3] < 0
        assert np.isnan(found.effective_weight[3])
        assert np.nansum(found.effective_weight) == pytest.approx(100)

    @pytest.mark.parametrize("marks", [np.zeros((0, 3)), np.zeros((1, 3))])
    def test_one_attempt_is_too_few(self, marks: Floats) -> None:
        with pytest.raises(ValueError, match="two attempts"):
            item_statistics(marks, np.ones(3))


def slow(marks: Floats) -> dict[str, list[float]]:
    """The same by the definitions, with numpy's own covariance."""
    totals = marks.sum(axis=1)
    found: dict[str, list[float]] = {"index": [], "efficiency": []}
    for item in marks.T:
        rest = totals - item
        covariance = np.cov(item, rest)
        largest = np.cov(sorted(item), sorted(rest))[0, 1]
        found["index"].append(100 * covariance[0, 1] / sqrt(covariance[0, 0] * covariance[1, 1]))
        found["efficiency"].append(100 * covariance[0, 1] / largest)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_equals_the_slow_reference_on_random_marks(seed: int) -> None:
    random = np.random.default_rng(seed)
    marks = random.choice([2.0, -2 / 3, 0.0], size=(200, 30), p=[0.5, 0.3, 0.2])
    found, reference = item_statistics(marks, np.full(30, 2.0)), slow(marks)

    assert found.discrimination_index == pytest.approx(reference["index"], abs=1e-9)
    assert found.discriminative_efficiency == pytest.approx(reference["efficiency"], abs=1e-9)
    alpha = 30 / 29 * (1 - marks.var(axis=0, ddof=1).sum() / marks.sum(axis=1).var(ddof=1))
    assert score_statistics(marks).alpha == pytest.approx(alpha, abs=1e-9)
