"""Partial marks in proportion to the right parts."""

from collections.abc import Sequence
from fractions import Fraction

from app.engine.partial_rules.base import PartialRule, Parts


class Proportional(PartialRule):
    """With nothing wrong, the right parts' share of all parts, the best over the accepted answers.

    Anything wrong makes the answer incorrect.
    """

    name = "proportional"

    def share(self, parts: Sequence[Parts]) -> Fraction:
        shares = (Fraction(each.right, each.total) for each in parts if not each.wrong)
        return max(shares, default=Fraction(0))
