"""Submits of many candidates in one transaction: what each gets, and who is left to `submit`."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Attempt, Result
from app.services import attempts
from app.services.attempts import SubmitRequest
from app.services.components import Components
from app.services.unit_of_work import reading, unit_of_work
from tests.builders.attempts import ref_of, response, start_attempt, target_of
from tests.builders.content import PublishedTest, publish_test


@dataclass(frozen=True)
class Hall:
    """A test of three questions, and running attempts, of which the first one has all answers right."""

    engine: AsyncEngine
    parts: Components
    made: PublishedTest
    attempts: Sequence[Attempt]

    async def submit(self, attempt: Attempt, later: timedelta = timedelta(0)) -> Attempt | None:
        arrived_at = self.parts.clock.now() + later
        submitted = await attempts.submit_together(self.parts, SubmitRequest(ref_of(attempt), arrived_at))
        return submitted.attempt if submitted else None

    async def submit_all(self) -> list[Attempt | None]:
        return list(await asyncio.gather(*map(self.submit, self.attempts)))

    async def results(self) -> list[Result | None]:
        async with reading(self.engine) as reads:
            return [await reads.attempts.result(attempt.id) for attempt in self.attempts]


@pytest.fixture
async def hall(engine: AsyncEngine, parts: Components) -> Hall:
    now = parts.clock.now()
    async with unit_of_work(engine) as uow:
        made = await publish_test(uow)
        running = [await start_attempt(uow, parts, made, now) for _ in range(4)]
    right = [response(made, place, key["accepted"][0]) for place, key in enumerate(made.keys)]
    await attempts.save_and_commit(parts, target_of(running[0]), right, now)
    return Hall(engine, parts, made, running)


async def test_all_are_graded_in_one_transaction(hall: Hall) -> None:
    submitted = await hall.submit_all()
    assert [each and (each.status, each.closed_by) for each in submitted] == [("graded", "candidate")] * 4
    results = await hall.results()
    scores = [Fraction(int(each.score_numerator), int(each.score_denominator)) for each in results if each]
    assert scores == [6, 0, 0, 0]
    async with reading(hall.engine) as reads:
        query = text("select count(distinct xmin::text) from ias.attempts where test_id = :id")
        assert await reads.session.scalar(query, {"id": hall.made.id}) == 1
        [first, *_] = [each for each in results if each]
        assert await reads.attempts.histogram(first.cohort_id) == {Fraction(6): 1, Fraction(0): 3}


async def test_what_is_ended_locked_banned_or_of_somebody_else_is_left(hall: Hall) -> None:
    ended, locked, banned, others = hall.attempts
    assert await hall.submit(ended) is not None
    async with unit_of_work(hall.engine) as uow:
        assert banned.user_id is not None
        await uow.users.change(banned.user_id, {"active": False})
    forged = SubmitRequest(replace(ref_of(others), user_id=uuid4()), hall.parts.clock.now())
    async with unit_of_work(hall.engine) as uow:
        await uow.attempts.lock(ref_of(locked))
        outcomes = await asyncio.gather(*map(hall.submit, (ended, locked, banned)))
        assert await attempts.submit_together(hall.parts, forged) is None
    assert outcomes == [None] * 3
    both = await asyncio.gather(hall.submit(others), hall.submit(others))
    assert [each is not None for each in both] == [True, False]


async def test_each_ends_when_it_arrived_or_at_the_deadline(hall: Hall) -> None:
    soon, late, *_ = hall.attempts
    submitted = await asyncio.gather(hall.submit(soon), hall.submit(late, timedelta(hours=1)))
    assert [each and each.closed_by for each in submitted] == ["candidate", "deadline"]
    assert submitted[1] is not None
    assert submitted[1].submitted_at == late.deadline_at


async def test_a_key_that_is_revised_is_not_waited_for(hall: Hall) -> None:
    async with unit_of_work(hall.engine) as uow:
        await uow.keys.lock_exclusively([hall.attempts[0].paper_id])
        submitted = await hall.submit_all()
    assert [each and each.status for each in submitted] == ["submitted"] * 4
    async with reading(hall.engine) as reads:
        query = text(
            "select arguments from ias.jobs where task = 'grade_attempts' and arguments::text like :id"
        )
        arguments = await reads.session.scalar(query, {"id": f"%{hall.attempts[0].id}%"})
    assert sorted(arguments["attempt_ids"]) == sorted(str(attempt.id) for attempt in hall.attempts)


async def test_one_that_cannot_be_graded_leaves_all_to_be_submitted_by_themselves(hall: Hall) -> None:
    damaged = text("update ias.response_events set answer = '{\"a\": [1]}' where attempt_id = :id")
    async with unit_of_work(hall.engine) as uow:
        await uow.session.execute(damaged, {"id": hall.attempts[0].id})
    assert await hall.submit_all() == [None] * 4
    async with unit_of_work(hall.engine) as uow:
        ref, now = ref_of(hall.attempts[1]), hall.parts.clock.now()
        assert (await attempts.submit(uow, hall.parts, ref, now)).status == "graded"
