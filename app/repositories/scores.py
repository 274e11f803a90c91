"""The score of an attempt, from the columns of its result and its paper."""

from fractions import Fraction
from typing import Any

from sqlalchemy import Row

from app.engine.scores import Score


def score_of(row: Row[Any]) -> Score | None:
    """Return the score of a row; None if it has no result.

    The row has raw_numerator, raw_denominator, score_numerator, score_denominator and max_marks.
    """
    if row.raw_numerator is None:
        return None
    return Score(
        raw=Fraction(row.raw_numerator, row.raw_denominator),
        exact=Fraction(row.score_numerator, row.score_denominator),
        maximum=Fraction(row.max_marks),
    )
