"""Two transactions at once: whoever enters, ends, places or releases at the same moment, one order holds."""

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import Conflict, NotFound
from app.core.release_errors import AttemptsInProgress
from app.models import AttemptStatus
from app.services import attempts, exams
from app.services.components import Components
from app.services.exams import (
    ExamDraft,
    ExamPaperDraft,
    Grant,
    StaffAction,
    StartedPaper,
    StartPaper,
    Target,
    Verb,
)
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from app.services.users import Principal, operator
from tests.builders.attempts import add_candidate, ref_of, response, target_of
from tests.builders.content import PublishedTest, publish_test
from tests.builders.saves import save_uncommitted
from tests.two_connections import Work, alone, overlap

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Hall:
    """A published exam of one paper that is open, and who runs it."""

    parts: Components
    exam_id: UUID
    paper_id: UUID
    made: PublishedTest
    staff: Principal

    async def enter(self, engine: AsyncEngine, candidate: Principal, now: datetime) -> StartedPaper:
        """Register, and start in another transaction."""
        await alone(engine, lambda uow: exams.register(uow, candidate, self.exam_id, now))
        started: StartedPaper = (await alone(engine, lambda uow: self.start(uow, candidate, now))).result()
        return started

    async def start(self, uow: UnitOfWork, candidate: Principal, now: datetime) -> StartedPaper:
        return await exams.start(uow, self.parts, candidate, self.request(now))

    def request(self, now: datetime) -> StartPaper:
        return StartPaper(self.exam_id, self.paper_id, None, now, now)

    async def release(self, uow: UnitOfWork, now: datetime) -> Any:
        return await exams.release(uow, self.parts, self.staff, self.exam_id, now, "a test")


@pytest.fixture
async def hall(parts: Components, engine: AsyncEngine) -> Hall:
    now, staff = parts.clock.now(), operator()
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow)
        exam = await exams.create(uow, staff, ExamDraft({"en": "Mock"}, now, now + HOUR))
        draft = ExamPaperDraft("GS", {"en": "GS"}, made.id, now, now + HOUR, now + HOUR)
        paper = await exams.add_paper(uow, staff, exam.id, draft)
        await exams.publish(uow, staff, exam.id, now)
    return Hall(parts, exam.id, paper.id, made, staff)


@pytest.fixture
async def candidate(engine: AsyncEngine) -> Principal:
    async with unit_of_work(engine) as uow:
        return await add_candidate(uow)


class TestEnteringAndReleasing:
    async def test_who_is_just_entering_is_seen_by_the_release(
        self, engine: AsyncEngine, hall: Hall, candidate: Principal
    ) -> None:
        now = hall.parts.clock.now()
        await alone(engine, lambda uow: exams.register(uow, candidate, hall.exam_id, now))
        both = await overlap(
            engine, lambda uow: hall.start(uow, candidate, now), lambda uow: hall.release(uow, now)
        )
        assert both.waited
        with pytest.raises(AttemptsInProgress):
            both.second.result()

    async def test_who_comes_while_it_is_released_practices(
        self, engine: AsyncEngine, hall: Hall, candidate: Principal
    ) -> None:
        now = hall.parts.clock.now()
        await alone(engine, lambda uow: exams.register(uow, candidate, hall.exam_id, now))
        both = await overlap(
            engine,
            lambda uow: hall.release(uow, now),
            lambda uow: hall.start(uow, candidate, now),
        )
        assert both.waited
        assert both.second.result().started.attempt.practice

    async def test_two_releases_at_once_are_one(self, engine: AsyncEngine, hall: Hall) -> None:
        now = hall.parts.clock.now()
        both = await overlap(engine, lambda uow: hall.release(uow, now), lambda uow: hall.release(uow, now))
        assert both.waited
        assert both.second.result().release.version == both.first.result().release.version == 1


class TestPlacingAndStarting:
    @pytest.fixture
    async def placing(self, engine: AsyncEngine, parts: Components) -> tuple[UUID, Work]:
        """A test, and how it is placed in an exam."""
        now, staff = parts.clock.now(), operator()
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
            exam = await exams.create(uow, staff, ExamDraft({"en": "Mock"}, now, now + HOUR))
        draft = ExamPaperDraft("GS", {"en": "GS"}, made.id, now, now + HOUR, now + HOUR)
        return made.id, lambda uow: exams.add_paper(uow, staff, exam.id, draft)

    async def test_who_is_just_starting_the_test_is_seen_by_its_placement(
        self, engine: AsyncEngine, parts: Components, candidate: Principal, placing: tuple[UUID, Work]
    ) -> None:
        (test_id, place), now = placing, parts.clock.now()
        both = await overlap(
            engine, lambda uow: attempts.start(uow, parts, candidate, test_id, None, now), place
        )
        assert both.waited
        with pytest.raises(Conflict):
            both.second.result()

    async def test_who_comes_while_it_is_placed_does_not_find_the_test(
        self, engine: AsyncEngine, parts: Components, candidate: Principal, placing: tuple[UUID, Work]
    ) -> None:
        (test_id, place), now = placing, parts.clock.now()
        both = await overlap(
            engine, place, lambda uow: attempts.start(uow, parts, candidate, test_id, None, now)
        )
        assert both.waited
        with pytest.raises(NotFound):
            both.second.result()


class TestSteeringAndSitting:
    async def test_an_answer_that_is_being_saved_is_in_when_staff_end_the_attempt(
        self, engine: AsyncEngine, hall: Hall, candidate: Principal
    ) -> None:
        now = hall.parts.clock.now()
        attempt = (await hall.enter(engine, candidate, now)).started.attempt
        target = target_of(attempt)
        action, sent = StaffAction(Verb.SUBMIT, None, [attempt.id]), [response(hall.made, 0, ["a"])]
        both = await overlap(
            engine,
            lambda uow: save_uncommitted(uow, hall.parts, target, sent, now),
            lambda uow: exams.steer_one(uow, hall.parts, hall.staff, hall.exam_id, action, now),
        )
        (ended,) = both.second.result().changed
        assert (both.waited, ended.status) == (True, AttemptStatus.SUBMITTED)
        async with unit_of_work(engine) as uow:
            await hall.release(uow, now)
            result = await uow.attempts.result(attempt.id)
        assert result is not None
        assert result.score_numerator == 2

    async def test_an_answer_is_saved_while_staff_extend_the_attempt_and_have_not_committed(
        self, engine: AsyncEngine, hall: Hall, candidate: Principal
    ) -> None:
        now = hall.parts.clock.now()
        attempt = (await hall.enter(engine, candidate, now)).started.attempt
        target, sent = target_of(attempt), [response(hall.made, 0, ["a"])]
        action = StaffAction(Verb.EXTEND, None, "all", 60)
        grants = [Grant(Target(group="all"), 300, "power cut")]
        for move in (
            lambda uow: exams.steer(uow, hall.parts, hall.staff, hall.exam_id, action, now),
            lambda uow: exams.accommodate(uow, hall.parts, hall.staff, hall.exam_id, grants, now),
        ):
            both = await overlap(
                engine, move, lambda uow: save_uncommitted(uow, hall.parts, target, sent, now)
            )
            assert both.first.error is None
            assert not both.waited
            assert both.second.result().saved + both.second.result().known == 1

    async def test_an_extension_does_not_wait_for_an_answer_that_is_being_saved(
        self, engine: AsyncEngine, hall: Hall, candidate: Principal
    ) -> None:
        now = hall.parts.clock.now()
        attempt = (await hall.enter(engine, candidate, now)).started.attempt
        target, sent = target_of(attempt), [response(hall.made, 0, ["a"])]
        action = StaffAction(Verb.EXTEND, None, "all", 60)
        both = await overlap(
            engine,
            lambda uow: save_uncommitted(uow, hall.parts, target, sent, now),
            lambda uow: exams.steer(uow, hall.parts, hall.staff, hall.exam_id, action, now),
        )
        (extended,) = both.second.result().changed
        assert (both.waited, extended.deadline_at) == (False, attempt.deadline_at + timedelta(seconds=60))

    async def test_an_answer_to_an_attempt_that_its_deadline_ended_waits_for_the_extension(
        self, engine: AsyncEngine, hall: Hall, candidate: Principal
    ) -> None:
        now = hall.parts.clock.now()
        attempt = (await hall.enter(engine, candidate, now)).started.attempt
        over = attempt.deadline_at + timedelta(minutes=2)
        target, sent = target_of(attempt), [response(hall.made, 0, ["a"])]
        action = StaffAction(Verb.EXTEND, None, "all", 600)
        both = await overlap(
            engine,
            lambda uow: exams.steer(uow, hall.parts, hall.staff, hall.exam_id, action, over),
            lambda uow: save_uncommitted(uow, hall.parts, target, sent, over),
        )
        assert both.waited
        assert both.second.result().saved == 1

    async def test_many_graders_and_a_release_end_with_each_graded_once(
        self, engine: AsyncEngine, hall: Hall
    ) -> None:
        now, ids = hall.parts.clock.now(), []
        for _ in range(12):
            async with unit_of_work(engine) as uow:
                candidate = await add_candidate(uow)
            attempt = (await hall.enter(engine, candidate, now)).started.attempt
            async with unit_of_work(engine) as uow:
                await exams.submit(uow, hall.parts, ref_of(attempt), now)
                ids.append(attempt.id)

        def grading(attempt_id: UUID) -> Awaitable[Any]:
            return alone(engine, lambda uow: attempts.grade_batch(uow, hall.parts, [attempt_id], now))

        releasing = alone(engine, lambda uow: hall.release(uow, now))
        outcomes = await asyncio.gather(
            *(grading(each) for each in ids), releasing, *(grading(each) for each in ids)
        )
        assert {outcome.code for outcome in outcomes} == {"ok"}
        async with reading(engine) as reads:
            histogram = await reads.attempts.histogram(hall.paper_id)
            graded = await reads.session.scalar(
                text("select count(*) from ias.results where cohort_id = :id"), {"id": hall.paper_id}
            )
        assert (sum(histogram.values()), graded) == (12, 12)
