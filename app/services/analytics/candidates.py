"""The attempts at a test, for its author, evaluators and admins."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.core.errors import Forbidden, NotPossible
from app.models import Role
from app.repositories.analytics.candidates import CandidateAttempt, CandidateFilter
from app.repositories.attempts import RUNNING
from app.repositories.base import Page, PageRequest
from app.services import tests
from app.services.attempts.response_sheets import ResponseSheet, compose
from app.services.components import Components
from app.services.exams.audit import record
from app.services.exams.response_sheets import exam_to_read
from app.services.unit_of_work import Reading
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class CandidateSheet:
    """An attempt with its candidate, and the answers."""

    candidate: CandidateAttempt
    sheet: ResponseSheet


async def candidates(
    reads: Reading, staff: Principal, test_id: UUID, wanted: CandidateFilter, request: PageRequest
) -> Page[CandidateAttempt]:
    """The attempts at a test, in exams and outside, the newest first.

    Raises NotFound if the embargo hides the test, and Forbidden for authors who did not make it.
    """
    await check_may_see(reads, staff, test_id)
    return await reads.candidates.page(tests.viewer(staff), test_id, wanted, request)


async def response_sheet(
    reads: Reading, parts: Components, staff: Principal, test_id: UUID, attempt_id: UUID, now: datetime
) -> CandidateSheet:
    """What a candidate answered. Raises what `ended_attempt` raises."""
    found = await ended_attempt(reads, staff, test_id, attempt_id, now)
    return CandidateSheet(found, await compose(reads, parts, found.attempt))


async def ended_attempt(
    reads: Reading, staff: Principal, test_id: UUID, attempt_id: UUID, now: datetime
) -> CandidateAttempt:
    """An attempt whose answers staff may see.

    In an exam the conditions of the exam hold too, as under its own paths, and the reading is audited. Raises
    NotPossible while the attempt runs or a paper of its exam is not over, Forbidden, and NotFound.
    """
    await check_may_see(reads, staff, test_id)
    found = await reads.candidates.find(tests.viewer(staff), test_id, attempt_id)
    exam = await exam_to_read(reads, staff, found.exam_id, now) if found.exam_id is not None else None
    if found.attempt.status in RUNNING:
        raise NotPossible("The attempt is still running. Its response sheet can be read once it has ended.")
    if exam is not None:
        record(reads, staff, "read_response_sheet", exam, attempt=str(found.attempt.id))
    return found


async def check_may_see(reads: Reading, staff: Principal, test_id: UUID) -> None:
    """Raise NotFound if the embargo hides the test, and Forbidden for authors who did not make it."""
    test = await reads.candidates.test(tests.viewer(staff), test_id)
    if staff.role is Role.AUTHOR and test.created_by != staff.id:
        raise Forbidden("Only the author of the test, evaluators and admins may see its attempts.")
