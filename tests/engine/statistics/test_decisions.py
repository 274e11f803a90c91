"""Guessing, bands of luck and Elo ratings."""

import numpy as np
import pytest

from app.engine.statistics.bands import (
    Band,
    Change,
    change,
    rank_band,
    score_band,
)
from app.engine.statistics.elo import Rating, Ratings, probability_of_right, updated
from app.engine.statistics.guessing import accuracy, break_even, regret


class TestGuessing:
    @pytest.mark.parametrize(("right", "wrong", "found"), [(2, -2 / 3, 0.25), (1, -0.25, 0.2), (4, 0, 0)])
    def test_break_even(self, right: float, wrong: float, found: float) -> None:
        assert break_even(right, wrong) == pytest.approx(found)

    def test_accuracy_without_answers_is_anything(self) -> None:
        found = accuracy(0, 0, 0.25)

        assert found.share is None
        assert [found.low, found.high] == pytest.approx([0.05, 0.95])
        assert found.above_break_even == pytest.approx(0.75)

    def test_more_answers_narrow_the_interval(self) -> None:
        few, many = accuracy(4, 10, 0.25), accuracy(400, 1000, 0.25)

        assert few.low < many.low < 0.4 < many.high < few.high
        assert few.above_break_even < many.above_break_even

    def test_intervals_cover_nine_in_ten(self) -> None:
        random = np.random.default_rng(1)
        true = random.random(2_000)
        found = [accuracy(int(random.binomial(30, share)), 30, 0.25) for share in true]
        inside = [each.low <= share <= each.high for each, share in zip(found, true, strict=True)]
        assert 0.88 <= np.mean(inside) <= 0.92

    def test_regret(self) -> None:
        found = regret(
            np.array([0.5, 0.1, 0.1, 0.9]),
            np.array([False, False, True, True]),
            np.full(4, 2.0),
            np.full(4, -2 / 3),
        )
        assert found.lost_by_blanks == pytest.approx((8 * 0.5 - 2) / 3)
        assert found.lost_by_answers == pytest.approx((2 - 8 * 0.1) / 3)


class TestBands:
    def test_ranks_of_a_band(self) -> None:
        scores, counts = [10.0, 20.0, 30.0], [5, 3, 2]

        assert rank_band(Band(15, 25), scores, counts) == (3, 6)
        assert rank_band(Band(0, 40), scores, counts) == (1, 10)
        assert rank_band(Band(20, 20), scores, counts) == (3, 3)

    def test_score_band_is_ninety_percent(self) -> None:
        band = score_band(100, 10)
        assert [band.low, band.high] == pytest.approx([83.55, 116.45], abs=0.01)

    @pytest.mark.parametrize(
        ("after", "found"),
        [(114, Change.UP), (113, Change.WITHIN_NOISE), (87, Change.WITHIN_NOISE), (86, Change.DOWN)],
    )
    def test_change(self, after: float, found: Change) -> None:
        """The limit is 1.96 times the root of 25 + 25: 13.86."""
        assert change(100, 5, after, 5) is found


class TestElo:
    START = Ratings(Rating(), Rating(), Rating())

    def test_a_surprise_moves_both_sides(self) -> None:
        after = updated(self.START, 1)

        assert after.candidate == Rating(0.3, 1)
        assert after.in_subject == Rating(0.15, 1)
        assert after.question == Rating(-0.2, 1)

    def test_steps_shrink(self) -> None:
        often = Ratings(Rating(answers=100), Rating(answers=100), Rating(answers=100))
        assert updated(often, 1).candidate.value == pytest.approx(0.1)

    @pytest.mark.parametrize(("guessing", "probability"), [(0, 0.5), (0.25, 0.625)])
    def test_probability(self, guessing: float, probability: float) -> None:
        assert probability_of_right(self.START, guessing) == probability

    def test_recovers_the_order_of_simulated_candidates(self) -> None:
        random = np.random.default_rng(2)
        ability, difficulty = random.standard_normal(60), random.standard_normal(80)
        candidates, questions = [Rating()] * 60, [Rating()] * 80
        for _ in range(6_000):
            who, which = int(random.integers(60)), int(random.integers(80))
            right = random.random() < 1 / (1 + np.exp(difficulty[which] - ability[who]))
            after = updated(Ratings(candidates[who], Rating(), questions[which]), float(right))
            candidates[who], questions[which] = after.candidate, after.question
        rated = np.array([each.value for each in candidates])
        true_ranks, ranks = (np.argsort(np.argsort(values)) for values in (ability, rated))
        assert np.corrcoef(true_ranks, ranks)[0, 1] > 0.85
