"""The partial marks of JEE (Advanced) for questions with one or more correct options."""

from collections.abc import Sequence
from fractions import Fraction

from app.engine.partial_rules.base import PartialRule, Parts

_MAX_PARTS = 3
_FULL_MARKS = 4


class JeeAdvanced(PartialRule):
    """With nothing wrong, a quarter of the marks for each right part, of at most three.

    The official scheme gives +4 for all, +3 if all four options are correct and three are chosen, +2 if three
    or more are correct and two are chosen, +1 if two or more are correct and one is chosen, and the penalty
    in all other cases; docs/decisions/0046 has its source.
    """

    name = "jee_advanced"

    def share(self, parts: Sequence[Parts]) -> Fraction:
        shares = (
            Fraction(min(each.right, _MAX_PARTS), _FULL_MARKS)
            for each in parts
            if not each.wrong and each.right < each.total
        )
        return max(shares, default=Fraction(0))
