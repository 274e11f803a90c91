"""Closing and grading: what happens when a job was lost."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import select

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


class TestGradeForgotten:
    async def test_asks_again_for_what_was_closed_long_ago_and_has_no_result(
        self, uow: UnitOfWork, parts: Components
    ) -> None:
        attempt = await start_attempt(uow, parts, await publish_test(uow), NOW)
        await attempts.close_overdue(uow, CLOSED, GRACE)
        for job in (await uow.session.scalars(select(Job))).all():
            await uow.session.delete(job)  # given up, or lost with a database that was restored
        assert await attempts.request_missing_grading(uow, CLOSED, PATIENCE) == 0
        assert await attempts.request_missing_grading(uow, CLOSED + PATIENCE, PATIENCE) == 1
        job = (await uow.session.scalars(select(Job))).one()
        assert (job.task, job.arguments) == ("grade_attempts", {"attempt_ids": [str(attempt.id)]})

    async def test_leaves_graded_ones_alone(self, uow: UnitOfWork, parts: Components) -> None:
        attempt = await start_attempt(uow, parts, await publish_test(uow), NOW)
        await attempts.close_overdue(uow, CLOSED, GRACE)
        assert await attempts.grade_batch(uow, parts, [attempt.id], CLOSED)
        assert attempt.status == AttemptStatus.GRADED
        assert await attempts.request_missing_grading(uow, CLOSED + PATIENCE, PATIENCE) == 0
