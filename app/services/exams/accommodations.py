"""Accommodations: extra time that an exam grants, before it begins and while attempts run."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from app.core.errors import FieldError, Invalid, NotPossible
from app.engine import steering
from app.models import Accommodation, Exam
from app.services import attempts
from app.services.attempts.states import apply_state, state_of
from app.services.components import Components
from app.services.exams.audit import record
from app.services.exams.catalog import exam_viewer
from app.services.exams.steering import replace_results, tell_candidate
from app.services.exams.taking import extra_for
from app.services.unit_of_work import Reading, UnitOfWork
from app.services.users import Principal


@dataclass(frozen=True, slots=True)
class Grant:
    """Extra time for one person or for a group (`pwbd` or `all`). Zero seconds revoke a grant."""

    user_id: UUID | None
    group: str | None
    extra_seconds: int
    reason: str


async def accommodations(reads: Reading, staff: Principal, exam_id: UUID) -> Sequence[Accommodation]:
    """The extra time that an exam grants."""
    exam = await reads.exams.find(exam_viewer(staff), exam_id)
    return await reads.exams.accommodations(exam.id)


async def accommodate(
    uow: UnitOfWork,
    parts: Components,
    staff: Principal,
    exam_id: UUID,
    grants: Sequence[Grant],
    now: datetime,
) -> Sequence[Accommodation]:
    """Grant extra time. It applies to later starts, and at once to running attempts.

    A person or group that is not named keeps its grant.
    """
    exam = await uow.exams.lock(staff.institute_id, exam_id)
    if exam.released_at is not None or exam.cancelled_at is not None:
        raise NotPossible("The exam is over.")
    await _check_people(uow, grants)
    # A start that runs now either is found by `_move_deadlines` below, or waits and reads the grants.
    await uow.exams.lock_papers_exclusively(exam.id)
    for grant in grants:
        target = ("user_id", grant.user_id) if grant.user_id else ("candidate_group", grant.group or "all")
        await uow.exams.grant(exam.id, target, grant.extra_seconds, grant.reason, staff.author_id)
        who = {"user_id": str(grant.user_id)} if grant.user_id else {"group": grant.group}
        record(uow, staff, "accommodate", exam, reason=grant.reason, seconds=grant.extra_seconds, **who)
    granted = await uow.exams.accommodations(exam.id)
    await _move_deadlines(uow, parts, exam, granted, now)
    return granted


async def _check_people(uow: UnitOfWork, grants: Sequence[Grant]) -> None:
    errors = [
        FieldError(f"items.{number}.user_id", "there is no such account")
        for number, grant in enumerate(grants)
        if grant.user_id is not None and await uow.users.member(grant.user_id) is None
    ]
    if errors:
        raise Invalid("Extra time is granted to people who exist.", errors=errors)


async def _move_deadlines(
    uow: UnitOfWork, parts: Components, exam: Exam, granted: Sequence[Accommodation], now: datetime
) -> None:
    """Move the deadlines of attempts that were started under other grants."""
    delay = attempts.closing_delay(parts.settings)
    moved = []
    for attempt, registration in await uow.exam_attempts.lock_with_registrations(exam.id):
        extra = extra_for(registration, granted)
        by = extra - timedelta(seconds=attempt.accommodation_seconds)
        before = steering.ended_by_deadline(state_of(attempt), now, delay)
        after = steering.regrant(before, by, now)
        if not by or after == before:
            continue
        apply_state(attempt, after)
        moved.append(attempt)
        tell_candidate(uow, exam, attempt, "extended", seconds=by // timedelta(seconds=1))
    await replace_results(uow, moved)
