"""Lists of exams, and one exam: with its stage, its next start, its papers and the user's registration."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.core.attempt_scope import AttemptRef
from app.core.errors import Forbidden, NotFound
from app.engine import schedule
from app.engine.schedule import ExamDates, ExamStage, PaperStatus, Window
from app.models import Announcement, AuditEntry, Exam, ExamPaper, Registration, Role
from app.repositories.base import Page, PageRequest
from app.repositories.exams import ExamFilter, ExamViewer, PaperContent
from app.services.components import Components
from app.services.unit_of_work import Reading
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class ExamView:
    """An exam with its stage, and the user's registration. `next_start_at` is the start of the next paper."""

    exam: Exam
    stage: ExamStage
    next_start_at: datetime | None
    registration: Registration | None


@dataclass(frozen=True, slots=True)
class PaperView:
    """A paper of an exam, and what its window allows now."""

    paper: ExamPaper
    status: PaperStatus


@dataclass(frozen=True, slots=True)
class DetailedPaper:
    """A paper of an exam, with the duration, marks and languages of the test's paper."""

    view: PaperView
    content: PaperContent


def exam_viewer(user: Principal) -> ExamViewer:
    """The user as the statements of exams need it."""
    return ExamViewer(user.id, user.institute_id, user.is_staff)


def require_team(exam: Exam, staff: Principal) -> None:
    """What lifts or bends the embargo is for who made the exam, and for admins (docs/decisions/0021)."""
    if staff.role is not Role.ADMIN and exam.created_by != staff.id:
        raise Forbidden("This is for who made the exam, and for admins.")


def stage_of(exam: Exam, papers: Iterable[ExamPaper], now: datetime) -> ExamStage:
    """The stage of an exam."""
    dates = ExamDates(
        published_at=exam.published_at,
        cancelled_at=exam.cancelled_at,
        key_stage=exam.key_stage,
        released_at=exam.released_at,
    )
    return schedule.stage(dates, map(window_of, papers), now)


def window_of(paper: ExamPaper) -> Window:
    """The times of a paper, for the rules."""
    return Window(paper.starts_at, paper.entry_closes_at, paper.ends_at, paper.closed_at)


async def page(
    reads: Reading, user: Principal, wanted: ExamFilter, now: datetime, request: PageRequest
) -> Page[ExamView]:
    """Exams that match the filter, newest first. Candidates see published ones."""
    found = await reads.exams.page(exam_viewer(user), wanted, now, request)
    return Page(await _views(reads, user, found.items, now), found.next_cursor)


async def coming(reads: Reading, user: Principal, now: datetime, limit: int) -> Sequence[ExamView]:
    """Exams that are not over: first those that the user is registered for, then those open to registration.

    Each group is in the order of the papers' starts.
    """
    return await _views(reads, user, await reads.exams.coming(exam_viewer(user), now, limit), now)


async def find(reads: Reading, user: Principal, exam_id: UUID, now: datetime) -> ExamView:
    """One exam."""
    return await view(reads, user, await reads.exams.find(exam_viewer(user), exam_id), now)


async def view(reads: Reading, user: Principal, exam: Exam, now: datetime) -> ExamView:
    """The exam as the user sees it."""
    [shown] = await _views(reads, user, [exam], now)
    return shown


async def _views(reads: Reading, user: Principal, found: Sequence[Exam], now: datetime) -> Sequence[ExamView]:
    ids = [exam.id for exam in found]
    papers = await reads.exams.papers_of(ids)
    registrations = await reads.registrations.among(user.id, ids)
    return [_view(exam, papers[exam.id], registrations.get(exam.id), now) for exam in found]


def _view(
    exam: Exam, papers: Sequence[ExamPaper], registration: Registration | None, now: datetime
) -> ExamView:
    is_over = exam.cancelled_at is not None or exam.released_at is not None
    next_start_at = None if is_over else schedule.next_start(map(window_of, papers), now)
    return ExamView(exam, stage_of(exam, papers, now), next_start_at, registration)


async def papers(reads: Reading, user: Principal, exam_id: UUID, now: datetime) -> Sequence[DetailedPaper]:
    """The papers of an exam, in the order of their start."""
    exam = await reads.exams.find(exam_viewer(user), exam_id)
    return await _detailed(reads, await reads.exams.papers(exam.id), now)


async def detailed_paper(reads: Reading, paper: ExamPaper, now: datetime) -> DetailedPaper:
    """The paper with its content."""
    [detailed] = await _detailed(reads, [paper], now)
    return detailed


async def _detailed(reads: Reading, found: Sequence[ExamPaper], now: datetime) -> Sequence[DetailedPaper]:
    contents = await reads.exams.contents([paper.id for paper in found])
    return [DetailedPaper(paper_view(paper, now), contents[paper.id]) for paper in found]


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
