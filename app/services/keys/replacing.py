"""Replacing the results of a revision's papers: first graded into a temporary table, then put in place.

Grading takes most of the time and needs no lock. What is graded, voided or changed meanwhile is noticed under
the locks, and graded again.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from uuid import UUID

from app.core import full_collections
from app.engine.ranking import standings
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

Place = tuple[UUID, UUID]
"""A paper, and a cohort that has sat it."""
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
        while sheets := await self.uow.regrading.graded(test_id, papers, after, AT_ONCE, is_staged=is_staged):
            await self.regrader.load_old_keys(self.uow, self.parts, sheets)
            regraded = await asyncio.to_thread(self.regrader.regrade_all, sheets)
            await self.uow.regrading.stage([staged_row(each) for each in regraded])
            after = sheets[-1].attempt_id
            if is_staged is None:
                self.bounds.append(after)
                done += len(sheets)
                await self.report(done // 2, self.total)

    async def put_in_place(self, keys: Mapping[UUID, CompiledKey], now: datetime) -> None:
        """Replace the results, then the counts of outcomes, and the histograms last (docs/decisions/0014)."""
        regrading = self.uow.regrading
        await regrading.set_keys({paper_id: (key.id, key.cohort_id) for paper_id, key in keys.items()})
        scores = _Change()
        for done, part in enumerate(self._ranges(), start=1):
            scores.before.update(await regrading.counted(part))
            _add(scores.outcomes, await regrading.outcomes(part), -1)
            await regrading.replace(part, now)
            scores.after.update(await regrading.counted(part))
            _add(scores.outcomes, await regrading.outcomes(part), 1)
            await self.report((self.total + min(done * AT_ONCE, self.total)) // 2, self.total)
        await regrading.count_outcomes(scores.outcomes)
        await self._record(scores)
        for ids in await regrading.staged_ids(JOB):
            self.uow.jobs.add("calculate_user_analytics", attempt_ids=ids)

    async def _record(self, scores: "_Change") -> None:
        """Rebuild the histograms, and keep what the results were before, with ranks."""
        ranks = [(False, *each) async for each in self._ranks(scores.before)]
        changes = Counter(scores.after)
        changes.subtract(scores.before)
        grading = self.uow.grading
        await grading.discount_scores({score: -count for score, count in changes.items() if count < 0})
        await grading.count_scores({score: count for score, count in changes.items() if count > 0})
        ranks += [(True, *each) async for each in self._ranks(scores.after)]
        await self.uow.regrading.set_ranks(ranks)
        for part in self._ranges():
            await self.uow.regrading.record(part, self.revision.id)

    async def _ranks(self, counted: Mapping[Score, int]) -> AsyncIterator[tuple[UUID, Fraction, int]]:
        for cohort_id in sorted({cohort_id for cohort_id, _ in counted}):
            for exact, standing in standings(await self.uow.attempts.histogram(cohort_id)).items():
                yield cohort_id, exact, standing.rank

    def _ranges(self) -> Iterator[Range]:
        for above, to in pairwise([FIRST, *self.bounds[:-1], LAST]):
            yield Range(above, to)


@dataclass(slots=True)
class _Change:
    before: Counter[Score] = field(default_factory=Counter)
    after: Counter[Score] = field(default_factory=Counter)
    outcomes: dict[Place, OutcomeChange] = field(default_factory=dict)


def _add(
    changes: dict[tuple[UUID, UUID], OutcomeChange],
    counted: Mapping[tuple[UUID, UUID], OutcomeChange],
    sign: int,
) -> None:
    for place, each in counted.items():
        change = changes.setdefault(place, OutcomeChange(0, [0] * len(each.correct)))
        change.results += sign * each.results
        change.correct = [all_ + sign * some for all_, some in zip(change.correct, each.correct, strict=True)]
