"""Looking a printed result up by what stands on it."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from app.core.errors import NotFound
from app.engine.marks import RoundingPolicy
from app.models import LocalizedText, Registration, Role
from app.services import tests
from app.services.analytics.candidates import check_may_see
from app.services.components import Components
from app.services.exams.audit import record
from app.services.exams.results import released_exam
from app.services.result_documents.verification import attempt_digest, exam_digest, normalized
from app.services.unit_of_work import Reading
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class FoundResult:
    """What the institute has under the id and the version of a document.

    `is_genuine` says whether the digest is that of this result. It is None for a sheet of a test that an
    older key has marked: older scores of tests are not kept exactly.
    """

    kind: Literal["exam", "test"]
    title: LocalizedText
    name: str | None
    roll_number: str | None
    version: int
    current_version: int
    score: str | None
    rank: int | None
    outcome: str | None
    is_genuine: bool | None


async def look_up(
    reads: Reading, parts: Components, staff: Principal, document_id: UUID, version: int, digest: str
) -> FoundResult:
    """The result that a document claims to show. Looking up a result of an exam is audited.

    Raises NotFound if there is none that this member of staff may see, and ResultsNotReleased.
    """
    registration = await reads.result_documents.registration(document_id)
    if registration is None:
        return await _of_test(reads, parts, staff, document_id, version, normalized(digest))
    if not staff.is_any(Role.PROCTOR, Role.AUTHOR):
        raise NotFound("document")
    return await _of_exam(reads, staff, registration, version, normalized(digest))


async def _of_exam(
    reads: Reading, staff: Principal, registration: Registration, version: int, digest: str
) -> FoundResult:
    exam = await released_exam(reads, staff, registration.exam_id)
    current = exam.results_version or 1
    issued = None
    if version <= current:  # A later one is prepared and not shown.
        issued = await reads.result_documents.one(exam.id, version, registration.id)
    if issued is None:
        raise NotFound("document")
    record(reads, staff, "look_up_result", exam, roll_number=registration.roll_number, version=version)
    result = issued.result
    return FoundResult(
        kind="exam",
        title=exam.title,
        name=registration.name,
        roll_number=result.roll_number,
        version=version,
        current_version=current,
        score=result.total,
        rank=result.rank,
        outcome=result.outcome,
        is_genuine=exam_digest(result) == digest,
    )


async def _of_test(
    reads: Reading, parts: Components, staff: Principal, attempt_id: UUID, version: int, digest: str
) -> FoundResult:
    attempt = await reads.result_documents.attempt(attempt_id)
    if attempt is None or not staff.is_any(Role.AUTHOR, Role.EVALUATOR):
        raise NotFound("document")
    await check_may_see(reads, staff, attempt.test_id)
    found = await reads.candidates.find(tests.viewer(staff), attempt.test_id, attempt_id)
    graded = await reads.attempts.result(attempt_id)
    if found.score is None or graded is None:
        raise NotFound("document")
    key = await parts.papers.key(reads, graded.key_id)
    if version > key.number:
        raise NotFound("document")
    test = await reads.candidates.test(tests.viewer(staff), attempt.test_id)
    policy = RoundingPolicy(found.rounding)
    expected = attempt_digest(attempt_id, key.number, str(found.score.exact))
    return FoundResult(
        kind="test",
        title=test.title,
        name=found.name,
        roll_number=found.roll_number,
        version=version,
        current_version=key.number,
        score=found.score.printed(policy),
        rank=None,
        outcome=None,
        is_genuine=digest == expected if version == key.number else None,
    )
