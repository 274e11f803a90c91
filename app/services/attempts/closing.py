"""Ending attempts: by their candidate, by staff, or by the deadline."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from app.config import Settings
from app.core.arrival import MAX_CORRECTION_SECONDS
from app.core.attempt_scope import AttemptRef
from app.engine import steering, timing
from app.engine.steering import EndedBy
from app.models import Attempt, AttemptRow, AttemptStatus
from app.repositories.attempts import RUNNING
from app.services.attempts.grading import grade, is_held, request_grading
from app.services.attempts.states import apply_state, state_of
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork

CONFIRMATION_BATCH = 1000


async def submit(uow: UnitOfWork, parts: Components, ref: AttemptRef, now: datetime) -> Attempt:
    """End an attempt and grade it. Submitting again, at once or later, gives the same attempt.

    The lock waits for saves that are under way and makes later ones wait: an answer is in this grading, or
    its save is refused. An exam's official attempts are graded by a job, and stay `submitted` until release.
    While a revision of the paper's key is carried out, which may take a minute, a job grades the attempt too:
    requests that waited would hold the connections that saves need.
    """
    attempt = await uow.attempts.lock(ref)
    if attempt.status in RUNNING:
        await end_by_candidate(uow, attempt, now, timedelta(seconds=parts.settings.grace_seconds))
    if attempt.status == AttemptStatus.SUBMITTED and not is_held(attempt):
        if await uow.keys.try_lock(attempt.paper_id):
            await grade(uow, parts, [attempt], now)
        else:
            request_grading(uow, [attempt.id])
    return attempt


async def end_by_candidate(uow: UnitOfWork, attempt: Attempt, now: datetime, grace: timedelta) -> None:
    """End a locked attempt that its candidate submits now; by its deadline if that is over."""
    ended = steering.submit_by_candidate(state_of(attempt), now, grace)
    await close(uow, attempt, ended.ended_by or "candidate", ended.ended_at or now)


async def end_all(uow: UnitOfWork, parts: Components, user_id: UUID, now: datetime) -> None:
    """End the running attempts of a person as if they submitted them now. Jobs grade them.

    The locks wait for saves that are under way. The caller has locked the user, so that none is started.
    """
    grace = timedelta(seconds=parts.settings.grace_seconds)
    running = await uow.attempts.lock_running(user_id)
    for attempt in running:
        apply_state(attempt, steering.submit_by_candidate(state_of(attempt), now, grace))
    await uow.attempts.flush()
    after_end(uow, [attempt.id for attempt in running])


def is_late(now: datetime, attempt: Attempt | AttemptRow, grace: timedelta) -> bool:
    """Whether a running attempt's deadline and grace are over. They are never over while it is paused."""
    over = timing.arrival(now, attempt.deadline_at, grace) is timing.Arrival.LATE
    return over and attempt.status != AttemptStatus.PAUSED


def closing_delay(settings: Settings) -> timedelta:
    """How long after its deadline an attempt stays open if its candidate does not end it.

    An answer that arrived within the grace may wait for a blocked event loop (docs/decisions/0037). It must
    find its attempt in progress.
    """
    return timedelta(seconds=settings.grace_seconds + MAX_CORRECTION_SECONDS)


async def close(uow: UnitOfWork, attempt: Attempt | AttemptRow, by: EndedBy, at: datetime) -> None:
    """End a locked attempt.

    The caller grades an attempt that its candidate ends, unless the attempt is held; jobs grade all others.
    """
    apply_state(attempt, steering.end(state_of(attempt), by, at))
    if by != "candidate" or is_held(attempt):
        after_end(uow, [attempt.id])


async def close_overdue(uow: UnitOfWork, now: datetime, delay: timedelta, limit: int = 5000) -> int:
    """End every attempt whose deadline passed more than `delay` ago."""
    closed = await uow.attempts.close_overdue(now, delay, limit)
    after_end(uow, closed)
    return len(closed)


def after_end(uow: UnitOfWork, attempt_ids: Sequence[UUID]) -> None:
    """Add the jobs that follow the end of attempts: their grading, and confirmations to their candidates.

    Whoever ends attempts, or changes attempts that have ended, calls this. Calling it again is harmless: what
    is graded is not graded again, and one end is confirmed once. The second job finds official attempts of
    exams by itself (docs/decisions/0055).
    """
    request_grading(uow, attempt_ids)
    for first in range(0, len(attempt_ids), CONFIRMATION_BATCH):
        batch = attempt_ids[first : first + CONFIRMATION_BATCH]
        uow.jobs.add("notify_submitted", attempt_ids=[str(attempt_id) for attempt_id in batch])
