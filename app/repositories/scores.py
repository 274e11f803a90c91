"""The score of an attempt, from the columns of its result and its paper."""

from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from typing import Any

from sqlalchemy import Row

from app.engine.scores import Score


def score_of(row: Row[Any]) -> Score | None:
    """Return the score of a row; None if it has no result.

    The row has raw_numerator, raw_denominator, score_numerator, score_denominator and max_marks.
    """
    if row.raw_numerator is None:
        return None
    return _score(
        row.raw_numerator, row.raw_denominator, row.score_numerator, row.score_denominator, row.max_marks
    )


@lru_cache(maxsize=4096)
def _score(
    raw_numerator: int, raw_denominator: int, numerator: int, denominator: int, maximum: Decimal
) -> Score:
    """Kept, because tests have few different scores and a page of attempts has dozens."""
    return Score(
        raw=Fraction(raw_numerator, raw_denominator),
        exact=Fraction(numerator, denominator),
        maximum=Fraction(maximum),
    )
