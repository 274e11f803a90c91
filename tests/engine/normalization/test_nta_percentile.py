"""NTA's percentile scores."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given

from app.engine.normalization import NORMALIZATION_METHODS
from tests.engine.normalization.strategies import exams

METHOD = NORMALIZATION_METHODS["nta_percentile"]


class TestScales:
    def test_the_published_example(self) -> None:
        """121 marks, 37,244 of the 41,326 candidates of the session with at most as many: 90.1224411.

        The example of The Indian Express of July 2022 on CUET: see docs/sessions.md.
        """
        session = {Fraction(100): 37_243, Fraction(121): 1, Fraction(122): 4_082}
        [scale] = METHOD.scales([session])
        assert scale[Fraction(121)] == Fraction("90.1224411")

    @pytest.mark.parametrize(
        ("raw", "expected"), [("-2/3", "25"), ("0", "75"), ("100", "100"), ("320/3", "100")]
    )
    def test_sessions_are_merged_by_percentile(self, raw: str, expected: str) -> None:
        """The best of both sessions have 100, with 106.67 and with 100 marks."""
        one = {Fraction(-2, 3): 1, Fraction(0): 2, Fraction(320, 3): 1}
        other = {Fraction(50): 99, Fraction(100): 1}
        first, second = METHOD.scales([one, other])
        assert {**first, **second}[Fraction(raw)] == Fraction(expected)

    @given(exam=exams)
    def test_lies_between_0_and_100_and_the_best_have_100(self, exam: list[list[Fraction]]) -> None:
        for session, scale in zip(exam, METHOD.scales(list(map(Counter, exam))), strict=True):
            assert all(0 < score <= 100 for score in scale.values())
            assert scale[max(session)] == 100

    @given(exam=exams)
    def test_a_session_knows_nothing_of_the_others(self, exam: list[list[Fraction]]) -> None:
        sessions = list(map(Counter, exam))
        assert METHOD.scales(sessions) == [METHOD.scales([session])[0] for session in sessions]
