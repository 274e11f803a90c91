"""Strategies of marks for all methods of normalization."""

from fractions import Fraction

from hypothesis import strategies as st

marks = st.integers(-20, 60).map(lambda thirds: Fraction(2 * thirds, 3))
candidates = st.lists(marks, min_size=2, max_size=40)
exams = st.lists(candidates, min_size=1, max_size=4)
