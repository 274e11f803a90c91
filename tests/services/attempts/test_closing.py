"""Closing and grading: what happens when a job was lost."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import delete, select

from app.models import AttemptStatus, Job
from app.services import attempts
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork
from tests.builders.attempts import start_attempt
from tests.builders.content import publish_test

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
GRACE = timedelta(seconds=10)
CLOSED = NOW + timedelta(seconds=611)
PATIENCE = timedelta(minutes=10)


async def requested(uow: UnitOfWork) -> set[str]:
    """The attempts that jobs are to grade; other tests may have left some behind."""
    jobs = await uow.session.scalars(select(Job).where(Job.task == "grade_attempts"))
    return {attempt_id for job in jobs for attempt_id in job.arguments["attempt_ids"]}


class TestRequestMissingGrading:
    async def test_requests_it_again_for_attempts_that_were_closed_long_ago_and_have_no_result(
        self, uow: UnitOfWork, parts: Components
    ) -> None:
        attempt = await start_attempt(uow, parts, await publish_test(uow), NOW)
        await attempts.close_overdue(uow, CLOSED, GRACE)
        assert str(attempt.id) in await requested(uow)
        await uow.session.execute(delete(Job))  # as if its job had failed for good
        await attempts.request_missing_grading(uow, CLOSED, PATIENCE)
        assert str(attempt.id) not in await requested(uow)
        assert await attempts.request_missing_grading(uow, CLOSED + PATIENCE, PATIENCE) >= 1
        assert str(attempt.id) in await requested(uow)

    async def test_leaves_graded_attempts_alone(self, uow: UnitOfWork, parts: Components) -> None:
        attempt = await start_attempt(uow, parts, await publish_test(uow), NOW)
        await attempts.close_overdue(uow, CLOSED, GRACE)
        assert await attempts.grade_batch(uow, parts, [attempt.id], CLOSED) == 1
        assert attempt.status == AttemptStatus.GRADED
        await uow.session.execute(delete(Job))
        await attempts.request_missing_grading(uow, CLOSED + PATIENCE, PATIENCE)
        assert str(attempt.id) not in await requested(uow)
