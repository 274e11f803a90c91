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
    """Say welcome. A mail cannot be rolled back: it is sent at least once, twice if the commit then fails."""
    await notifications.send_welcome(work.uow, work.parts, UUID(user_id))


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
                await attempts.grade_closed(uow, work.parts, UUID(attempt_id), work.now)
        except Exception as error:  # noqa: BLE001 -- raised below, when the others have been graded
            error.add_note(f"attempt {attempt_id}")
            errors.append(error)
    if errors:
        raise ExceptionGroup(f"{len(errors)} of {len(attempt_ids)} attempts could not be graded", errors)
