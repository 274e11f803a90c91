"""Result sheets and certificates of one candidate, for themselves and for staff."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.core.errors import Forbidden, NotFound
from app.models import Exam, Role
from app.repositories.exams import IssuedResult
from app.services.exams.audit import record
from app.services.exams.results import released_exam
from app.services.printing import Template
from app.services.result_documents.certificates import certificate, gets_certificate
from app.services.result_documents.documents import Document
from app.services.result_documents.exam_sheets import ReleasedExam, exam_sheet
from app.services.result_documents.file_names import file_name
from app.services.result_documents.languages import DocumentLanguage
from app.services.unit_of_work import Reading
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class _Issue:
    """A released exam, and one of its candidates."""

    released: ReleasedExam
    issued: IssuedResult


async def issue_exam_sheet(
    reads: Reading,
    person: Principal,
    exam_id: UUID,
    roll_number: str | None,
    language: DocumentLanguage,
    now: datetime,
) -> Document:
    """One's own result sheet, or for staff that of a roll number, which is audited.

    Raises ResultsNotReleased; NotFound for who has no result; Forbidden for candidates with a roll number.
    """
    found = await _find(reads, person, exam_id, roll_number, "read_result_sheet")
    content = exam_sheet(found.released, found.issued, language, now)
    return _document("result-sheet", content, found)


async def issue_certificate(
    reads: Reading,
    person: Principal,
    exam_id: UUID,
    roll_number: str | None,
    language: DocumentLanguage,
    now: datetime,
) -> Document:
    """One's own certificate, or for staff that of a roll number, which is audited.

    Raises what `issue_exam_sheet` raises, and NotFound for who gets none by the setting of the exam.
    """
    found = await _find(reads, person, exam_id, roll_number, "read_certificate")
    if not gets_certificate(found.issued.result, found.released.exam.certificates):
        raise NotFound("certificate")
    return _document("certificate", certificate(found.released, found.issued, language, now), found)


async def with_release(reads: Reading, exam: Exam, version: int) -> ReleasedExam:
    """The exam with one of its releases."""
    release = await reads.result_documents.release(exam.id, version)
    if release is None:
        raise NotFound("result")
    return ReleasedExam(
        institute=await reads.result_documents.institute_name(exam.institute_id),
        exam=exam,
        papers=await reads.exams.papers(exam.id),
        release=release,
    )


async def _find(
    reads: Reading, person: Principal, exam_id: UUID, roll_number: str | None, action: str
) -> _Issue:
    if roll_number is not None and not person.is_any(Role.PROCTOR, Role.AUTHOR):
        raise Forbidden("Leave out the roll number: only staff read the results of others.")
    exam = await released_exam(reads, person, exam_id)
    if roll_number is None:
        registration = await reads.registrations.of(exam.id, person.id)
    else:
        registration = await reads.registrations.with_roll_number(exam.id, roll_number)
    if registration is None or exam.results_version is None:
        raise NotFound("result")
    issued = await reads.result_documents.one(exam.id, exam.results_version, registration.id)
    if issued is None:
        raise NotFound("result")
    if roll_number is not None:
        record(reads, person, action, exam, roll_number=roll_number, version=exam.results_version)
    return _Issue(await with_release(reads, exam, exam.results_version), issued)


def _document(template: Template, content: object, found: _Issue) -> Document:
    return Document(template, content, file_name(template, found.issued.result.roll_number))
