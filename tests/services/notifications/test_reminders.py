"""Reminders: once for each start of each paper, on time or not at all."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Exam, ExamPaper, User
from app.services.components import Components
from app.services.notifications import Reminders
from app.services.unit_of_work import unit_of_work
from tests.builders.notifications import Event, add_announced_exam, add_user, deliveries, register, told
from tests.conftest import TestClock

pytestmark = pytest.mark.anyio

DAY, QUARTER = "opens_in_24_hours", "opens_in_15_minutes"


async def candidate_of(
    engine: AsyncEngine, starts_at: datetime, registered_at: datetime | None = None, **exam: Any
) -> tuple[Event, User]:
    async with unit_of_work(engine) as uow:
        event = await add_announced_exam(uow, starts_at, **exam)
        user = await add_user(uow)
        await register(uow, event, user, registered_at)
    return event, user


async def move(engine: AsyncEngine, event: Event, by: timedelta) -> datetime:
    starts_at = event.starts_at + by
    values = {
        "starts_at": starts_at,
        "entry_closes_at": starts_at + timedelta(minutes=30),
        "ends_at": starts_at + timedelta(hours=3),
    }
    async with unit_of_work(engine) as uow:
        await uow.session.execute(update(ExamPaper).where(ExamPaper.id == event.paper_id).values(**values))
    return starts_at


async def kinds(engine: AsyncEngine, user: User) -> list[str]:
    return [line.kind for line in await told(engine, user)]


class TestRemind:
    async def test_a_day_before_and_a_quarter_of_an_hour_before(
        self, engine: AsyncEngine, post: Components, now: datetime, clock: TestClock
    ) -> None:
        _, user = await candidate_of(engine, now + timedelta(hours=24, seconds=30))
        reminders = Reminders(post)
        await reminders.remind()
        assert await kinds(engine, user) == []
        clock.advance(31)
        await reminders.remind()
        assert await kinds(engine, user) == [DAY]
        clock.advance(3600 * 23.75 - 60)
        await reminders.remind()
        assert await kinds(engine, user) == [DAY]
        clock.advance(60)
        await reminders.remind()
        assert await kinds(engine, user) == [DAY, QUARTER]

    async def test_each_is_made_once_whoever_looks_how_often(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        _, user = await candidate_of(engine, now + timedelta(minutes=14))
        workers = [Reminders(post) for _ in range(3)]
        for _ in range(2):
            await asyncio.gather(*(worker.remind() for worker in workers))
        await Reminders(post).remind()  # a worker that was started anew
        assert await kinds(engine, user) == [QUARTER]
        assert len(await deliveries(engine, user)) == 1

    async def test_its_deliveries_end_when_it_is_of_no_use(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        event, user = await candidate_of(engine, now + timedelta(minutes=14))
        await Reminders(post).remind()
        (delivery,) = await deliveries(engine, user)
        assert (delivery.expires_at, delivery.urgent) == (event.starts_at, True)

    @pytest.mark.parametrize(
        ("before_start", "registered_before_start", "expected"),
        [
            # Registered in good time, but every worker was down when it was due.
            (timedelta(hours=20), timedelta(days=5), [DAY]),
            (timedelta(hours=17), timedelta(days=5), []),
            (timedelta(minutes=9), timedelta(days=5), [QUARTER]),
            (timedelta(minutes=4), timedelta(days=5), []),
            # Registered after it was due: the confirmation has just said the same.
            (timedelta(hours=23), timedelta(hours=23, minutes=30), []),
            (timedelta(minutes=10), timedelta(minutes=10), []),
            (timedelta(minutes=15), timedelta(minutes=20), [QUARTER]),
        ],
    )
    async def test_none_is_late(
        self,
        engine: AsyncEngine,
        post: Components,
        now: datetime,
        before_start: timedelta,
        registered_before_start: timedelta,
        expected: list[str],
    ) -> None:
        starts_at = now + before_start
        _, user = await candidate_of(engine, starts_at, starts_at - registered_before_start)
        await Reminders(post).remind()
        assert await kinds(engine, user) == expected

    async def test_a_postponed_paper_is_reminded_of_anew(
        self, engine: AsyncEngine, post: Components, now: datetime, clock: TestClock
    ) -> None:
        event, user = await candidate_of(engine, now + timedelta(minutes=14))
        reminders = Reminders(post)
        await reminders.remind()
        starts_at = await move(engine, event, timedelta(days=2))
        await reminders.remind()
        assert await kinds(engine, user) == [QUARTER]
        clock.advance((starts_at - now).total_seconds() - 3600 * 24)
        await reminders.remind()
        clock.advance(3600 * 23.8)
        await reminders.remind()
        assert await kinds(engine, user) == [QUARTER, DAY, QUARTER]

    async def test_moved_by_half_an_hour_it_gets_no_day_again(
        self, engine: AsyncEngine, post: Components, now: datetime, clock: TestClock
    ) -> None:
        event, user = await candidate_of(engine, now + timedelta(minutes=14))
        reminders = Reminders(post)
        await reminders.remind()
        await move(engine, event, timedelta(minutes=30))
        clock.advance(60 * 30)
        await reminders.remind()
        assert await kinds(engine, user) == [QUARTER, QUARTER]

    @pytest.mark.parametrize("state", ["cancelled", "unpublished", "closed"])
    async def test_what_will_not_open_is_not_reminded_of(
        self, engine: AsyncEngine, post: Components, now: datetime, state: str
    ) -> None:
        event, user = await candidate_of(engine, now + timedelta(minutes=14))
        changes = {
            "cancelled": update(Exam).where(Exam.id == event.exam_id).values(cancelled_at=now),
            "unpublished": update(Exam).where(Exam.id == event.exam_id).values(published_at=None),
            "closed": update(ExamPaper).where(ExamPaper.id == event.paper_id).values(closed_at=now),
        }
        async with unit_of_work(engine) as uow:
            await uow.session.execute(changes[state])
        await Reminders(post).remind()
        assert await kinds(engine, user) == []

    async def test_places_without_an_account_stop_nobody(
        self, engine: AsyncEngine, post: Components, now: datetime
    ) -> None:
        event, user = await candidate_of(engine, now + timedelta(minutes=14))
        async with unit_of_work(engine) as uow:
            await register(uow, event, None)
        assert await Reminders(post).remind() >= 1
        assert await kinds(engine, user) == [QUARTER]
