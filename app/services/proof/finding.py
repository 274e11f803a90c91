"""Whose response sheet a request may have, and from when on."""

from datetime import datetime
from uuid import UUID

from app.core.attempt_scope import AttemptScope
from app.core.errors import NotFound, NotPossible
from app.models import Attempt, Role
from app.repositories.attempts import RUNNING
from app.services.analytics.candidates import ended_attempt
from app.services.components import Components
from app.services.exams.audit import record
from app.services.exams.response_sheets import exam_to_read
from app.services.unit_of_work import Reading
from app.services.users import Principal


async def attempt_at_test(
    reads: Reading, person: Principal, test_id: UUID, attempt_id: UUID | None, now: datetime
) -> Attempt:
    """One's own closed attempt at a test, by default the latest; for its staff also that of a candidate.

    The latest one is that at the test by itself. One's own attempt in an exam is found by its id, under the
    conditions of `attempt_at_paper`. Raises NotFound, NotPossible while the attempt runs, or for staff what
    `ended_attempt` raises.
    """
    if attempt_id is None:
        return closed(await reads.attempts.latest(person.id, AttemptScope(test_id)))
    found = await reads.attempt_records.attempt(attempt_id)
    if found is not None and (found.user_id, found.test_id) == (person.id, test_id):
        return closed(found)
    if not person.is_any(Role.AUTHOR, Role.EVALUATOR):
        raise NotFound("attempt")
    return (await ended_attempt(reads, person, test_id, attempt_id, now)).attempt


async def attempt_at_paper(
    reads: Reading,
    parts: Components,
    person: Principal,
    exam_id: UUID,
    paper_id: UUID,
    attempt_id: UUID | None,
    now: datetime,
) -> Attempt:
    """One's own closed attempt at an exam paper; for staff also that of a candidate, which is audited.

    Raises NotFound, or NotPossible while the attempt runs. Staff wait until all papers are over.
    """
    scope = await parts.placements.get(reads, exam_id, paper_id)
    if attempt_id is None:
        return closed(await reads.attempts.latest(person.id, scope))
    found = await reads.attempt_records.attempt(attempt_id)
    own = (person.id, scope.test_id, scope.exam_paper_id)
    if found is not None and (found.user_id, found.test_id, found.exam_paper_id) == own:
        return closed(found)
    if found is None or found.exam_paper_id != paper_id or not person.is_any(Role.PROCTOR, Role.AUTHOR):
        raise NotFound("attempt")
    exam = await exam_to_read(reads, person, exam_id, now)
    attempt = closed(found)
    record(reads, person, "read_response_sheet", exam, attempt=str(attempt.id))
    return attempt


def closed(attempt: Attempt) -> Attempt:
    """The attempt. Raises NotPossible while it runs."""
    if attempt.status in RUNNING:
        raise NotPossible("The attempt is still running. Its response sheet can be read once it has ended.")
    return attempt
