"""Exact scores of graded attempts, as the rounding policy prints them."""

from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Score:
    """Exact marks of a graded attempt: before proration, after it, and the paper's maximum."""

    raw: Fraction
    exact: Fraction
    maximum: Fraction

    @property
    def factor(self) -> Fraction:
        """What the raw marks were multiplied with. If they are zero, every factor gives the same."""
        return self.exact / self.raw if self.raw else Fraction(1)
