"""What another key changes: scores, ranks and qualification of everybody who was graded."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from heapq import nsmallest
from uuid import UUID

from app.engine.ranking import Histogram, Standing, standings

MAX_SHOWN_CHANGES = 20
"""How many attempts `Impact.biggest_changes` has at most."""


@dataclass(frozen=True, slots=True)
class ResultMark:
    """A score by one key: exact and as it is printed, whether it is ranked, and whether it qualifies."""

    score: Fraction
    printed: str
    is_ranked: bool
    qualification: str


@dataclass(frozen=True, slots=True)
class Regraded:
    """One attempt by the key before and by the new one. Attempts of a cohort are ranked together."""

    before: ResultMark
    after: ResultMark
    cohort_before: UUID
    cohort_after: UUID


@dataclass(frozen=True, slots=True)
class Change:
    """What changes for one attempt. Ranks are None where it has none."""

    attempt_id: UUID
    before: ResultMark
    after: ResultMark
    rank_before: int | None
    rank_after: int | None


@dataclass(frozen=True, slots=True)
class Impact:
    """What changes for all of them.

    `ranks_changed` and `qualified_changed` count attempts that get or lose a rank, or qualify or not, too.
    `other_ranks_changed` counts attempts of the same cohorts, before or after, that are not graded again.
    `distribution` has how many scores change by so many marks, rounded to whole ones.
    """

    attempts: int
    scores_changed: int
    ranks_changed: int
    other_ranks_changed: int
    qualified_changed: int
    biggest_changes: Sequence[Change]
    distribution: Sequence[tuple[int, int]]


class ImpactCount:
    """Counts attempts one by one. It keeps counts of equal changes, and not the attempts."""

    def __init__(self) -> None:
        self._counts: Counter[Regraded] = Counter()
        self._examples: dict[Regraded, list[UUID]] = {}

    def add(self, attempt_id: UUID, regraded: Regraded) -> None:
        """Count an attempt. Add them in the order of their ids: of equal changes the first ones are shown."""
        self.add_all([attempt_id], regraded)

    def add_all(self, attempt_ids: Sequence[UUID], regraded: Regraded) -> None:
        """Count attempts with the same change, in the order of their ids."""
        self._counts[regraded] += len(attempt_ids)
        examples = self._examples.setdefault(regraded, [])
        examples += attempt_ids[: MAX_SHOWN_CHANGES - len(examples)]

    @property
    def cohorts(self) -> set[UUID]:
        """The cohorts of everybody who was added, before and after."""
        return {id_ for each in self._counts for id_ in (each.cohort_before, each.cohort_after)}

    def impact(self, histograms: Mapping[UUID, Histogram]) -> Impact:
        """The impact on everybody who was added, and on the others in the histograms of their cohorts."""
        before, after = _histograms(self._counts, "before"), _histograms(self._counts, "after")
        others = {id_: Counter(histogram) - before[id_] for id_, histogram in histograms.items()}
        ranks_before, ranks_after = _ranks(before, others), _ranks(after, others)
        changes = [
            (count, self._change(regraded, ranks_before, ranks_after))
            for regraded, count in self._counts.items()
        ]
        return Impact(
            attempts=self._counts.total(),
            scores_changed=sum(n for n, each in changes if each.before.score != each.after.score),
            ranks_changed=sum(n for n, each in changes if each.rank_before != each.rank_after),
            other_ranks_changed=sum(
                count
                for id_, histogram in others.items()
                for score, count in histogram.items()
                if ranks_before[id_][score].rank != ranks_after[id_][score].rank
            ),
            qualified_changed=sum(
                n for n, each in changes if each.before.qualification != each.after.qualification
            ),
            biggest_changes=self._biggest(ranks_before, ranks_after),
            distribution=_distribution(self._counts),
        )

    def _change(self, regraded: Regraded, ranks_before: "_Ranks", ranks_after: "_Ranks") -> Change:
        return Change(
            attempt_id=self._examples[regraded][0],
            before=regraded.before,
            after=regraded.after,
            rank_before=_rank(ranks_before, regraded.cohort_before, regraded.before),
            rank_after=_rank(ranks_after, regraded.cohort_after, regraded.after),
        )

    def _biggest(self, ranks_before: "_Ranks", ranks_after: "_Ranks") -> Sequence[Change]:
        return nsmallest(MAX_SHOWN_CHANGES, self._examined(ranks_before, ranks_after), key=_size)

    def _examined(self, ranks_before: "_Ranks", ranks_after: "_Ranks") -> Iterator[Change]:
        for regraded, attempt_ids in self._examples.items():
            change = self._change(regraded, ranks_before, ranks_after)
            if change.before == change.after and change.rank_before == change.rank_after:
                continue
            for attempt_id in attempt_ids:
                yield Change(attempt_id, change.before, change.after, change.rank_before, change.rank_after)


_Histograms = Mapping[UUID, Counter[Fraction]]
_Ranks = Mapping[UUID, Mapping[Fraction, Standing]]


def _histograms(counts: Mapping[Regraded, int], side: str) -> _Histograms:
    """How many of those who were added have each score, by cohort."""
    histograms = defaultdict[UUID, Counter[Fraction]](Counter)
    for regraded, count in counts.items():
        mark: ResultMark = getattr(regraded, side)
        if mark.is_ranked:
            histograms[getattr(regraded, f"cohort_{side}")][mark.score] += count
    return histograms


def _ranks(histograms: _Histograms, others: _Histograms) -> _Ranks:
    none = Counter[Fraction]()
    return {
        cohort_id: standings(histograms.get(cohort_id, none) + others.get(cohort_id, none))
        for cohort_id in {*histograms, *others}
    }


def _rank(ranks: _Ranks, cohort_id: UUID, mark: ResultMark) -> int | None:
    return ranks[cohort_id][mark.score].rank if mark.is_ranked else None


def _size(change: Change) -> tuple[Fraction, int, int, UUID]:
    """The order of changes: those of the score first, then those of the rank, each the biggest first."""
    moved = 0
    if change.rank_before is not None and change.rank_after is not None:
        moved = abs(change.rank_before - change.rank_after)
    qualifies_otherwise = change.before.qualification != change.after.qualification
    by_score = -abs(change.after.score - change.before.score)
    return by_score, -int(qualifies_otherwise), -moved, change.attempt_id


def _distribution(counts: Mapping[Regraded, int]) -> Sequence[tuple[int, int]]:
    marks: Counter[int] = Counter()
    for regraded, count in counts.items():
        difference = regraded.after.score - regraded.before.score
        if difference:
            marks[_whole(difference)] += count
    return sorted(marks.items())


def _whole(difference: Fraction) -> int:
    """The nearest whole number, halves away from zero."""
    nearest = int(abs(difference) + Fraction(1, 2))
    return nearest if difference > 0 else -nearest
