"""A candidate is notified once each time an official attempt at an exam is submitted, without the score."""

from collections.abc import Awaitable, Callable
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Job
from app.services import notifications
from app.services.components import Components
from app.services.unit_of_work import unit_of_work
from tests.api.exams.worker_steps import sweep
from tests.builders.content import publish_test
from tests.builders.exams import MINUTE, Entrant, HeldExam, Json, body_of, hold_exam, register
from tests.builders.people import People
from tests.conftest import TestClock


@pytest.fixture
async def held(author: httpx.AsyncClient, engine: AsyncEngine, clock: TestClock) -> HeldExam:
    """An exam whose paper opens now and is open for 20 minutes."""
    clock.stop()
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow)
    return await hold_exam(author, made, starts_at=clock.now(), window=20 * MINUTE)


async def enter(people: People, held: HeldExam) -> Entrant:
    entrant = await register(await people.candidate(), held)
    body_of(await entrant.enter())
    return entrant


async def do_jobs(parts: Components) -> None:
    """Do the `notify_submitted` jobs twice, because a worker may repeat a job."""
    async with unit_of_work(parts.engine) as uow:
        statement = select(Job).where(Job.task == "notify_submitted", Job.finished_at.is_(None))
        jobs = (await uow.session.scalars(statement)).all()
        for job in jobs:
            job.finished_at = parts.clock.now()
    for job in [*jobs, *jobs]:
        async with unit_of_work(parts.engine) as uow:
            ids = [UUID(attempt_id) for attempt_id in job.arguments["attempt_ids"]]
            await notifications.submitted(uow, parts, ids, parts.clock.now())


async def confirmations(parts: Components, entrant: Entrant) -> list[Json]:
    """The confirmations in the candidate's inbox, the oldest first."""
    await do_jobs(parts)
    items: list[Json] = body_of(await entrant.client.get("/notifications"))["items"]
    return [item for item in reversed(items) if item["kind"] == "submitted"]


class Ends:
    """The ways in which an attempt ends, by who ends it."""

    @staticmethod
    async def candidate(entrant: Entrant, _parts: Components, _clock: TestClock) -> None:
        body_of(await entrant.submit())

    @staticmethod
    async def late_submit(entrant: Entrant, _parts: Components, clock: TestClock) -> None:
        clock.advance((30 * MINUTE).total_seconds())
        body_of(await entrant.submit())

    @staticmethod
    async def worker(_entrant: Entrant, parts: Components, clock: TestClock) -> None:
        clock.advance((30 * MINUTE).total_seconds())
        await sweep(parts)

    @staticmethod
    async def release(entrant: Entrant, _parts: Components, clock: TestClock) -> None:
        clock.advance((30 * MINUTE).total_seconds())
        body_of(await entrant.held.staff.post(f"{entrant.held.path}/release-results"))

    @staticmethod
    async def staff(entrant: Entrant, _parts: Components, _clock: TestClock) -> None:
        body_of(await entrant.held.order("submit", entrant.attempt, reason="He is ill."))

    @staticmethod
    async def staff_in_bulk(entrant: Entrant, _parts: Components, _clock: TestClock) -> None:
        order = {"attempt_ids": "all", "reason": "A power cut."}
        body_of(await entrant.held.staff.post(f"{entrant.held.path}/attempts/submit", json=order))

    @staticmethod
    async def close(entrant: Entrant, _parts: Components, _clock: TestClock) -> None:
        body_of(await entrant.held.staff.post(f"{entrant.path}/close", json={"reason": "A power cut."}))


TITLES = {
    "candidate": ("Your answers are submitted", "आपके उत्तर जमा हो गए हैं"),
    "deadline": (
        "Your time is over, and your answers are submitted",
        "समय पूरा हो गया है, और आपके उत्तर जमा हो गए हैं",
    ),
    "staff": (
        "Staff ended your attempt, and your answers are submitted",
        "परीक्षा के आयोजकों ने आपका प्रयास समाप्त किया है, और आपके उत्तर जमा हो गए हैं",
    ),
}


@pytest.mark.parametrize(
    ("end", "closed_by"),
    [
        (Ends.candidate, "candidate"),
        (Ends.late_submit, "deadline"),
        (Ends.worker, "deadline"),
        (Ends.release, "deadline"),
        (Ends.staff, "staff"),
        (Ends.staff_in_bulk, "staff"),
        (Ends.close, "staff"),
    ],
)
async def test_each_end_is_confirmed_once_and_says_who_ended_it(
    people: People,
    held: HeldExam,
    parts: Components,
    clock: TestClock,
    end: Callable[[Entrant, Components, TestClock], Awaitable[None]],
    closed_by: str,
) -> None:
    entrant = await enter(people, held)
    body_of(await entrant.save({0: ["a"]}))
    await end(entrant, parts, clock)
    await sweep(parts)
    (confirmed,) = await confirmations(parts, entrant)
    assert confirmed["data"]["attempt_id"] == entrant.attempt["id"]
    assert confirmed["data"]["closed_by"] == closed_by
    assert (confirmed["title"]["en"], confirmed["title"]["hi"]) == TITLES[closed_by]
    assert confirmed["data"].keys() == {
        "exam_id",
        "exam_title",
        "paper",
        "attempt_id",
        "submitted_at",
        "closed_by",
    }, "nothing that is derived from the answers"


async def test_an_attempt_that_ends_again_is_confirmed_again(
    people: People, held: HeldExam, parts: Components, clock: TestClock
) -> None:
    entrant = await enter(people, held)
    body_of(await held.order("submit", entrant.attempt, reason="By mistake."))
    body_of(await held.order("submit", entrant.attempt, reason="By mistake."))
    assert len(await confirmations(parts, entrant)) == 1
    clock.advance(MINUTE.total_seconds())
    body_of(await held.order("reopen", entrant.attempt, reason="It was a mistake."))
    body_of(await entrant.submit())
    assert [each["data"]["closed_by"] for each in await confirmations(parts, entrant)] == [
        "staff",
        "candidate",
    ]


async def test_a_void_attempt_is_not_confirmed(
    people: People, held: HeldExam, parts: Components, clock: TestClock
) -> None:
    entrant = await enter(people, held)
    body_of(await held.order("void", entrant.attempt, reason="A test of the room."))
    clock.advance((30 * MINUTE).total_seconds())
    await sweep(parts)
    assert await confirmations(parts, entrant) == []
