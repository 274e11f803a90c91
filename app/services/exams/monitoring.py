"""Monitoring an exam: attempts by status, and the state of each candidate. No answers, no scores."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.engine.schedule import ExamStage
from app.models import Exam, Registration
from app.repositories.base import Page, PageRequest
from app.repositories.exams import Candidate, ExamAttemptFilter
from app.services.exams.catalog import PaperView, exam_viewer, paper_view, stage_of
from app.services.unit_of_work import Reading
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class PaperCount:
    """The number of attempts at a paper by status."""

    paper: PaperView
    by_status: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Monitor:
    """The figures of an exam."""

    exam: Exam
    stage: ExamStage
    registered: int
    papers: Sequence[PaperCount]


async def monitor(reads: Reading, staff: Principal, exam_id: UUID, now: datetime) -> Monitor:
    """The figures of an exam, for staff."""
    exam = await reads.exams.find(exam_viewer(staff), exam_id)
    by_status = {count.paper_id: count.by_status for count in await reads.rooms.counts(exam.id)}
    papers = await reads.exams.papers(exam.id)
    counts = [PaperCount(paper_view(paper, now), by_status[paper.id]) for paper in papers]
    stage = stage_of(exam, papers, now)
    return Monitor(exam, stage, await reads.rooms.registered(exam.id), counts)


async def candidates(
    reads: Reading, staff: Principal, exam_id: UUID, wanted: ExamAttemptFilter, request: PageRequest
) -> Page[Candidate]:
    """Attempts of an exam with their candidates, the newest first."""
    exam = await reads.exams.find(exam_viewer(staff), exam_id)
    return await reads.exam_attempts.page(exam.id, wanted, request)


@dataclass(frozen=True, slots=True)
class NoShows:
    """Candidates who have started nothing, and how many there are in all."""

    page: Page[Registration]
    count: int


async def no_shows(
    reads: Reading,
    staff: Principal,
    exam_id: UUID,
    paper_id: UUID | None,
    query: str | None,
    request: PageRequest,
) -> NoShows:
    """The registered candidates who have not started a paper, or no paper of the exam."""
    viewer = exam_viewer(staff)
    exam = await reads.exams.find(viewer, exam_id)
    if paper_id is not None:
        await reads.exams.paper(viewer, exam.id, paper_id)
    found = await reads.registrations.no_shows(exam.id, paper_id, query, request)
    return NoShows(found, await reads.registrations.count_no_shows(exam.id, paper_id))
