"""Importing answer sheets: all of them or none, graded at once, and a second time changes nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID

from app.core.errors import Conflict, NotPossible
from app.core.ids import uuid7
from app.engine.answers import Answer, json_of
from app.models import Attempt, AttemptStatus, Exam, ExamPaper, MappedSheet
from app.repositories.exams import PaperEvent
from app.services import attempts
from app.services.column_mappings import MappedHeader, MappingMemory
from app.services.components import Components
from app.services.exams.answer_sheets.columns import mapped_names
from app.services.exams.answer_sheets.findings import findings
from app.services.exams.answer_sheets.joining import JoinedSheets, join_sheets
from app.services.exams.answer_sheets.options import AS_IT_IS, FileOptions, Order
from app.services.exams.answer_sheets.orders import read_orders
from app.services.exams.answer_sheets.plans import PAPER, AnswerSheetImportPlan, Sat, plan_for
from app.services.exams.answer_sheets.reading import read_answer_sheets
from app.services.exams.answer_sheets.roll_numbers import UnknownRollNumbers
from app.services.exams.audit import record
from app.services.exams.catalog import exam_viewer
from app.services.imports import ADVICE, read_in_child, sheet_errors_as_invalid
from app.services.tests.papers import FrozenPaper, FrozenQuestion
from app.services.unit_of_work import UnitOfWork
from app.services.users import Principal
from app.sheets.grouping import completed
from app.sheets.progress import ReportProgress, no_progress
from app.sheets.reports import MAX_REPORTED, ImportReport, RowWarning

SHEETS_AT_ONCE = 100
STAGE = "Answer sheets"


async def import_answer_sheets(
    uow: UnitOfWork,
    parts: Components,
    staff: Principal,
    exam_id: UUID,
    paper_id: UUID,
    file: bytes,
    now: datetime,
    *,
    more_files: Sequence[bytes] = (),
    options: FileOptions = AS_IT_IS,
    order: bytes | None = None,
    dry_run: bool = False,
    unknown_roll_numbers: UnknownRollNumbers = "auto",
    progress: ReportProgress = no_progress,
) -> ImportReport:
    """Bring the answer sheets of a paper into its exam. What they scored is held like everything else there.

    Several files may have parts of each sheet. `order` is a table with the order of the questions in each
    booklet series. A sheet finds its candidate by roll number. A number that nobody has is an error that
    names the nearest registered number; with `unknown_roll_numbers="accept"`, and with `auto` if all
    registrations came from answer sheets, it gets a registration without an account. Raises NotFound,
    NotPossible, Invalid or TooLarge; the report has all other errors.
    """
    # The file is read before the exam is locked: others steer it meanwhile. What is read is then read again.
    frozen = await parts.papers.get(uow, _sat_paper(*await _paper(uow, staff, exam_id, paper_id), now))
    questions = _questions(frozen)
    if order is not None:
        orders = await _orders(parts, staff, order, len(questions))
        options = replace(options, orders=orders)
    memory = await MappingMemory.load(uow, staff, MappedSheet.ANSWER_SHEETS, is_given=options.is_mapped)
    options = replace(options, saved=memory.columns)
    read = await _read(parts, staff, [file, *more_files], questions, options)
    headers = [each.header for each in read.files if each.header is not None]
    used = memory.used(headers)
    exam = await uow.exams.lock(staff.institute_id, exam_id)
    _, paper = await _paper(uow, staff, exam_id, paper_id)
    if _sat_paper(exam, paper, now) != frozen.id:
        raise Conflict("The paper was published again at this very moment. Import the file again.")
    if read.errors:
        return completed(ImportReport(errors=read.errors, warnings=used), read)
    header_row = read.files[0].header_row
    if not read.sheets:
        nothing = RowWarning(header_row, "file", "the file has a header and no answer sheets")
        return completed(ImportReport(warnings=[*used, *read.warnings, nothing]), read)
    plan = await plan_for(uow, exam, paper, read.sheets, unknown_roll_numbers)
    if plan.errors:
        return completed(ImportReport(errors=plan.errors, warnings=used), read)
    numbers = {question.id: number for number, question in enumerate(questions, start=1)}
    warnings = [*used, *read.warnings, *findings(read.sheets, numbers, header_row), *plan.warnings]
    if not dry_run:
        await _write(uow, parts, staff, exam, paper, frozen, plan, now, progress)
        mapped = [MappedHeader(header, mapped_names(header.cells, options)) for header in headers]
        warnings += await memory.save(uow, staff, mapped)
    report = ImportReport(
        created=plan.created,
        updated=plan.updated,
        unchanged=plan.unchanged,
        warnings=warnings[:MAX_REPORTED],
    )
    return completed(report, read)


async def _paper(uow: UnitOfWork, staff: Principal, exam_id: UUID, paper_id: UUID) -> tuple[Exam, ExamPaper]:
    return await uow.exams.paper(exam_viewer(staff), exam_id, paper_id)


def _questions(frozen: FrozenPaper) -> list[FrozenQuestion]:
    ids = [question_id for section in frozen.sections for question_id in section.question_ids]
    return [frozen.questions[question_id] for question_id in ids]


async def _orders(parts: Components, staff: Principal, order: bytes, questions: int) -> Mapping[str, Order]:
    with sheet_errors_as_invalid("order"):
        return await parts.files.run(read_orders, order, questions, caller=staff.id, advice=ADVICE)


async def _read(
    parts: Components,
    staff: Principal,
    files: Sequence[bytes],
    questions: Sequence[FrozenQuestion],
    options: FileOptions,
) -> JoinedSheets:
    read = partial(read_answer_sheets, is_part=len(files) > 1)
    sheets = [await read_in_child(parts.files, staff.id, read, file, questions, options) for file in files]
    return join_sheets(sheets, len(questions))


def _sat_paper(exam: Exam, paper: ExamPaper, now: datetime) -> UUID:
    """The paper version that was sat, if there can be sheets of it."""
    if exam.published_at is None or paper.paper_id is None:
        raise NotPossible("The exam is not published. Publish it, so that it is known what was sat.")
    if exam.cancelled_at is not None:
        raise NotPossible("The exam was cancelled; no answer sheet of it counts.")
    if exam.released_at is not None:
        raise NotPossible("The results are released; no answer sheet can join them any more.")
    if now < paper.starts_at:
        raise NotPossible("The paper has not begun yet. Import its answer sheets when it has been sat.")
    return paper.paper_id


async def _write(
    uow: UnitOfWork,
    parts: Components,
    staff: Principal,
    exam: Exam,
    paper: ExamPaper,
    frozen: FrozenPaper,
    plan: AnswerSheetImportPlan,
    now: datetime,
    progress: ReportProgress,
) -> None:
    for registration, user_id in plan.links:
        await uow.registrations.claim(registration, user_id)
        record(uow, staff, "claim", exam, roll_number=registration.roll_number, user_id=str(user_id))
    if plan.sat:
        sat = await _keep_sheets(uow, exam, paper, frozen, plan.sat, now, progress)
        record(
            uow,
            staff,
            "import_answer_sheets",
            exam,
            paper=paper.code,
            created=plan.created,
            updated=plan.updated,
            unchanged=plan.unchanged,
        )
        await uow.exams.flush()
        await attempts.grade(uow, parts, sat, now)


async def _keep_sheets(
    uow: UnitOfWork,
    exam: Exam,
    paper: ExamPaper,
    frozen: FrozenPaper,
    sat: Sequence[Sat],
    now: datetime,
    progress: ReportProgress,
) -> Sequence[Attempt]:
    """Store places, attempts and answers of the sheets; the attempts, which are to be graded."""
    places = await _places(uow, exam, sat)
    people = {each.user_id for each in sat if each.user_id is not None}
    numbers = await uow.answer_sheets.last_numbers(paper.id, people) if people else {}
    new_ids = sorted(uuid7(now) for _ in sat)
    kept: list[Attempt] = []
    for first in range(0, len(sat), SHEETS_AT_ONCE):
        some: list[Attempt] = []
        events: list[PaperEvent] = []
        for place in range(first, min(first + SHEETS_AT_ONCE, len(sat))):
            each = sat[place]
            if each.again is not None:
                attempt = _taken_up(each.again, paper, now)
            else:
                number = numbers.get(each.user_id, 0) + 1 if each.user_id is not None else 1
                attempt = _sitting(new_ids[place], places[place], each, number, paper, frozen, now)
            some.append(attempt)
            events += _events(attempt, each)
        await uow.answer_sheets.add_attempts(some)
        await uow.answer_sheets.add_events(events, now)
        kept += some
        progress(STAGE, len(kept), len(sat))
    return kept


async def _places(uow: UnitOfWork, exam: Exam, sat: Sequence[Sat]) -> list[UUID]:
    """The registration of each sheet, made where there is none."""
    rows: list[dict[str, Any]] = []
    places = []
    for each in sat:
        if each.registration is not None:
            places.append(each.registration.id)
            continue
        places.append(uuid7())
        row = {
            "id": places[-1],
            "exam_id": exam.id,
            "user_id": each.user_id,
            "roll_number": each.sheet.roll_number,
            "name": each.sheet.name or each.sheet.roll_number,
            "category": each.sheet.category or "general",
            "pwbd": each.sheet.pwbd,
        }
        rows.append(row)
    if await uow.answer_sheets.add_registrations(rows) < len(rows):
        raise Conflict("Somebody of the file registered at this very moment. Import it again.")
    return places


def _sitting(
    attempt_id: UUID,
    registration_id: UUID,
    sat: Sat,
    number: int,
    paper: ExamPaper,
    frozen: FrozenPaper,
    now: datetime,
) -> Attempt:
    """An official attempt, over since the paper's end: nobody knows when this candidate put the pen down."""
    return Attempt(
        id=attempt_id,
        test_id=paper.test_id,
        paper_id=frozen.id,
        exam_paper_id=paper.id,
        registration_id=registration_id,
        user_id=sat.user_id,
        number=number,
        practice=False,
        status=AttemptStatus.SUBMITTED,
        lease=1,
        device=PAPER,
        seed=0,
        started_at=paper.starts_at,
        deadline_at=paper.ends_at,
        submitted_at=_end_of(paper, now),
        closed_by="staff",
    )


def _taken_up(attempt: Attempt, paper: ExamPaper, now: datetime) -> Attempt:
    """A void sitting, with the right sheet now: its answers have a lease of their own and stand."""
    attempt.status = AttemptStatus.SUBMITTED
    attempt.submitted_at = _end_of(paper, now)
    attempt.closed_by = "staff"
    attempt.voided_from = None
    attempt.lease += 1
    return attempt


def _end_of(paper: ExamPaper, now: datetime) -> datetime:
    """When it was over for everybody, as far as that is known; never before it began."""
    return max(paper.starts_at, min(paper.closed_at or paper.ends_at, paper.ends_at, now))


def _events(attempt: Attempt, sat: Sat) -> list[PaperEvent]:
    answers: dict[UUID, Answer | None] = {**dict.fromkeys(sat.cleared), **sat.sheet.answers}
    return [
        PaperEvent(attempt.id, question_id, attempt.lease, json_of(answer))
        for question_id, answer in answers.items()
    ]
