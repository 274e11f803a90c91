"""Partial marks for each right pair of a matching question."""

from collections.abc import Sequence
from fractions import Fraction

from app.engine.partial_rules.base import PartialRule, Parts


class PerPair(PartialRule):
    """Each right pair earns its share of the marks, and wrong pairs take nothing away.

    Without any right pair the answer is incorrect. Marked options of a choice question earn nothing in part:
    whoever marks all of them would have all that are right.
    """

    name = "per_pair"

    def share(self, parts: Sequence[Parts]) -> Fraction:
        shares = (Fraction(each.right, each.total) for each in parts if each.are_independent)
        return max(shares, default=Fraction(0))
