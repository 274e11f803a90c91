"""Response sheets of a registered candidate, for staff, after all papers of the exam are over."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.core.errors import Forbidden, NotFound, NotPossible
from app.engine import schedule
from app.models import Exam, ExamPaper, Registration, Role
from app.repositories.attempts import RUNNING
from app.services.attempts.response_sheets import ResponseSheet, compose
from app.services.components import Components
from app.services.exams.audit import record
from app.services.exams.catalog import exam_viewer, window_of
from app.services.unit_of_work import Reading
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class PaperResponses:
    """A candidate's response sheet at one paper."""

    paper: ExamPaper
    sheet: ResponseSheet


@dataclass(frozen=True, slots=True)
class CandidateResponses:
    """The response sheets of a candidate, in the order of the papers.

    A paper has one if the candidate's official attempt at it has ended, also if it is void.
    """

    exam: Exam
    registration: Registration
    papers: Sequence[PaperResponses]


async def exam_to_read(reads: Reading, staff: Principal, exam_id: UUID, now: datetime) -> Exam:
    """The exam, if staff may read the answers of its candidates. The caller must record an audit entry.

    Raises NotFound, Forbidden for anyone but proctors, authors and admins, and NotPossible while a paper of
    the exam is not over.
    """
    if not staff.is_any(Role.PROCTOR, Role.AUTHOR):
        raise Forbidden("Only proctors, authors and admins may read the answers of an exam's candidates.")
    exam = await reads.exams.find(exam_viewer(staff), exam_id)
    papers = await reads.exams.papers(exam.id)
    if not all(schedule.is_over(window_of(paper), now) for paper in papers):
        raise NotPossible("A paper of the exam is not over. Response sheets can be read after all papers.")
    return exam


async def response_sheets(
    reads: Reading, parts: Components, staff: Principal, exam_id: UUID, roll_number: str, now: datetime
) -> CandidateResponses:
    """The answers of a candidate. A candidate has at most one official attempt at each paper.

    Sheets contain no key or marks. An attempt that is still running in its extra time is left out. The
    reading is audited. Raises NotFound, also for an unknown roll number, and Forbidden and NotPossible as
    `exam_to_read` does.
    """
    exam = await reads.exams.find(exam_viewer(staff), exam_id)
    registration = await reads.registrations.with_roll_number(exam.id, roll_number)
    if registration is None:
        raise NotFound("registration")
    await exam_to_read(reads, staff, exam_id, now)
    papers = await reads.exams.papers(exam.id)
    attempts = await reads.exam_attempts.of_registration(exam.id, registration.id)
    ended = {attempt.exam_paper_id: attempt for attempt in attempts if attempt.status not in RUNNING}
    sheets = [
        PaperResponses(paper, await compose(reads, parts, attempt))
        for paper in papers
        if (attempt := ended.get(paper.id)) is not None
    ]
    record(reads, staff, "read_response_sheet", exam, roll_number=registration.roll_number)
    return CandidateResponses(exam, registration, sheets)
