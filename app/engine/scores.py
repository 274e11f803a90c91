"""Exact scores of graded attempts, as the rounding policy prints them."""

from dataclasses import dataclass
from fractions import Fraction

from app.engine.marks import RoundingPolicy, printed


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

    def printed(self, policy: RoundingPolicy) -> str:
        """Return the marks after proration, rounded by the policy."""
        return printed(self.raw, self.factor, policy)

    def printed_maximum(self, policy: RoundingPolicy) -> str:
        """Return the paper's maximum, rounded by the policy."""
        return printed(self.maximum, Fraction(1), policy)
