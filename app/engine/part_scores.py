"""Exact scores of parts of an attempt: of a section, a subject or a whole paper."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from operator import itemgetter
from typing import Any


@dataclass(frozen=True, slots=True)
class PartScore:
    """Exact marks after proration, and how many answers are right and wrong.

    An answer with partial marks, a dropped question and a blank are neither.
    """

    marks: Fraction
    right: int
    wrong: int

    def __add__(self, other: "PartScore") -> "PartScore":
        return PartScore(self.marks + other.marks, self.right + other.right, self.wrong + other.wrong)


@dataclass(frozen=True, slots=True)
class MarkedParts:
    """A graded attempt as it is stored: outcomes by letter, and raw marks in parts of a unit.

    The marks of its questions times `unit` add up to the exact score of the paper.
    """

    outcomes: str
    marks: Sequence[int]
    unit: Fraction


class Part:
    """Questions of a paper, by their positions in its order, counted from 0."""

    def __init__(self, positions: Sequence[int]) -> None:
        # An `itemgetter` of one position returns no tuple. An empty part is never asked for.
        self._select: Any = (
            itemgetter(*positions) if len(positions) > 1 else lambda graded: (graded[positions[0]],)
        )

    def score(self, graded: MarkedParts) -> PartScore:
        """The score of these questions."""
        outcomes = self._select(graded.outcomes)
        marks = _times(graded.unit, sum(self._select(graded.marks)))
        return PartScore(marks, outcomes.count("c"), outcomes.count("i"))

    def raw(self, graded: MarkedParts) -> int:
        """The raw marks of these questions, in parts of the attempt's own common denominator."""
        return sum(self._select(graded.marks))


@lru_cache(maxsize=10_000)
def _times(unit: Fraction, count: int) -> Fraction:
    """The product. The attempts at a paper have few different ones, and reducing a fraction is slow."""
    return unit * count
