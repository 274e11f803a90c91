"""SSC's formula of 2019. No worked example is published: the one here is computed by hand."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given

from app.engine.normalization import NORMALIZATION_METHODS, NormalizationUndefined
from app.engine.normalization.ssc_2019 import best_mean, deviation, mean
from tests.engine.normalization.strategies import candidates

METHOD = NORMALIZATION_METHODS["ssc_2019"]

EASY = {Fraction(100): 1, Fraction(60): 1, Fraction(40): 2}
"""Mean 60, variance (1600 + 0 + 2 * 400) / 4 = 600."""
HARD = {Fraction(60): 1, Fraction(40): 1, Fraction(20): 2}
"""Mean 35, variance (625 + 25 + 2 * 225) / 4 = 275."""


class TestScales:
    def test_an_example_by_hand(self) -> None:
        """Over both sessions: the best 0.1 % is one candidate with 100, the mean 47.5, the variance 593.75.

        Hence M_gq = 47.5 + 24.36699 = 71.86699 and M_gm = 60 + 24.36699 = 84.36699.
        EASY: M_iq = 60 + 24.49490, slope (100 - 71.86699) / (100 - 84.49490) = 1.81443.
        HARD: M_iq = 35 + 16.58312, slope (100 - 71.86699) / (60 - 51.58312) = 3.34245.
        So the 60 of EASY becomes 1.81443 * (60 - 84.49490) + 84.36699 = 39.92267, and the 60 of HARD
        3.34245 * (60 - 51.58312) + 84.36699 = 112.5: as much as the 100 of EASY.
        """
        easy, hard = METHOD.scales([EASY, HARD])
        assert float(easy[Fraction(60)]) == pytest.approx(39.92267, abs=2e-4)
        assert easy[Fraction(100)] == hard[Fraction(60)] == Fraction("112.5")
        assert float(hard[Fraction(20)]) == pytest.approx(3.34245 * (20 - 51.58312) + 84.36699, abs=2e-4)

    @given(session=candidates)
    def test_one_session_is_left_as_it_is(self, session: list[Fraction]) -> None:
        try:
            [scale] = METHOD.scales([Counter(session)])
        except NormalizationUndefined:
            return
        assert all(abs(score - raw) <= Fraction(1, 10**5) for raw, score in scale.items())

    @pytest.mark.parametrize(
        ("sessions", "place"),
        [
            ([{Fraction(50): 10}], None),
            ([{Fraction(0): 1, Fraction(10): 99}], None),
            ([EASY, {}, {Fraction(50): 10}], 2),
            ([EASY, {Fraction(0): 1, Fraction(10): 99}], 1),
        ],
    )
    def test_is_refused_where_the_line_would_not_rise(
        self, sessions: list[dict[Fraction, int]], place: int | None
    ) -> None:
        """Of 99 with 10 marks and one with 0 the mean plus the deviation is 10.9: above the best mark."""
        with pytest.raises(NormalizationUndefined) as error:
            METHOD.scales(sessions)
        assert error.value.session == place


class TestBestMean:
    @pytest.mark.parametrize(
        ("count", "expected"), [(1000, 100), (1001, "199/2"), (2000, "199/2"), (2001, "99")]
    )
    def test_the_number_is_rounded_up(self, count: int, expected: str) -> None:
        session = {Fraction(100): 1, Fraction(99): 1, Fraction(98): 1, Fraction(1): count - 3}
        assert best_mean(session) == Fraction(expected)

    def test_takes_a_part_of_those_with_equal_marks(self) -> None:
        assert best_mean({Fraction(9): 5, Fraction(0): 1500}) == 9


class TestDeviation:
    def test_has_denominator_n(self) -> None:
        assert deviation({Fraction(1): 1, Fraction(3): 1}) == 1
        assert mean({Fraction(1): 1, Fraction(3): 1}) == 2

    def test_is_cut_off_after_forty_places(self) -> None:
        root = deviation(EASY)
        assert root**2 <= 600 < (root + Fraction(1, 10**40)) ** 2
