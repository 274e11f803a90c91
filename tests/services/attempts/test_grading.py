"""Grading in batches: the same results as one by one, however many graders come at once."""

import asyncio
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from uuid import UUID

import httpx
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Attempt, AttemptStatus, Result
from app.services import attempts
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from tests.builders.answer_sheets import bring_sheets
from tests.builders.attempts import response, start_attempt, target_of
from tests.builders.content import publish_test
from tests.builders.exams import MINUTE, body_of, hold_exam, register
from tests.builders.people import People
from tests.builders.saves import save_uncommitted
from tests.conftest import TestClock

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
CLOSED = NOW + timedelta(seconds=611)


async def result_of(uow: UnitOfWork, attempt_id: UUID) -> Result:
    result = await uow.attempts.result(attempt_id)
    assert result is not None
    return result


def sheet_in(result: Result) -> tuple[object, ...]:
    """What a result keeps of each question."""
    return result.key_id, result.answers, result.outcomes, result.marks, result.marks_denominator


class TestGradeBatch:
    async def test_the_same_as_one_by_one(self, uow: UnitOfWork, parts: Components) -> None:
        made, other = await publish_test(uow), await publish_test(uow)
        sat: list[Attempt] = []
        for test, answer in [(made, "a"), (made, "a"), (made, "d"), (made, "d"), (other, "a")]:
            attempt = await start_attempt(uow, parts, test, NOW)
            sent = [response(test, 0, ["b"]), response(test, 0, [answer], 2), response(test, 1, [answer])]
            await save_uncommitted(uow, parts, target_of(attempt), sent, NOW)
            sat.append(attempt)
        await attempts.close_overdue(uow, CLOSED, timedelta(seconds=10))
        assert await attempts.grade_batch(uow, parts, [sat[0].id], CLOSED)
        assert await attempts.grade_batch(uow, parts, [sat[2].id], CLOSED)
        ids = [attempt.id for attempt in sat]
        assert await attempts.grade_batch(uow, parts, ids, CLOSED) == 3
        assert await attempts.grade_batch(uow, parts, ids, CLOSED) == 0
        for single, batched in ((sat[0], sat[1]), (sat[2], sat[3])):
            await uow.session.refresh(batched)
            assert batched.status == AttemptStatus.GRADED
            results = [await result_of(uow, attempt.id) for attempt in (single, batched)]
            assert sheet_in(results[0]) == sheet_in(results[1])
        assert await uow.attempts.histogram(made.id) == {Fraction(4, 3): 2, Fraction(-4, 3): 2}
        assert await uow.attempts.histogram(other.id) == {Fraction(4, 3): 1}

    async def test_of_several_graders_one_grades(
        self,
        engine: AsyncEngine,
        parts: Components,
        people: People,
        author: httpx.AsyncClient,
        clock: TestClock,
    ) -> None:
        """Results that are held leave the attempt as it is: who waited for it must look again."""
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
        held = await hold_exam(author, made, starts_at=clock.now() - MINUTE)
        ids = []
        for _ in range(4):
            entrant = await register(await people.candidate(), held)
            body_of(await entrant.enter())
            body_of(await entrant.submit())
            ids.append(UUID(entrant.attempt["id"]))
        await bring_sheets(held, ["1", "a", "b", "c"], unknown_roll_numbers="accept")

        async def grade() -> int:
            async with unit_of_work(engine) as uow:
                return await attempts.grade_batch(uow, parts, ids, clock.now())

        assert sorted(await asyncio.gather(*(grade() for _ in range(4)))) == [0, 0, 0, 4]
        async with reading(engine) as reads:
            histogram = await reads.attempts.histogram(UUID(held.papers[0]["id"]))
        assert histogram == {Fraction(0): 4, Fraction(6): 1}
