"""Finding exams: with their stage, the windows of their papers, and the person's registration."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.core.attempt_scope import AttemptRef
from app.core.errors import Forbidden, NotFound
from app.engine import schedule
from app.engine.schedule import ExamDates, ExamStage, PaperStatus, Window
from app.models import Announcement, AuditEntry, Exam, ExamPaper, Registration, Role
from app.repositories.base import Page, PageRequest
from app.repositories.exams import ExamViewer
from app.services.components import Components
from app.services.unit_of_work import Reading
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class ExamView:
    """An exam with its stage, and the registration of the person who looks."""

    exam: Exam
    stage: ExamStage
    registration: Registration | None


@dataclass(frozen=True, slots=True)
class PaperView:
    """A paper of an exam, and what its window allows now."""

    paper: ExamPaper
    status: PaperStatus


def exam_viewer(user: Principal) -> ExamViewer:
    """The person as the statements of exams need them."""
    return ExamViewer(user.institute_id, user.is_staff)


def require_team(exam: Exam, staff: Principal) -> None:
    """What lifts or bends the embargo is for who made the exam, and for admins (docs/decisions/0021)."""
    if staff.role is not Role.ADMIN and exam.created_by != staff.id:
        raise Forbidden("This is for who made the exam, and for admins.")


def stage_of(exam: Exam, now: datetime) -> ExamStage:
    """The stage of an exam."""
    dates = ExamDates(
        opens_at=exam.opens_at,
        closes_at=exam.closes_at,
        published_at=exam.published_at,
        cancelled_at=exam.cancelled_at,
        key_stage=exam.key_stage,
        released_at=exam.released_at,
    )
    return schedule.stage(dates, now)


def window_of(paper: ExamPaper) -> Window:
    """The times of a paper, for the rules."""
    return Window(paper.starts_at, paper.entry_closes_at, paper.ends_at, paper.closed_at)


async def page(
    reads: Reading, user: Principal, stages: Collection[ExamStage], now: datetime, request: PageRequest
) -> Page[ExamView]:
    """Exams in any of the stages, or all, newest first; candidates see published ones."""
    found = await reads.exams.page(exam_viewer(user), stages, now, request)
    mine = await reads.registrations.among(user.id, [exam.id for exam in found.items])
    views = [ExamView(exam, stage_of(exam, now), mine.get(exam.id)) for exam in found.items]
    return Page(views, found.next_cursor)


async def find(reads: Reading, user: Principal, exam_id: UUID, now: datetime) -> ExamView:
    """One exam."""
    exam = await reads.exams.find(exam_viewer(user), exam_id)
    return ExamView(exam, stage_of(exam, now), await reads.registrations.of(exam_id, user.id))


async def papers(reads: Reading, user: Principal, exam_id: UUID, now: datetime) -> Sequence[PaperView]:
    """The papers of an exam, in the order of their start."""
    exam = await reads.exams.find(exam_viewer(user), exam_id)
    return [paper_view(paper, now) for paper in await reads.exams.papers(exam.id)]


def paper_view(paper: ExamPaper, now: datetime) -> PaperView:
    """A paper with its status."""
    return PaperView(paper, schedule.paper_status(window_of(paper), now))


async def announcements(
    reads: Reading, user: Principal, exam_id: UUID, request: PageRequest
) -> Page[Announcement]:
    """What was announced, newest first, for who takes part and for staff."""
    exam = await reads.exams.find(exam_viewer(user), exam_id)
    if not user.is_staff and await reads.registrations.of(exam.id, user.id) is None:
        raise NotFound("exam")
    return await reads.exams.announcements(exam.id, request)


async def announcements_for_attempt(
    reads: Reading, parts: Components, attempt: AttemptRef, exam_id: UUID, request: PageRequest
) -> Page[Announcement]:
    """What was announced, newest first, for the holder of a token of an attempt at this exam."""
    paper_id = attempt.scope.exam_paper_id
    if paper_id is None or await parts.placements.get(reads, exam_id, paper_id) != attempt.scope:
        raise NotFound("exam")
    return await reads.exams.announcements(exam_id, request)


async def audit(reads: Reading, staff: Principal, exam_id: UUID, request: PageRequest) -> Page[AuditEntry]:
    """What was done to an exam, newest first."""
    exam = await reads.exams.find(exam_viewer(staff), exam_id)
    return await reads.audit.of_exam(exam.id, request)
