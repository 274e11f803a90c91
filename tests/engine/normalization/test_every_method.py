"""What holds for every normalization method, on random sessions."""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from app.engine.normalization import (
    NORMALIZATION_METHODS,
    NormalizationMethod,
    NormalizationUndefined,
    Scale,
    rounded,
)
from app.engine.ranking import Histogram
from tests.engine.normalization.strategies import candidates, exams

METHODS = pytest.mark.parametrize("method", NORMALIZATION_METHODS.values(), ids=NORMALIZATION_METHODS)


def scales(method: NormalizationMethod, sessions: Sequence[Sequence[Fraction]]) -> list[Scale]:
    """The scales of these candidates, if the method has any for them."""
    try:
        return method.scales([Counter(session) for session in sessions])
    except NormalizationUndefined:
        assume(False)
        raise


@METHODS
class TestScales:
    @given(exam=exams)
    def test_each_raw_score_has_one_and_they_rise(
        self, method: NormalizationMethod, exam: list[list[Fraction]]
    ) -> None:
        for session, scale in zip(exam, scales(method, exam), strict=True):
            assert set(scale) == set(session)
            in_order = [scale[raw] for raw in sorted(scale)]
            assert in_order == sorted(in_order)

    @given(exam=exams, random=st.randoms())
    def test_the_order_of_candidates_and_sessions_is_of_no_account(
        self, method: NormalizationMethod, exam: list[list[Fraction]], random: object
    ) -> None:
        turned = [session[::-1] for session in exam[::-1]]
        assert scales(method, turned)[::-1] == scales(method, exam)

    @given(session=candidates, count=st.integers(1, 4))
    def test_equal_sessions_have_equal_scales(
        self, method: NormalizationMethod, session: list[Fraction], count: int
    ) -> None:
        first, *others = scales(method, [session] * count)
        assert all(other == first for other in others)

    @given(exam=exams)
    def test_a_session_without_candidates_changes_nothing(
        self, method: NormalizationMethod, exam: list[list[Fraction]]
    ) -> None:
        assert scales(method, [[], *exam, []]) == [{}, *scales(method, exam), {}]

    @given(exam=exams)
    def test_scores_have_the_places_of_the_method(
        self, method: NormalizationMethod, exam: list[list[Fraction]]
    ) -> None:
        for scale in scales(method, exam):
            assert all(10**method.places % score.denominator == 0 for score in scale.values())

    def test_without_candidates_there_is_nothing(self, method: NormalizationMethod) -> None:
        nobody: Histogram = {Fraction(3): 0}
        assert method.scales([nobody, {}]) == [{}, {}]
        assert method.scales([]) == []


class TestRounded:
    @pytest.mark.parametrize(
        ("value", "places", "expected"),
        [
            (Fraction(1, 3), 2, "0.33"),
            (Fraction(5, 1000), 2, "0.01"),
            (Fraction(-5, 1000), 2, "-0.01"),
            (Fraction(-4, 1000), 2, "0"),
            (Fraction(2, 3), 7, "0.6666667"),
        ],
    )
    def test_halves_go_away_from_zero(self, value: Fraction, places: int, expected: str) -> None:
        assert rounded(value, places) == Fraction(expected)
