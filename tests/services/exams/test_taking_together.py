"""Starts of many candidates at one exam paper in one transaction: who gets an attempt, and with what time."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.errors import AttemptsExhausted, DomainError, EntryClosed, PaperNotOpen
from app.models import Message
from app.services import exams
from app.services.attempts import StartRequest
from app.services.components import Components
from app.services.exams import ExamDraft, ExamPaperDraft, Grant, StartedPaper, StartPaper, Target
from app.services.unit_of_work import UnitOfWork, unit_of_work
from app.services.users import Account, Principal, operator
from tests.builders.attempts import add_candidate, until_blocking
from tests.builders.content import publish_test

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Hall:
    """An exam of one paper that is open, and four candidates who are registered."""

    engine: AsyncEngine
    parts: Components
    exam_id: UUID
    paper_id: UUID
    candidates: Sequence[Principal]
    now: datetime

    async def start(
        self, candidate: Principal, later: timedelta = timedelta(0), device: str | None = None
    ) -> StartedPaper | None:
        account = Account(candidate.id, candidate.email, "", self.now)
        request = StartRequest(account, candidate.session_id, device, self.now + later)
        return await exams.start_together(self.parts, self.exam_id, self.paper_id, request)

    async def start_all(self) -> list[StartedPaper | None]:
        return list(await asyncio.gather(*map(self.start, self.candidates)))

    async def outcomes(self) -> list[type | None]:
        """What becomes of the starts of all candidates. None for those that are left to a single start."""
        outcomes = await asyncio.gather(*map(self.start, self.candidates), return_exceptions=True)
        return [None if each is None else type(each) for each in outcomes]

    async def execute(self, statement: str) -> None:
        async with unit_of_work(self.engine) as uow:
            await uow.session.execute(text(statement), {"id": self.paper_id, "exam_id": self.exam_id})


@pytest.fixture
async def hall(engine: AsyncEngine, parts: Components) -> Hall:
    now, staff = parts.clock.now(), operator()
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow)
        exam = await exams.create(uow, staff, ExamDraft({"en": "Mock"}, now, now + HOUR))
        draft = ExamPaperDraft("GS", {"en": "GS"}, made.id, now, now + HOUR, now + HOUR)
        paper = await exams.add_paper(uow, staff, exam.id, draft)
        await exams.publish(uow, staff, exam.id, now)
        candidates = [await add_candidate(uow) for _ in range(4)]
        for candidate in candidates:
            await exams.register(uow, candidate, exam.id, now)
    return Hall(engine, parts, exam.id, paper.id, candidates, now)


async def test_all_start_with_the_time_and_the_key_of_a_single_start(hall: Hall) -> None:
    favored, *_ = hall.candidates
    async with unit_of_work(hall.engine) as uow:
        grants = [Grant(Target(favored.id), 600, "scribe"), Grant(Target(group="all"), 60, "late bus")]
        await exams.accommodate(uow, hall.parts, operator(), hall.exam_id, grants, hall.now)
    together = await hall.start_all()
    async with unit_of_work(hall.engine) as uow:
        count = text("select count(distinct xmin::text) from ias.attempts where exam_paper_id = :id")
        assert await uow.session.scalar(count, {"id": hall.paper_id}) == 1
        for candidate, started in zip(hall.candidates, together, strict=True):
            assert started is not None
            attempt = started.started.attempt
            request = StartPaper(hall.exam_id, hall.paper_id, None, hall.now, hall.now)
            again = await exams.start(uow, hall.parts, candidate, request)
            assert (again.started.is_new, again.started.attempt.id) == (False, attempt.id)
            assert again.started.attempt.registration_id == attempt.registration_id is not None
            assert again.started.attempt.deadline_at == attempt.deadline_at
            assert not again.started.attempt.practice
            assert started.package_key == again.package_key
    extra = [started.started.attempt.accommodation_seconds for started in together if started]
    assert extra == [600, 60, 60, 60]


async def test_resumed_ones_are_told_to_other_devices_as_by_a_single_start(hall: Hall) -> None:
    by_batch, by_itself, *_ = hall.candidates
    first = await hall.start_all()
    again = await hall.start(by_batch)
    async with unit_of_work(hall.engine) as uow:
        request = StartPaper(hall.exam_id, hall.paper_id, None, hall.now, hall.now)
        await exams.start(uow, hall.parts, by_itself, request)
        told = (await uow.session.scalars(select(Message).where(Message.user_id == by_batch.id))).all()
        expected = (await uow.session.scalars(select(Message).where(Message.user_id == by_itself.id))).all()
    assert again is not None
    assert first[0] is not None
    assert first[1] is not None
    assert (again.started.is_new, again.started.attempt.lease) == (False, 2)
    assert again.package_key == first[0].package_key
    [[message], [other]] = told, expected
    assert (message.room, message.audience, message.type) == (other.room, other.audience, other.type)
    mine = {"attempt_id": str(first[0].started.attempt.id)}
    assert message.data == {**other.data, **mine}
    assert message.data["session_id"] == by_batch.session_id


async def test_who_is_inside_resumes_after_entry_has_closed(hall: Hall) -> None:
    await hall.start_all()
    await hall.execute("update ias.exam_papers set closed_at = now() - interval '1 second' where id = :id")
    assert [each and each.started.attempt.lease for each in await hall.start_all()] == [2] * 4


async def test_who_is_not_registered_or_has_ended_is_left(hall: Hall) -> None:
    first, second, *_ = hall.candidates
    await hall.execute("delete from ias.registrations where user_id is not null and exam_id = :exam_id")
    async with unit_of_work(hall.engine) as uow:
        await exams.register(uow, first, hall.exam_id, hall.now)
        await exams.register(uow, second, hall.exam_id, hall.now)
    assert [each is not None for each in await hall.start_all()] == [True, True, False, False]
    await hall.execute("update ias.attempts set status = 'void' where exam_paper_id = :id")
    assert await hall.outcomes() == [AttemptsExhausted, AttemptsExhausted, None, None]


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ("starts_at = now() + interval '10 minutes'", PaperNotOpen),
        ("closed_at = now() - interval '1 second'", EntryClosed),
    ],
)
async def test_nobody_starts_at_a_paper_that_is_not_open(
    hall: Hall, change: str, refusal: type[DomainError]
) -> None:
    await hall.execute(f"update ias.exam_papers set {change} where id = :id")
    assert await hall.outcomes() == [refusal] * 4


@pytest.mark.parametrize(
    "change",
    [
        "update ias.exam_papers set session_group = 'S' where id = :id",
        "update ias.exams set cancelled_at = now() where id = :exam_id",
        "update ias.exams set released_at = now() where id = :exam_id",
    ],
)
async def test_a_paper_that_is_not_plainly_for_all_is_left(hall: Hall, change: str) -> None:
    await hall.execute(change)
    assert await hall.start_all() == [None] * 4


async def test_each_counts_as_come_when_it_arrived(hall: Hall) -> None:
    first, late, *_ = hall.candidates
    starts = hall.start(first), hall.start(late, HOUR)
    started, refused = await asyncio.gather(*starts, return_exceptions=True)
    assert isinstance(started, StartedPaper)
    assert isinstance(refused, EntryClosed)


async def test_a_start_that_came_too_late_resumes_what_another_of_the_person_starts(hall: Hall) -> None:
    first, *_ = hall.candidates
    started, late = await asyncio.gather(hall.start(first), hall.start(first, HOUR))
    assert started is not None
    assert late is None


async def test_a_batch_that_postgresql_refuses_is_left(hall: Hall) -> None:
    first, *others = hall.candidates
    request = hall.start(first, device="not \0 storable")
    assert await asyncio.gather(request, *map(hall.start, others)) == [None] * 4
    assert all(await asyncio.gather(*map(hall.start, others)))


async def test_a_crowd_waits_for_a_cancellation_and_obeys_it(hall: Hall) -> None:
    async def cancel(uow: UnitOfWork) -> None:
        await exams.cancel(uow, operator(), hall.exam_id, "flood", hall.now)

    async with unit_of_work(hall.engine) as uow:
        await cancel(uow)
        starting = asyncio.create_task(hall.start_all())
        await until_blocking(hall.engine, uow)
    assert await starting == [None] * 4
