"""Submits of many candidates in one transaction: what each gets, and who is left to `submit`."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from fractions import Fraction
from functools import partial
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from app.models import Attempt, Result
from app.services import attempts
from app.services.attempts import SubmitRequest
from app.services.components import Components
from app.services.unit_of_work import reading, unit_of_work
from tests.builders.attempts import ref_of, response, start_attempt, target_of
from tests.builders.content import PublishedTest, publish_test
from tests.waiting import PATIENCE

VOID = text(
    "update ias.attempts set status = 'void', voided_from = 'submitted', submitted_at = now(),"
    " closed_by = 'staff' where id = :id"
)
REOPEN = text(
    "update ias.attempts set status = 'in_progress', submitted_at = null, closed_by = null where id = :id"
)
ENDED = text(
    "update ias.attempts set status = 'submitted', submitted_at = deadline_at, closed_by = 'deadline'"
    " where id = :id"
)


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
    right = [response(made, position, key["accepted"][0]) for position, key in enumerate(made.keys)]
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


async def test_what_is_void_locked_banned_or_of_somebody_else_is_left(hall: Hall) -> None:
    void, locked, banned, others = hall.attempts
    async with unit_of_work(hall.engine) as uow:
        await uow.session.execute(VOID, {"id": void.id})
    async with unit_of_work(hall.engine) as uow:
        assert banned.user_id is not None
        await uow.users.change(banned.user_id, {"active": False})
    forged = SubmitRequest(replace(ref_of(others), user_id=uuid4()), hall.parts.clock.now())
    async with unit_of_work(hall.engine) as uow:
        await uow.attempts.lock(ref_of(locked))
        outcomes = await asyncio.gather(*map(hall.submit, (void, locked, banned)))
        assert await attempts.submit_together(hall.parts, forged) is None
    assert outcomes == [None] * 3


async def test_one_that_has_ended_is_left_for_somebody_else_and_for_the_banned(hall: Hall) -> None:
    [ended, *_] = hall.attempts
    assert await hall.submit(ended) is not None
    forged = SubmitRequest(replace(ref_of(ended), user_id=uuid4()), hall.parts.clock.now())
    assert await attempts.submit_together(hall.parts, forged) is None
    async with unit_of_work(hall.engine) as uow:
        assert ended.user_id is not None
        await uow.users.change(ended.user_id, {"active": False})
    assert await hall.submit(ended) is None


async def test_one_that_is_submitted_again_is_answered_as_it_is(hall: Hall) -> None:
    [first, *_] = hall.attempts
    request = SubmitRequest(ref_of(first), hall.parts.clock.now())
    submit = partial(attempts.submit_together, hall.parts)
    both = await asyncio.gather(submit(request), submit(request))
    later = await submit(replace(request, arrived_at=request.arrived_at + timedelta(hours=1)))
    for each in (*both, later):
        assert each is not None
        assert (each.attempt.status, each.attempt.closed_by) == ("graded", "candidate")
        assert (each.attempt.id, each.attempt.submitted_at) == (first.id, request.arrived_at)
        assert each.result is not None
        assert each.result.figures["score"] == "6.00"
    [result, *_] = await hall.results()
    assert result is not None
    async with reading(hall.engine) as reads:
        assert await reads.attempts.histogram(result.cohort_id) == {Fraction(6): 1}


@pytest.mark.parametrize("change", ["void", "reopen", "revise"])
async def test_whoever_changes_an_ended_attempt_is_not_waited_for(hall: Hall, change: str) -> None:
    """The submit counts as the earlier one of the two."""
    [first, *_] = hall.attempts
    before = await hall.submit(first)
    assert before is not None
    async with unit_of_work(hall.engine) as uow, asyncio.timeout(PATIENCE):
        await uow.attempts.lock(ref_of(first))
        if change == "revise":
            await uow.keys.lock_exclusively([first.paper_id])
        else:
            await attempts.withdraw_results(uow, [first.id])
            await uow.session.execute(VOID if change == "void" else REOPEN, {"id": first.id})
        request = SubmitRequest(ref_of(first), hall.parts.clock.now())
        again = await attempts.submit_together(hall.parts, request)
    assert again is not None
    assert again.result is not None
    assert (again.attempt.status, again.attempt.submitted_at) == ("graded", before.submitted_at)


async def test_a_change_of_an_ended_attempt_that_is_committed_counts(hall: Hall) -> None:
    void, reopened, *_ = hall.attempts
    for attempt, change in ((void, VOID), (reopened, REOPEN)):
        assert await hall.submit(attempt) is not None
        async with unit_of_work(hall.engine) as uow:
            await attempts.withdraw_results(uow, [attempt.id])
            await uow.session.execute(change, {"id": attempt.id})
    assert await hall.submit(void) is None
    now = hall.parts.clock.now() + timedelta(seconds=5)
    again = await attempts.submit_together(hall.parts, SubmitRequest(ref_of(reopened), now))
    assert again is not None
    assert (again.attempt.status, again.attempt.submitted_at) == ("graded", now)


async def test_one_that_waits_to_be_graded_is_graded_unless_a_job_does_it_now(hall: Hall) -> None:
    by_job, waiting, *_ = hall.attempts
    async with unit_of_work(hall.engine) as uow:
        for attempt in (by_job, waiting):
            await uow.session.execute(ENDED, {"id": attempt.id})
    async with unit_of_work(hall.engine) as uow, asyncio.timeout(PATIENCE):
        assert await attempts.grade_batch(uow, hall.parts, [by_job.id], hall.parts.clock.now()) == 1
        assert await hall.submit(by_job) is None
    submitted = await hall.submit(waiting)
    assert submitted is not None
    assert (submitted.status, submitted.closed_by) == ("graded", "deadline")
    assert [result is not None for result in await hall.results()] == [True, True, False, False]


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


async def test_in_an_outage_all_fail(hall: Hall) -> None:
    read_only = hall.parts.batch_engine.execution_options(postgresql_readonly=True)  # As on a full disk.
    crowded = replace(hall, parts=replace(hall.parts, batch_engine=read_only))
    outcomes = await asyncio.gather(*map(crowded.submit, hall.attempts), return_exceptions=True)
    assert {type(outcome) for outcome in outcomes} == {DBAPIError}


async def test_one_that_cannot_be_graded_leaves_all_to_be_submitted_by_themselves(hall: Hall) -> None:
    damaged = text("update ias.response_events set answer = '{\"a\": [1]}' where attempt_id = :id")
    async with unit_of_work(hall.engine) as uow:
        await uow.session.execute(damaged, {"id": hall.attempts[0].id})
    assert await hall.submit_all() == [None] * 4
    async with unit_of_work(hall.engine) as uow:
        ref, now = ref_of(hall.attempts[1]), hall.parts.clock.now()
        assert (await attempts.submit(uow, hall.parts, ref, now)).status == "graded"
