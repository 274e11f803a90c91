"""Two requests at once whose order of arrival is not the order of their locks; found by interleavings."""

import asyncio
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import EntryClosed, PaperNotOpen
from app.models import AttemptStatus
from app.services import attempts, exams
from app.services.components import Components
from app.services.exams import ExamDraft, ExamPaperDraft, StaffAction, StartPaper, Verb
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import operator
from tests.builders.attempts import add_candidate, ref_of, until_blocking
from tests.builders.content import publish_test

HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)


@dataclass(frozen=True)
class Open:
    """A published exam of one paper that may be entered."""

    engine: AsyncEngine
    parts: Components
    exam_id: UUID
    paper_id: UUID
    test_id: UUID

    async def enter(self, offset: timedelta = timedelta()) -> Any:
        """A new candidate, registered, and the attempt that they have started."""
        now = self.parts.clock.now() + offset
        async with unit_of_work(self.engine) as uow:
            candidate = await add_candidate(uow)
            await exams.register(uow, candidate, self.exam_id, now)
            request = StartPaper(self.exam_id, self.paper_id, None, now, now)
            started = await exams.start(uow, self.parts, candidate, request)
            return started.started.attempt

    async def submit(self, attempt: Any) -> None:
        async with unit_of_work(self.engine) as uow:
            await exams.submit(uow, self.parts, ref_of(attempt), self.parts.clock.now() + 2 * SECOND)

    async def release(self) -> Any:
        async with unit_of_work(self.engine) as uow:
            now = self.parts.clock.now() + 3 * SECOND
            return await exams.release(uow, self.parts, operator(), self.exam_id, now, "a test")


@pytest.fixture
async def exam(parts: Components, engine: AsyncEngine) -> Open:
    now, staff = parts.clock.now(), operator()
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow)
        new = await exams.create(uow, staff, ExamDraft({"en": "Mock"}, now, now + HOUR))
        draft = ExamPaperDraft("GS", {"en": "GS"}, made.id, now, now + HOUR, now + HOUR)
        paper = await exams.add_paper(uow, staff, new.id, draft)
        await exams.publish(uow, staff, new.id, now)
    return Open(engine, parts, new.id, paper.id, made.id)


class TestSteering:
    @pytest.mark.parametrize(
        ("first", "second"), [(Verb.PAUSE, Verb.RESUME), (Verb.SUBMIT, Verb.REOPEN)], ids=str
    )
    async def test_an_action_that_arrived_before_the_one_it_takes_back_gives_the_time_that_was_left(
        self, exam: Open, first: Verb, second: Verb
    ) -> None:
        attempt = await exam.enter()
        arrived, deadline_at = exam.parts.clock.now(), attempt.deadline_at

        async def steer(uow: UnitOfWork, verb: Verb, after: timedelta) -> Any:
            action = StaffAction(verb, None, [attempt.id])
            return await exams.steer_one(uow, exam.parts, operator(), exam.exam_id, action, arrived + after)

        async def take_back() -> Any:
            async with unit_of_work(exam.engine) as uow:
                return await steer(uow, second, timedelta())

        async with unit_of_work(exam.engine) as steering:
            await steer(steering, first, SECOND)
            taking_back = asyncio.create_task(take_back())
            await until_blocking(exam.engine, steering)
        (after,) = (await taking_back).changed
        assert (after.status, after.deadline_at) == (AttemptStatus.IN_PROGRESS, deadline_at)


class TestReleasing:
    async def test_a_grader_that_holds_one_attempt_and_wants_the_next_is_waited_for(self, exam: Open) -> None:
        """A batch may name an attempt that has its result already: the grader holds it all the same."""
        ids = []
        for number in range(2):
            attempt = await exam.enter(number * SECOND)
            await exam.submit(attempt)
            ids.append(attempt.id)
        now = exam.parts.clock.now() + 3 * SECOND
        async with unit_of_work(exam.engine) as uow:
            assert await attempts.grade_batch(uow, exam.parts, [ids[0]], now)
        async with unit_of_work(exam.engine) as grading:
            assert await grading.grading.lock_due(ids[:1]) == []
            releasing = asyncio.create_task(exam.release())
            await until_blocking(exam.engine, grading)
            assert await attempts.grade_batch(grading, exam.parts, ids[1:], now) == 1
        assert (await releasing).release.participants == 2


class TestEntering:
    """A request that waited in a blocked event loop is dated back to when the loop was last free."""

    async def start(self, exam: Open, arrived_at: datetime, now: datetime) -> Any:
        async with unit_of_work(exam.engine) as uow:
            candidate = await add_candidate(uow)
            await exams.register(uow, candidate, exam.exam_id, min(arrived_at, now))
            request = StartPaper(exam.exam_id, exam.paper_id, None, arrived_at, now)
            return (await exams.start(uow, exam.parts, candidate, request)).started.attempt

    async def opening(self, exam: Open) -> datetime:
        async with unit_of_work(exam.engine) as uow:
            (paper,) = await uow.exams.papers(exam.exam_id)
            return paper.starts_at

    async def test_a_start_dated_back_to_before_the_opening_is_admitted_once_the_paper_is_open(
        self, exam: Open
    ) -> None:
        opens_at = await self.opening(exam)
        attempt = await self.start(exam, opens_at - SECOND, opens_at + SECOND)
        assert attempt.started_at == opens_at + SECOND

    async def test_a_start_before_the_opening_is_refused(self, exam: Open) -> None:
        opens_at = await self.opening(exam)
        with pytest.raises(PaperNotOpen):
            await self.start(exam, opens_at - 2 * SECOND, opens_at - SECOND)

    async def test_a_start_that_arrived_while_entry_was_open_is_admitted_later(self, exam: Open) -> None:
        closes_at = await self.opening(exam) + HOUR
        attempt = await self.start(exam, closes_at - SECOND, closes_at - SECOND / 2)
        assert attempt.status == AttemptStatus.IN_PROGRESS

    async def test_a_start_that_arrived_after_entry_closed_is_refused(self, exam: Open) -> None:
        closes_at = await self.opening(exam) + HOUR
        with pytest.raises(EntryClosed):
            await self.start(exam, closes_at, closes_at)


class TestRegistering:
    async def test_of_two_registrations_at_once_one_is_new(self, exam: Open) -> None:
        now = exam.parts.clock.now()
        async with unit_of_work(exam.engine) as uow:
            candidate = await add_candidate(uow)

        async def again() -> Any:
            async with unit_of_work(exam.engine) as uow:
                return await exams.register(uow, candidate, exam.exam_id, now)

        async with unit_of_work(exam.engine) as first:
            registration, is_new = await exams.register(first, candidate, exam.exam_id, now)
            second = asyncio.create_task(again())
            await until_blocking(exam.engine, first)
        same, is_new_again = await second
        assert (same.id, is_new, is_new_again) == (registration.id, True, False)
