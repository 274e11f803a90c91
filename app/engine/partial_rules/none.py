"""No partial marks."""

from collections.abc import Sequence
from fractions import Fraction

from app.engine.partial_rules.base import PartialRule, Parts


class NoPartialMarks(PartialRule):
    """An answer is right as a whole, or incorrect."""

    name = "none"

    def share(self, parts: Sequence[Parts]) -> Fraction:
        return Fraction(0)
