"""A published exam that is open, with a registered candidate."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Attempt, ExamPaper
from app.services import exams
from app.services.components import Components
from app.services.exams import ClosePaper, ExamDraft, ExamPaperDraft, Grant, StartPaper, Target
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from app.services.users import Principal, operator
from tests.builders.attempts import add_candidate
from tests.builders.content import PublishedTest, publish_test
from tests.two_connections import Work

HOUR, DURATION = timedelta(hours=1), timedelta(minutes=10)


@dataclass(frozen=True)
class Scene:
    """A published exam of one paper that is open, a registered candidate, and what may happen to them."""

    engine: AsyncEngine
    parts: Components
    made: PublishedTest
    exam_id: UUID
    paper_id: UUID
    candidate: Principal
    now: datetime
    staff: Principal

    async def start(self, uow: UnitOfWork, candidate: Principal | None = None) -> Attempt:
        who = candidate or self.candidate
        request = StartPaper(self.exam_id, self.paper_id, None, self.now, self.now)
        started = await exams.start(uow, self.parts, who, request)
        return started.started.attempt

    async def register(self, uow: UnitOfWork, candidate: Principal) -> Any:
        return await exams.register(uow, candidate, self.exam_id, self.now)

    async def publish(self, uow: UnitOfWork) -> Any:
        return await exams.publish(uow, self.staff, self.exam_id, self.now)

    async def cancel(self, uow: UnitOfWork) -> Any:
        return await exams.cancel(uow, self.staff, self.exam_id, "flood", self.now)

    async def close(self, uow: UnitOfWork) -> Any:
        return await exams.close_paper(
            uow, self.parts, self.staff, ClosePaper(self.exam_id, self.paper_id), self.now
        )

    async def release(self, uow: UnitOfWork) -> Any:
        return await exams.release(uow, self.parts, self.staff, self.exam_id, self.now, "a test")

    def granting(self, holder: str, seconds: int) -> Work:
        """Grant extra time to the candidate, or to everybody."""
        target = Target(self.candidate.id) if holder == "person" else Target(group="all")
        grants = [Grant(target, seconds, "scribe")]
        return lambda uow: exams.accommodate(uow, self.parts, self.staff, self.exam_id, grants, self.now)

    async def attempts(self) -> list[Attempt]:
        async with reading(self.engine) as reads:
            statement = select(Attempt).where(Attempt.exam_paper_id == self.paper_id)
            return list(await reads.session.scalars(statement))

    async def pinned(self) -> UUID | None:
        async with reading(self.engine) as reads:
            statement = select(ExamPaper.paper_id).where(ExamPaper.id == self.paper_id)
            return await reads.session.scalar(statement)


MakeScene = Callable[..., Awaitable[Scene]]


@pytest.fixture
def make_scene(engine: AsyncEngine, parts: Components) -> MakeScene:
    async def make(opens_in: timedelta = timedelta(0)) -> Scene:
        now, staff = parts.clock.now(), operator()
        opens = now + opens_in
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
            exam = await exams.create(uow, staff, ExamDraft({"en": "Mock"}, opens, opens + HOUR))
            draft = ExamPaperDraft("GS", {"en": "GS"}, made.id, opens, opens + HOUR, opens + HOUR)
            paper = await exams.add_paper(uow, staff, exam.id, draft)
            await exams.publish(uow, staff, exam.id, now)
            candidate = await add_candidate(uow)
            await exams.register(uow, candidate, exam.id, now)
        return Scene(engine, parts, made, exam.id, paper.id, candidate, now, staff)

    return make


async def extra_times(scene: Scene) -> list[int]:
    """The extra time of each attempt. Raises if a deadline does not contain it."""
    attempts = await scene.attempts()
    durations = {attempt.deadline_at - attempt.started_at for attempt in attempts}
    extra = [attempt.accommodation_seconds for attempt in attempts]
    assert durations == {DURATION + timedelta(seconds=seconds) for seconds in extra}
    return extra
