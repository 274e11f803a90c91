"""The equipercentile method of SSC (2025) and CUET. The example is computed by hand: none was found."""

from collections import Counter
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.engine.normalization import NORMALIZATION_METHODS
from app.engine.normalization.equipercentile import marks_at
from tests.engine.normalization.strategies import candidates, exams

METHOD = NORMALIZATION_METHODS["equipercentile"]

EASY = {Fraction(40): 1, Fraction(60): 2, Fraction(90): 1}
"""Percentiles: 40 has 1/4, 60 has 3/4, 90 has 1."""
HARD = {Fraction(20): 1, Fraction(50): 1}
"""Percentiles: 20 has 1/2, 50 has 1."""


class TestScales:
    def test_an_example_by_hand(self) -> None:
        """At 1/4: 40 and, below the lowest percentile of HARD, its lowest marks, 20: the mean is 30.

        At 3/4: 60, and halfway between 20 and 50, which is 35: the mean is 47.5.
        At 1/2: halfway between 40 and 60, which is 50, and 20: the mean is 35. At 1: 90 and 50.
        """
        easy, hard = METHOD.scales([EASY, HARD])
        assert easy == {Fraction(40): 30, Fraction(60): Fraction("47.5"), Fraction(90): 70}
        assert hard == {Fraction(20): 35, Fraction(50): 70}

    @given(session=candidates, count=st.integers(1, 4))
    def test_equal_sessions_are_left_as_they_are(self, session: list[Fraction], count: int) -> None:
        for scale in METHOD.exact([Counter(session)] * count):
            assert scale == {raw: raw for raw in session}

    @given(exam=exams)
    def test_lies_between_the_lowest_and_the_highest_marks(self, exam: list[list[Fraction]]) -> None:
        every = [raw for session in exam for raw in session]
        for session, scale in zip(exam, METHOD.exact(list(map(Counter, exam))), strict=True):
            assert all(min(every) <= score <= max(every) for score in scale.values())
            best = [max(other) for other in exam]
            assert scale[max(session)] == sum(best) / Fraction(len(best))

    @given(exam=exams)
    def test_higher_marks_have_a_higher_score_before_rounding(self, exam: list[list[Fraction]]) -> None:
        for scale in METHOD.exact(list(map(Counter, exam))):
            in_order = [scale[raw] for raw in sorted(scale)]
            assert in_order == sorted(set(in_order))

    @given(exam=exams)
    def test_equal_percentiles_have_equal_scores(self, exam: list[list[Fraction]]) -> None:
        found: dict[Fraction, set[Fraction]] = {}
        for session, scale in zip(exam, METHOD.exact(list(map(Counter, exam))), strict=True):
            for raw, score in scale.items():
                share = Fraction(sum(other <= raw for other in session), len(session))
                found.setdefault(share, set()).add(score)
        assert all(len(scores) == 1 for scores in found.values())


class TestMarksAt:
    @pytest.mark.parametrize(
        ("share", "expected"),
        [("1/100", 40), ("1/4", 40), ("3/8", 45), ("1/2", 50), ("3/4", 60), ("7/8", 75), ("1", 90)],
    )
    def test_interpolates_between_percentiles(self, share: str, expected: int) -> None:
        points = [
            (Fraction("1/4"), Fraction(40)),
            (Fraction("3/4"), Fraction(60)),
            (Fraction(1), Fraction(90)),
        ]
        assert marks_at(Fraction(share), points) == expected
