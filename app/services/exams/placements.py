"""Where an exam's paper belongs: known to each process, since it never changes."""

from collections import OrderedDict
from dataclasses import dataclass
from uuid import UUID

from app.core.errors import NotFound
from app.services.unit_of_work import Reading


@dataclass(frozen=True, slots=True)
class Placement:
    """The exam of an exam paper, and the test that it is."""

    exam_id: UUID
    test_id: UUID


class PlacementStore:
    """This process's placements: a save must not ask the database what it knows already."""

    def __init__(self, capacity: int = 1000) -> None:
        self._capacity = capacity
        self._placements: OrderedDict[UUID, Placement] = OrderedDict()

    async def get(self, reads: Reading, exam_id: UUID, paper_id: UUID) -> Placement:
        """The placement; NotFound where the paper is not of this exam. Says nothing about who may see it."""
        placement = self._placements.get(paper_id)
        if placement is None:
            found = await reads.exams.placement(paper_id)
            if found is None:
                raise NotFound("exam paper")
            placement = self._placements[paper_id] = Placement(*found)
            while len(self._placements) > self._capacity:
                self._placements.popitem(last=False)
        if placement.exam_id != exam_id:
            raise NotFound("exam paper")
        return placement
