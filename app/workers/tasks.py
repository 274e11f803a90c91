"""The tasks: each is called like its job, takes ids, may run twice without harm, and calls services."""

from collections.abc import Sequence
from uuid import UUID

import structlog

from app.services import attempts, notifications
from app.services.unit_of_work import unit_of_work
from app.workers.runtime import Work, task

log = structlog.get_logger(__name__)


@task
async def send_welcome_mail(work: Work, *, user_id: str) -> None:
    """Say welcome, once."""
    await notifications.welcome(work.uow, work.parts, UUID(user_id), work.now)


@task
async def notify_registered(work: Work, *, registration_id: str) -> None:
    """Confirm a registration for an exam."""
    await notifications.registered(work.uow, work.parts, UUID(registration_id), work.now)


@task
async def notify_submitted(work: Work, *, attempt_id: str) -> None:
    """Confirm that an official attempt at an exam is submitted."""
    await notifications.submitted(work.uow, work.parts, UUID(attempt_id), work.now)


@task
async def notify_results_released(work: Work, *, exam_id: str) -> None:
    """Tell everybody who is registered that the results are out, in transactions of their own."""
    await notifications.results_released(work.parts, UUID(exam_id), work.now)


@task
async def notify_postponed(work: Work, *, exam_id: str) -> None:
    """Tell everybody who is registered at what times the papers open now."""
    await notifications.postponed(work.parts, UUID(exam_id), work.now)


@task
async def notify_cancelled(work: Work, *, exam_id: str) -> None:
    """Tell everybody who is registered that the exam will not take place."""
    await notifications.cancelled(work.parts, UUID(exam_id), work.now)


@task
async def grade_attempts(work: Work, *, attempt_ids: Sequence[str]) -> None:
    """Grade attempts that have been closed, all together; where one of them is bad, one by one."""
    try:
        ids = [UUID(attempt_id) for attempt_id in attempt_ids]
        async with unit_of_work(work.parts.engine) as uow:
            await attempts.grade_batch(uow, work.parts, ids, work.now)
    except Exception:
        log.warning("batch_not_graded", attempts=len(attempt_ids), exc_info=True)
        await _grade_each(work, attempt_ids)


async def _grade_each(work: Work, attempt_ids: Sequence[str]) -> None:
    """Each in a transaction of its own; one bad one stops no other."""
    errors = []
    for attempt_id in attempt_ids:
        try:
            async with unit_of_work(work.parts.engine) as uow:
                await attempts.grade_batch(uow, work.parts, [UUID(attempt_id)], work.now)
        except Exception as error:  # noqa: BLE001 -- raised below, when the others have been graded
            error.add_note(f"attempt {attempt_id}")
            errors.append(error)
    if errors:
        raise ExceptionGroup(f"{len(errors)} of {len(attempt_ids)} attempts could not be graded", errors)
