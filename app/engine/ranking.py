"""Rank and percentile from exact scores, by a histogram or in an order that tie-breaks have refined."""

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from itertools import accumulate
from math import lcm
from typing import Generic, TypeVar

Histogram = Mapping[Fraction, int]
"""How many candidates have each score."""

Exact = TypeVar("Exact", Fraction, int)

_PERCENTILE_PLACES = 7


class PercentileDefinition(StrEnum):
    """What a percentile says of a score, of 100 participants (docs/ranks.md).

    `at_or_below` counts those with the same or a lower score (NTA), `better_than` those with a lower score
    only, and `mid_rank` those with a lower score and half of those with the same, oneself included.
    """

    AT_OR_BELOW = "at_or_below"
    MID_RANK = "mid_rank"
    BETTER_THAN = "better_than"


@dataclass(frozen=True, slots=True)
class Standing:
    """A rank among the participants; `percentile` is from 0 to 100."""

    rank: int
    participants: int
    percentile: float


@dataclass(frozen=True, slots=True)
class CohortPlace:
    """How many participants of a cohort have a higher score, and how many there are."""

    above: int
    participants: int

    @property
    def standing(self) -> Standing:
        """The rank and percentile of this place. Not for a cohort without participants."""
        rank = self.above + 1
        return Standing(rank, self.participants, at_or_below_percentile(rank, self.participants))


class Distribution(Generic[Exact]):
    """A histogram in the order of its scores, best first. The standing of a score costs a search."""

    def __init__(self, histogram: Mapping[Exact, int]) -> None:
        counted: dict[Exact, int] = {score: count for score, count in histogram.items() if count}
        common = lcm(*(score.denominator for score in counted))
        # Whole numbers of the common denominator: comparing fractions takes ten times as long.
        whole = {score.numerator * (common // score.denominator): score for score in counted}
        self.scores: Sequence[Exact] = [whole[number] for number in sorted(whole, reverse=True)]
        self.place_of: Mapping[Exact, int] = {score: place for place, score in enumerate(self.scores)}
        self.counts: Sequence[int] = [counted[score] for score in self.scores]
        self._above = [0, *accumulate(self.counts)]

    @property
    def participants(self) -> int:
        return self._above[-1]

    def standing(self, score: Exact) -> Standing | None:
        """The standing of a score; None for one that nobody has."""
        place = self.place_of.get(score)
        return CohortPlace(self._above[place], self.participants).standing if place is not None else None


def standings(
    histogram: Mapping[Exact, int], definition: PercentileDefinition = PercentileDefinition.AT_OR_BELOW
) -> Mapping[Exact, Standing]:
    """Return the standing of each score of a histogram; see `standing`."""
    participants = sum(histogram.values())
    found, above = {}, 0
    for score in sorted(histogram, reverse=True):
        if equal := histogram[score]:
            found[score] = Standing(
                above + 1, participants, percentile(definition, above, equal, participants)
            )
        above += equal
    return found


def standing(histogram: Histogram, score: Fraction) -> Standing:
    """Return the rank and percentile that a score has, or would have, in the histogram.

    Equal scores share a rank and the next ones are skipped: 1, 2, 2, 4.
    Raises ValueError if the histogram is empty.
    """
    participants = sum(histogram.values())
    if participants < 1:
        raise ValueError("Nobody has a score yet.")
    above = sum(count for other, count in histogram.items() if other > score)
    return Standing(above + 1, participants, at_or_below_percentile(above + 1, participants))


def places(
    best_first: Sequence[tuple[int, Hashable]],
    definition: PercentileDefinition = PercentileDefinition.AT_OR_BELOW,
) -> list[Standing]:
    """Return the standings of participants that stand in order, each with the total and a tie-break.

    Whoever is equal in both shares a rank. A percentile is that of the total: no tie-break changes it.
    """
    participants, equal = len(best_first), Counter(total for total, _ in best_first)
    found: list[Standing] = []
    before: tuple[int, Hashable] | None = None
    above, share = 0, 0.0
    for number, place in enumerate(best_first):
        if place == before:
            found.append(found[-1])
            continue
        if before is None or place[0] != before[0]:
            above = number
            share = percentile(definition, above, equal[place[0]], participants)
        found.append(Standing(number + 1, participants, share))
        before = place
    return found


def percentile(definition: PercentileDefinition, above: int, equal: int, participants: int) -> float:
    """Return a percentile with seven decimals, as NTA prints them.

    `above` participants have a higher score, `equal` have the same one, oneself included.
    """
    halves = 2 * (participants - above)
    match definition:
        case PercentileDefinition.MID_RANK:
            halves -= equal
        case PercentileDefinition.BETTER_THAN:
            halves -= 2 * equal
    return round(50 * halves / participants, _PERCENTILE_PLACES)


def at_or_below_percentile(rank: int, participants: int) -> float:
    """Return NTA's percentile of a rank that equal scores share.

    It is 100 * (participants with the same or a lower score) / participants.
    """
    return percentile(PercentileDefinition.AT_OR_BELOW, rank - 1, 0, participants)
