"""The attempts at a test, for its author, evaluators and admins."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from app.core.errors import Forbidden, NotPossible
from app.engine import schedule
from app.models import Role
from app.repositories.analytics.candidates import CandidateAttempt, CandidateFilter
from app.repositories.attempts import RUNNING
from app.repositories.base import Page, PageRequest
from app.services import tests
from app.services.attempts.response_sheets import ResponseSheet, compose
from app.services.components import Components
from app.services.exams.catalog import window_of
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
    """An attempt whose answers staff may see. Raises NotPossible while it runs, or its exam paper is open."""
    await check_may_see(reads, staff, test_id)
    found = await reads.candidates.find(tests.viewer(staff), test_id, attempt_id)
    if found.attempt.status in RUNNING:
        raise NotPossible("The attempt is still running. Its response sheet can be read once it has ended.")
    if found.exam_paper is not None and not schedule.is_over(window_of(found.exam_paper), now):
        raise NotPossible("The exam paper is still open. Response sheets can be read once it has closed.")
    return found


async def check_may_see(reads: Reading, staff: Principal, test_id: UUID) -> None:
    """Raise NotFound if the embargo hides the test, and Forbidden for authors who did not make it."""
    test = await reads.candidates.test(tests.viewer(staff), test_id)
    if staff.role is Role.AUTHOR and test.created_by != staff.id:
        raise Forbidden("Only the author of the test, evaluators and admins may see its attempts.")
