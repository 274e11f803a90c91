"""The dry run of a release: what it would close, and what the results would be."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.models import Exam
from app.repositories.base import PageRequest
from app.services import embargo
from app.services.components import Components
from app.services.exams.releasing import Released, release
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal

FIRST_RANKS = 10


@dataclass(frozen=True, slots=True)
class Place:
    """A ranked candidate in a dry run."""

    rank: int
    roll_number: str
    name: str
    total: str


@dataclass(frozen=True, slots=True)
class ReleasePreview:
    """What a release would do.

    `outcomes` and `first_ranks` are None for who may not know the keys of all papers before the release:
    results of one's own choice of answers would tell the keys (docs/decisions/0021).
    """

    closes: Sequence[str]
    registered: int
    graded_now: int
    participants: int | None
    outcomes: Mapping[str, int] | None
    first_ranks: Sequence[Place] | None


async def preview_release(
    uow: UnitOfWork,
    parts: Components,
    staff: Principal,
    exam_id: UUID,
    now: datetime,
    early_reason: str | None = None,
) -> ReleasePreview:
    """What `release` would do. Nothing is changed. Raises what `release` raises."""
    may_know = await may_know_keys(uow, staff, exam_id)
    async with uow.dry_run():
        released = await release(uow, parts, staff, exam_id, now, early_reason)
        return await _preview(uow, released, may_know=may_know)


async def may_know_keys(uow: UnitOfWork, staff: Principal, exam_id: UUID) -> bool:
    """Whether this person may know the keys of all papers. Must be asked before the release."""
    reader = embargo.reader(staff)
    papers = await uow.exams.papers(exam_id)
    pinned = [paper.paper_id for paper in papers if paper.paper_id is not None]
    return not any([await uow.embargo.withholds_paper(reader, paper_id) for paper_id in pinned])


async def _preview(uow: UnitOfWork, released: Released, *, may_know: bool) -> ReleasePreview:
    exam = released.exam
    outcomes = await uow.exam_results.outcomes(exam)
    return ReleasePreview(
        closes=[paper.code for paper in released.closed],
        registered=sum(outcomes.values()),
        graded_now=released.graded,
        participants=released.release.participants if may_know else None,
        outcomes=outcomes if may_know else None,
        first_ranks=await _first_ranks(uow, exam) if may_know else None,
    )


async def _first_ranks(uow: UnitOfWork, exam: Exam) -> Sequence[Place]:
    page = await uow.exam_results.merit_list(exam, exam.results_version or 1, PageRequest(limit=FIRST_RANKS))
    return [
        Place(row.rank, row.roll_number, row.name, row.total)
        for row in page.items
        if row.rank is not None and row.total is not None
    ]
