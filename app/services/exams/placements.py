"""Which exam and test an exam paper belongs to. It never changes, so each process keeps it in memory."""

from collections import OrderedDict
from collections.abc import Sequence
from contextlib import suppress
from functools import partial
from uuid import UUID

from app.core.attempt_scope import AttemptScope
from app.core.errors import NotFound
from app.services.components import Components
from app.services.unit_of_work import Reading, looking


class PlacementStore:
    """The placements that this process has read. With it a save needs no query for them."""

    def __init__(self, capacity: int = 1000) -> None:
        self._capacity = capacity
        self._placements: OrderedDict[UUID, tuple[UUID, AttemptScope]] = OrderedDict()

    def in_memory(self, exam_id: UUID, paper_id: UUID) -> AttemptScope | None:
        """The scope if this process has it in memory."""
        placement = self._placements.get(paper_id)
        return placement[1] if placement is not None and placement[0] == exam_id else None

    async def get(self, reads: Reading, exam_id: UUID, paper_id: UUID) -> AttemptScope:
        """The scope of attempts at an exam paper. Raises NotFound if the paper is not of this exam.

        Does not check who may see the exam.
        """
        placement = self._placements.get(paper_id)
        if placement is None:
            found = await reads.exams.placement(paper_id)
            if found is None:
                raise NotFound("exam paper")
            of_exam, test_id = found
            placement = self._placements[paper_id] = of_exam, AttemptScope(test_id, paper_id)
            while len(self._placements) > self._capacity:
                self._placements.popitem(last=False)
        if placement[0] != exam_id:
            raise NotFound("exam paper")
        return placement[1]


async def placement_together(parts: Components, exam_id: UUID, paper_id: UUID) -> AttemptScope:
    """The scope of attempts at an exam paper, looked up for all who wait. Raises NotFound."""
    if (scope := parts.placements.in_memory(exam_id, paper_id)) is not None:
        return scope
    asked = exam_id, paper_id
    found = await parts.lookup_batches.outcome(placement_together, asked, partial(_placements, parts))
    if found is None:
        raise NotFound("exam paper")
    return found


async def _placements(parts: Components, asked: Sequence[tuple[UUID, UUID]]) -> Sequence[AttemptScope | None]:
    found: dict[tuple[UUID, UUID], AttemptScope] = {}
    async with looking(parts.batch_engine) as reads:
        for exam_id, paper_id in dict.fromkeys(asked):
            with suppress(NotFound):
                found[exam_id, paper_id] = await parts.placements.get(reads, exam_id, paper_id)
    return [found.get(each) for each in asked]
