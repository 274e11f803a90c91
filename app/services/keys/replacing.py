"""Replacing the results of a revision's papers: first graded into a temporary table, then put in place.

Grading takes most of the time and needs no lock. What is graded, voided or changed meanwhile is noticed under
the locks, and graded again.
"""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from uuid import UUID

from app.core import full_collections
from app.engine.grading import LETTERS
from app.engine.ranking import standings
from app.engine.scoring import Outcome
from app.models import KeyRevision
from app.repositories.attempts import Score
from app.repositories.attempts.regrading import OutcomeChange, Range
from app.services.components import Components
from app.services.keys.regrading import AT_ONCE, FIRST, Regrader, staged_row
from app.services.tests.papers import CompiledKey
from app.services.unit_of_work import UnitOfWork

JOB = 100
"""How many attempts a job of analytics takes."""
LAST = UUID(int=2**128 - 1)

RIGHT = LETTERS[Outcome.CORRECT]
Report = Callable[[int, int], Awaitable[None]]
"""Takes how many attempts are done, and of how many."""


@dataclass(slots=True)
class Replacement:
    """The results of a revision in the making. Each attempt is half done when it is graded."""

    uow: UnitOfWork
    parts: Components
    revision: KeyRevision
    regrader: Regrader
    report: Report
    total: int = 0
    bounds: list[UUID] = field(default_factory=list)
    """The ids that part the attempts into ranges, in order."""

    async def grade(self) -> None:
        """Grade everybody who has a result now. Nothing is locked."""
        self.total = await self.uow.regrading.count(self.revision.test_id, self.regrader.paper_ids)
        await self.report(0, self.total)
        await self.uow.regrading.begin()
        with full_collections.disabled():
            await self._grade(FIRST)

    async def grade_again(self) -> int:
        """Grade those whose result is new or another one since. Returns how many attempts there are."""
        await self.uow.regrading.forget_changed()
        await self._grade(FIRST, is_staged=False)
        self.total = await self.uow.regrading.count(self.revision.test_id, self.regrader.paper_ids)
        return self.total

    async def _grade(self, after: UUID, *, is_staged: bool | None = None) -> None:
        test_id, papers = self.revision.test_id, self.regrader.paper_ids
        done = 0
        while gradings := await self.uow.regrading.graded(
            test_id, papers, after, AT_ONCE, is_staged=is_staged
        ):
            await self.regrader.load_old_keys(self.uow, self.parts, gradings)
            regraded = await asyncio.to_thread(self.regrader.regrade_all, gradings)
            await self.uow.regrading.stage([staged_row(each) for each in regraded])
            after = gradings[-1].attempt_id
            if is_staged is None:
                self.bounds.append(after)
                done += len(gradings)
                await self.report(done // 2, self.total)

    async def put_in_place(self, keys: Mapping[UUID, CompiledKey], now: datetime) -> None:
        """Replace the results, then the counts of outcomes, and the histograms last (docs/decisions/0014)."""
        regrading, outcomes = self.uow.regrading, OutcomeCounts()
        await regrading.set_keys({paper_id: (key.id, key.cohort_id) for paper_id, key in keys.items()})
        for done, part in enumerate(self._ranges(), start=1):
            for change in await regrading.outcome_changes(part):
                outcomes.add(change)
            await regrading.replace(part, now)
            await self.report((self.total + min(done * AT_ONCE, self.total)) // 2, self.total)
        await regrading.count_outcomes(outcomes.counts)
        await self._count_scores()
        for part in self._ranges():
            await regrading.record(part, self.revision.id)
        for ids in await regrading.staged_ids(JOB):
            self.uow.jobs.add("calculate_user_analytics", attempt_ids=ids)

    async def _count_scores(self) -> None:
        """Rebuild the histograms, and note the ranks by them before and after."""
        before, after = Counter[Score](), Counter[Score]()
        for change in await self.uow.regrading.score_changes():
            if change.before is not None:
                before[change.before] += change.attempts
            if change.after is not None:
                after[change.after] += change.attempts
        ranks = [(False, *each) for each in await self._ranks(before)]
        changes = Counter(after)
        changes.subtract(before)
        grading = self.uow.grading
        await grading.discount_scores({score: -count for score, count in changes.items() if count < 0})
        await grading.count_scores({score: count for score, count in changes.items() if count > 0})
        ranks += [(True, *each) for each in await self._ranks(after)]
        await self.uow.regrading.set_ranks(ranks)

    async def _ranks(self, counted: Iterable[Score]) -> list[tuple[UUID, Fraction, int]]:
        return [
            (cohort_id, exact, standing.rank)
            for cohort_id in sorted({cohort_id for cohort_id, _ in counted})
            for exact, standing in standings(await self.uow.attempts.histogram(cohort_id)).items()
        ]

    def _ranges(self) -> Iterator[Range]:
        for above, to in pairwise([FIRST, *self.bounds[:-1], LAST]):
            yield Range(above, to)


class OutcomeCounts:
    """How many results more, and how many right answers more to each question, by paper and cohort."""

    def __init__(self) -> None:
        self.counts: dict[tuple[UUID, UUID], tuple[int, list[int]]] = {}

    def add(self, change: OutcomeChange) -> None:
        """Count the outcomes before in one cohort less, and those after in the other one more."""
        self._add((change.paper_id, change.cohort_before), change.before, change.questions, -1)
        self._add((change.paper_id, change.cohort_after), change.after, change.questions, 1)

    def _add(self, place: tuple[UUID, UUID], outcomes: str, questions: int, sign: int) -> None:
        results, correct = self.counts.get(place, (0, [0] * questions))
        here = [outcomes[question::questions].count(RIGHT) for question in range(questions)]
        self.counts[place] = (
            results + sign * (len(outcomes) // questions),
            [total + sign * more for total, more in zip(correct, here, strict=True)],
        )
