"""Shares of the maximum that a score must reach, by category and disability."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache

from app.engine.marks import reaches


@dataclass(frozen=True)
class QualifyingShares:
    """Percentages of a maximum: of everybody, and of groups of candidates (`groups_of`)."""

    everybody: Decimal | None = None
    by_group: Mapping[str, Decimal] = field(default_factory=dict)

    def of(self, category: str, pwbd: int | None) -> Decimal | None:
        """The lowest percentage of a candidate's groups. A category without one has that of everybody."""
        if not self.by_group:
            return self.everybody
        groups = groups_of(category, pwbd)
        found = [self.by_group[group] for group in groups if group in self.by_group]
        if category not in self.by_group and self.everybody is not None:
            found.append(self.everybody)
        return min(found, default=None)


def groups_of(category: str, pwbd: int | None) -> list[str]:
    """The groups of a candidate: the category, and for disability 2 also `pwbd` and `pwbd_2`."""
    return [category, *(["pwbd", f"pwbd_{pwbd}"] if pwbd else [])]


@lru_cache(maxsize=100_000)
def reaches_share(exact: Fraction, printed: Decimal, percent: Decimal, maximum: Fraction) -> bool:
    """Whether a score is at least this share of the maximum (`marks.reaches`). A paper has few scores."""
    return reaches(exact, printed, Fraction(percent) / 100 * maximum)
