"""Official results as their candidates see them, and the merit list."""

import csv
import io
from collections.abc import AsyncIterator
from dataclasses import dataclass
from uuid import UUID

from app.core.errors import NotFound, ResultsNotReleased
from app.engine.schedule import ExamStage
from app.models import Exam, ExamRelease, ExamResult, Registration
from app.repositories.base import Page, PageRequest
from app.services import embargo
from app.services.exams.audit import record
from app.services.exams.catalog import exam_viewer
from app.services.exams.releasing import require_released
from app.services.unit_of_work import Reading
from app.services.users import Principal
from app.sheets.cells import escape_formula

MERIT_COLUMNS = ("rank", "roll_number", "name", "category", "category_rank", "total", "percentile", "cleared")
ROWS_AT_ONCE = 100


@dataclass(frozen=True, slots=True)
class ExamResultView:
    """A candidate's own result over all papers of an exam."""

    exam: Exam
    stage: ExamStage
    result: ExamResult
    release: ExamRelease


@dataclass(frozen=True, slots=True)
class MeritRow:
    """A ranked candidate in the merit list."""

    result: ExamResult
    registration: Registration


async def result(reads: Reading, user: Principal, exam_id: UUID) -> ExamResultView:
    """One's own official result. Raises ResultsNotReleased, or NotFound for who was not registered."""
    exam = await _released(reads, user, exam_id)
    registration = await reads.registrations.of(exam.id, user.id)
    found = await reads.exam_results.result(exam, registration.id) if registration else None
    release = await reads.exam_results.release(exam)
    if found is None or release is None:
        raise NotFound("result")
    return ExamResultView(exam, ExamStage.RELEASED, found, release)


async def merit_list(reads: Reading, staff: Principal, exam_id: UUID, request: PageRequest) -> Page[MeritRow]:
    """The ranked candidates, best first, equal ranks by roll number."""
    exam = await _released(reads, staff, exam_id)
    found = await reads.exam_results.merit_list(exam, request)
    return Page([MeritRow(*row) for row in found.items], found.next_cursor)


async def merit_csv(reads: Reading, staff: Principal, exam_id: UUID) -> bytes:
    """The whole merit list as a sheet, with cells that no spreadsheet runs; UTF-8 as Excel reads it."""
    exam = await _released(reads, staff, exam_id)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(MERIT_COLUMNS)
    async for row in _all(reads, exam):
        cleared = row.result.cutoff["cleared"] if row.result.cutoff else ""
        writer.writerow(
            (
                row.result.rank,
                escape_formula(row.result.roll_number),
                escape_formula(row.registration.name),
                row.registration.category,
                row.result.category_rank,
                row.result.total,
                row.result.percentile,
                cleared,
            )
        )
    record(reads, staff, "export_merit_list", exam)
    return text.getvalue().encode("utf-8-sig")


async def _released(reads: Reading, person: Principal, exam_id: UUID) -> Exam:
    """The exam, if its results are out, and no other exam withholds its questions from this person."""
    exam = await reads.exams.find(exam_viewer(person), exam_id)
    require_released(exam)
    if await reads.embargo.withholds_exam(embargo.reader(person), exam.id):
        raise ResultsNotReleased
    return exam


async def _all(reads: Reading, exam: Exam) -> AsyncIterator[MeritRow]:
    request = PageRequest(ROWS_AT_ONCE)
    while True:
        page = await reads.exam_results.merit_list(exam, request)
        for row in page.items:
            yield MeritRow(*row)
        if page.next_cursor is None:
            return
        request = PageRequest(ROWS_AT_ONCE, page.next_cursor)
