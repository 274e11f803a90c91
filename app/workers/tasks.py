"""The tasks. A task has the name of its job, takes ids, calls services, and may safely run twice."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from app.services import account_exports, accounts, attempts, notifications, result_documents
from app.services.analytics import abilities, figures, refreshing, taking_in
from app.services.keys import carrying_out, revisions
from app.services.unit_of_work import unit_of_work
from app.workers.runtime import TaskContext, long_task, task

log = structlog.get_logger(__name__)


@task
async def notify_key_revised(context: TaskContext, *, revision_id: str) -> None:
    """Tell everybody whose score or rank a revision has changed, in several transactions."""
    await notifications.key_revised(context.parts, UUID(revision_id), context.now)


@task
async def send_welcome_mail(context: TaskContext, *, user_id: str) -> None:
    """Send the welcome mail, once."""
    await notifications.welcome(context.uow, context.parts, UUID(user_id), context.now)


@task
async def notify_registered(context: TaskContext, *, registration_id: str) -> None:
    """Confirm a registration for an exam."""
    await notifications.registered(context.uow, context.parts, UUID(registration_id), context.now)


@task
async def notify_registration_changed(
    context: TaskContext,
    *,
    registration_id: str,
    change_id: str,
    fields: Sequence[str],
    previous_extra_seconds: int,
) -> None:
    """Tell a candidate that staff have corrected the registration."""
    await notifications.registration_changed(
        context.uow,
        context.parts,
        UUID(registration_id),
        change_id,
        fields,
        previous_extra_seconds,
        context.now,
    )


@task
async def notify_enrolment_changed(context: TaskContext, *, user_id: str, change_id: str) -> None:
    """Tell a user that staff have changed the enrolment."""
    await notifications.enrolment_changed(context.uow, context.parts, UUID(user_id), change_id, context.now)


@task
async def notify_submitted(
    context: TaskContext, *, attempt_ids: Sequence[str] = (), attempt_id: str | None = None
) -> None:
    """Confirm the end of official attempts at exams to their candidates."""
    # An earlier version adds jobs with one `attempt_id`. Remove it with the release after this one.
    ids = [UUID(each) for each in (*attempt_ids, *([attempt_id] if attempt_id else []))]
    await notifications.submitted(context.uow, context.parts, ids, context.now)


@task
async def notify_results_released(context: TaskContext, *, exam_id: str) -> None:
    """Tell every registered candidate that the results are released, in several transactions."""
    await notifications.results_released(context.parts, UUID(exam_id), context.now)


@task
async def notify_key_shown(context: TaskContext, *, exam_id: str, stage: str) -> None:
    """Tell every registered candidate that the keys are shown, in several transactions."""
    await notifications.key_shown(context.parts, UUID(exam_id), stage, context.now)


@task
async def notify_objections_decided(context: TaskContext, *, cluster_id: str, decision: int) -> None:
    """Tell everybody who made these objections the decision, in several transactions."""
    await notifications.objections_decided(context.parts, UUID(cluster_id), decision, context.now)


@task
async def notify_postponed(context: TaskContext, *, exam_id: str) -> None:
    """Tell every registered candidate the new times of the papers."""
    await notifications.postponed(context.parts, UUID(exam_id), context.now)


@task
async def notify_extra_time(
    context: TaskContext, *, exam_id: str, change_id: str, before: Sequence[dict[str, Any]]
) -> None:
    """Tell the candidates whose extra time has changed. `before` are the changed grants as they were."""
    await notifications.extra_time_changed(context.parts, UUID(exam_id), change_id, before, context.now)


@task
async def notify_cancelled(context: TaskContext, *, exam_id: str) -> None:
    """Tell every registered candidate that the exam is cancelled."""
    await notifications.cancelled(context.parts, UUID(exam_id), context.now)


@task
async def inform_auth_server(context: TaskContext, *, user_id: str) -> None:
    """Tell the auth server whether a deleted or restored account may sign in."""
    await accounts.inform_auth_server(context.parts, UUID(user_id))


@task
async def export_account(context: TaskContext, *, export_id: str) -> None:
    """Make the file of an export."""
    await account_exports.build(context.uow, context.parts, UUID(export_id), context.now)


@task
async def make_result_file(context: TaskContext, *, file_id: str) -> None:
    """Make the next parts of a file with result sheets or certificates."""
    await result_documents.build(context.uow, context.parts, UUID(file_id), context.now)


@task
async def grade_attempts(context: TaskContext, *, attempt_ids: Sequence[str]) -> None:
    """Grade closed attempts in one batch; if that fails, grade them one by one."""
    try:
        ids = [UUID(attempt_id) for attempt_id in attempt_ids]
        async with unit_of_work(context.parts.engine) as uow:
            await attempts.grade_batch(uow, context.parts, ids, context.now)
    except Exception:
        log.warning("batch_not_graded", attempts=len(attempt_ids), exc_info=True)
        await _grade_each(context, attempt_ids)


async def _grade_each(context: TaskContext, attempt_ids: Sequence[str]) -> None:
    """Grade each attempt in its own transaction, so that one failure stops no other."""
    errors = []
    for attempt_id in attempt_ids:
        try:
            async with unit_of_work(context.parts.engine) as uow:
                await attempts.grade_batch(uow, context.parts, [UUID(attempt_id)], context.now)
        except Exception as error:  # noqa: BLE001 -- raised below, after the others were graded
            error.add_note(f"attempt {attempt_id}")
            errors.append(error)
    if errors:
        raise ExceptionGroup(f"{len(errors)} of {len(attempt_ids)} attempts could not be graded", errors)


@long_task
async def compute_key_revision(context: TaskContext, *, revision_id: str) -> None:
    """Compute the impact of a dry run with many attempts."""
    await revisions.compute(context.uow, context.parts, UUID(revision_id))


@long_task
async def publish_key_revision(context: TaskContext, *, revision_id: str) -> None:
    """Grade everybody again by the keys of a revision, in one transaction."""
    await carrying_out.publish_now(context.parts, UUID(revision_id), context.now)


@task
async def calculate_user_analytics(context: TaskContext, *, attempt_ids: Sequence[str]) -> None:
    """Compute the figures of graded attempts that analytics read, and take the attempts into ratings.

    These are two transactions, because ratings lock the candidates before the attempts.
    """
    ids = [UUID(attempt_id) for attempt_id in attempt_ids]
    async with unit_of_work(context.parts.engine) as uow:
        await figures.calculate(uow, context.parts, ids)
    await taking_in.take_in(context.uow, context.parts, ids)


@task
async def request_exam_analytics(context: TaskContext, *, exam_id: str) -> None:
    """After the release of an exam, add jobs for the analytics of its attempts, in batches."""
    await figures.request_of_exam(context.uow, UUID(exam_id))


@task
async def take_in_attempts(context: TaskContext, *, attempt_ids: Sequence[str]) -> None:
    """Take attempts into ratings that were withheld when they were graded."""
    await taking_in.take_in(context.uow, context.parts, [UUID(attempt_id) for attempt_id in attempt_ids])


@task
async def replay_ratings(context: TaskContext) -> None:
    """Make ratings and review cards again after results were withdrawn."""
    await taking_in.replay(context.uow, context.parts)


@task
async def estimate_abilities(context: TaskContext) -> None:
    """Estimate abilities that are out of date, in several transactions."""
    await abilities.estimate_due(context.parts, context.now)


@task
async def refresh_test_statistics(
    context: TaskContext, *, test_id: str, computed_before: str | None = None
) -> None:
    """Refresh the statistics of a test, in several transactions."""
    before = datetime.fromisoformat(computed_before) if computed_before else None
    await refreshing.refresh(context.uow, context.parts, UUID(test_id), context.now, computed_before=before)
