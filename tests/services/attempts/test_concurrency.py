"""Two connections at once: what overlaps is either graded or refused, and happens once.

Nothing here waits for a while and hopes: a test goes on when PostgreSQL says who blocks whom.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncEngine

from app.core.saving_errors import AttemptNotInProgress
from app.models import Attempt, Job, Result
from app.services import attempts
from app.services.attempts import LateSave, Response, SaveReport, StartedAttempt
from app.services.components import Components
from app.services.unit_of_work import UnitOfWork, reading, unit_of_work
from app.services.users import Principal
from tests.builders.attempts import (
    add_candidate,
    logged,
    ref_of,
    response,
    start_attempt,
    target_of,
    until_blocking,
)
from tests.builders.content import PublishedTest, publish_test
from tests.builders.saves import save_uncommitted
from tests.waiting import PATIENCE

NOW = datetime(2026, 6, 7, 4, 0, tzinfo=UTC)
GRACE = timedelta(seconds=10)
OVERDUE = NOW + timedelta(seconds=611)  # the test takes 600 s


class ConnectionLost(Exception):
    """What ends a transaction in its middle."""


@dataclass(frozen=True)
class Hall:
    """One test and one candidate's attempt at it, with all that may happen to it."""

    engine: AsyncEngine
    parts: Components
    made: PublishedTest
    candidate: Principal
    attempt: Attempt

    async def start(self, uow: UnitOfWork) -> StartedAttempt:
        return await attempts.start(uow, self.parts, self.candidate, self.made.id, None, NOW)

    async def save(self, uow: UnitOfWork, answer: str, revision: int = 1, now: datetime = NOW) -> SaveReport:
        report = await self.send(uow, answer, revision, now)
        assert isinstance(report, SaveReport)
        return report

    async def send(self, uow: UnitOfWork, answer: str, revision: int, now: datetime) -> SaveReport | LateSave:
        sent = [response(self.made, 0, [answer], revision)]
        return await save_uncommitted(uow, self.parts, target_of(self.attempt), sent, now)

    async def request_save(self, answer: str, revision: int = 1, now: datetime = NOW) -> Any:
        """Save and commit, as a request does."""
        sent = [response(self.made, 0, [answer], revision)]
        return await attempts.save_and_commit(self.parts, target_of(self.attempt), sent, now)

    async def submit(self, uow: UnitOfWork, now: datetime = NOW) -> Attempt:
        return await attempts.submit(uow, self.parts, ref_of(self.attempt), now)

    async def sweep(self, uow: UnitOfWork, now: datetime = OVERDUE) -> int:
        return await attempts.close_overdue(uow, now, GRACE)

    async def grade(self, uow: UnitOfWork) -> int:
        return await attempts.grade_batch(uow, self.parts, [self.attempt.id], OVERDUE)

    async def apart(self, work: Callable[..., Awaitable[Any]], *arguments: Any, **more: Any) -> Any:
        """Do one of these on a connection of its own, and commit."""
        async with unit_of_work(self.engine) as uow:
            return await work(uow, *arguments, **more)

    async def result(self) -> Result | None:
        async with reading(self.engine) as reads:
            return await reads.attempts.result(self.attempt.id)

    async def closed_by(self) -> str | None:
        async with reading(self.engine) as reads:
            return await reads.session.scalar(select(Attempt.closed_by).where(Attempt.id == self.attempt.id))

    async def participants(self) -> int:
        async with reading(self.engine) as reads:
            return sum((await reads.attempts.histogram(self.made.id)).values())

    async def grade_jobs(self) -> int:
        """How many jobs ask for this attempt's grading."""
        mine = Job.arguments["attempt_ids"].contains([str(self.attempt.id)])
        async with reading(self.engine) as reads:
            jobs = select(func.count()).where(mine, Job.task == "grade_attempts")
            return (await reads.session.scalar(jobs)) or 0


@pytest.fixture
async def hall(engine: AsyncEngine, parts: Components) -> Hall:
    async with unit_of_work(engine) as uow:
        return await open_hall(uow, engine, parts, await publish_test(uow))


async def open_hall(uow: UnitOfWork, engine: AsyncEngine, parts: Components, made: PublishedTest) -> Hall:
    """A new candidate begins."""
    candidate = await add_candidate(uow)
    return Hall(engine, parts, made, candidate, await start_attempt(uow, parts, made, NOW, candidate))


class TestSaveAndSubmit:
    async def test_a_submit_waits_for_a_save_under_way_and_grades_it(self, hall: Hall) -> None:
        async with unit_of_work(hall.engine) as uow:
            assert (await hall.save(uow, "a")).saved == 1
            submitting = asyncio.create_task(hall.apart(hall.submit))
            await until_blocking(hall.engine, uow)
        await submitting
        result = await hall.result()
        assert result is not None
        assert result.outcomes.count("c") == 1

    async def test_a_save_that_waits_for_a_submit_is_refused(self, hall: Hall) -> None:
        async with unit_of_work(hall.engine) as uow:
            await hall.submit(uow)
            saving = asyncio.create_task(hall.request_save("a"))
            await until_blocking(hall.engine, uow)
        with pytest.raises(AttemptNotInProgress):
            await saving
        assert await logged(hall.engine, hall.attempt.id) == []

    async def test_a_save_that_waits_for_a_submit_that_fails_is_kept(self, hall: Hall) -> None:
        with suppress(ConnectionLost):
            async with unit_of_work(hall.engine) as uow:
                await hall.submit(uow)
                saving = asyncio.create_task(hall.request_save("a"))
                await until_blocking(hall.engine, uow)
                raise ConnectionLost
        assert (await saving).saved == 1

    async def test_saves_do_not_wait_for_each_other(self, hall: Hall) -> None:
        async with unit_of_work(hall.engine) as uow, asyncio.timeout(PATIENCE):
            await hall.save(uow, "a")
            assert (await hall.request_save("b", 2)).saved == 1

    async def test_two_submits_give_one_result(self, hall: Hall) -> None:
        async with unit_of_work(hall.engine) as uow:
            first = await hall.submit(uow)
            submitting = asyncio.create_task(hall.apart(hall.submit))
            await until_blocking(hall.engine, uow)
        second = await submitting
        assert (first.status, second.status) == ("graded", "graded")
        assert first.submitted_at == second.submitted_at
        assert await hall.participants() == 1


class TestSavesOfOneRevision:
    async def test_one_stands_and_the_other_is_told(self, hall: Hall) -> None:
        async with unit_of_work(hall.engine) as uow:
            first = await hall.save(uow, "a")
            saving = asyncio.create_task(hall.request_save("b"))
            await until_blocking(hall.engine, uow)
        second: SaveReport = await saving
        assert (first.saved, second.saved) == (1, 0)
        assert [(each.revision, each.answer) for each in second.conflicts] == [(1, ["a"])]
        assert [row.answer for row in await logged(hall.engine, hall.attempt.id)] == [["a"]]

    async def test_a_retry_that_overtakes_its_first_try_is_known(self, hall: Hall) -> None:
        async with unit_of_work(hall.engine) as uow:
            await hall.save(uow, "a")
            saving = asyncio.create_task(hall.request_save("a"))
            await until_blocking(hall.engine, uow)
        second: SaveReport = await saving
        assert (second.saved, second.known, second.conflicts) == (0, 1, [])

    async def test_a_late_retry_that_overtakes_its_first_try_is_known(self, hall: Hall) -> None:
        async with unit_of_work(hall.engine) as uow:
            await hall.save(uow, "a")
            saving = asyncio.create_task(hall.request_save("a", 1, OVERDUE))
            await until_blocking(hall.engine, uow)
        late: LateSave = await saving
        assert (late.known, late.recorded) == (1, False)

    @pytest.mark.parametrize(("answer", "recorded"), [("a", True), ("b", False)])
    async def test_a_late_answer_that_overtakes_another_late_one(
        self, hall: Hall, answer: str, recorded: bool
    ) -> None:
        async with unit_of_work(hall.engine) as uow:
            await hall.send(uow, "a", 1, OVERDUE)
            saving = asyncio.create_task(hall.request_save(answer, 1, OVERDUE))
            await until_blocking(hall.engine, uow)
        late: LateSave = await saving
        assert (late.known, late.recorded) == (0, recorded)
        assert [(row.answer, row.late) for row in await logged(hall.engine, hall.attempt.id)] == [
            (["a"], True)
        ]

    async def test_an_answer_in_time_that_waits_for_another_one_is_not_taken_for_the_late_one(
        self, hall: Hall
    ) -> None:
        """Its statement began when the log had only the late answer, with the same content."""
        await hall.request_save("a", 1, OVERDUE)
        async with unit_of_work(hall.engine) as uow:
            await hall.save(uow, "b")
            saving = asyncio.create_task(hall.request_save("a"))
            await until_blocking(hall.engine, uow)
        second: SaveReport = await saving
        assert (second.saved, second.known, len(second.conflicts)) == (0, 0, 1)
        assert [(row.answer, row.late) for row in await logged(hall.engine, hall.attempt.id)] == [
            (["b"], False)
        ]

    async def test_if_the_first_is_rolled_back_the_second_is_saved(self, hall: Hall) -> None:
        with suppress(ConnectionLost):
            async with unit_of_work(hall.engine) as uow:
                await hall.save(uow, "a")
                saving = asyncio.create_task(hall.request_save("b"))
                await until_blocking(hall.engine, uow)
                raise ConnectionLost
        assert (await saving).saved == 1

    async def test_queues_in_opposite_order_do_not_deadlock(self, hall: Hall) -> None:
        async def save(sent: Sequence[Response]) -> SaveReport:
            async with unit_of_work(hall.engine) as uow:
                report = await save_uncommitted(uow, hall.parts, target_of(hall.attempt), sent, NOW)
                assert isinstance(report, SaveReport)
                return report

        for first in range(1, 1001, 200):
            queue = [response(hall.made, 0, ["a"], first + more) for more in range(200)]
            reports = await asyncio.gather(save(queue), save(queue[::-1]))
            assert [sum_of(report) for report in reports] == [200, 200]
        assert len(await logged(hall.engine, hall.attempt.id)) == 1000


def sum_of(report: SaveReport) -> int:
    return report.saved + report.known + len(report.superseded) + len(report.conflicts)


class TestStarts:
    async def test_two_starts_give_one_attempt(self, engine: AsyncEngine, parts: Components) -> None:
        async with unit_of_work(engine) as uow:
            made, candidate = await publish_test(uow), await add_candidate(uow)

        async def start(uow: UnitOfWork) -> StartedAttempt:
            return await attempts.start(uow, parts, candidate, made.id, None, NOW)

        async def start_apart() -> StartedAttempt:
            async with unit_of_work(engine) as uow:
                return await start(uow)

        async with unit_of_work(engine) as uow:
            first = await start(uow)
            starting = asyncio.create_task(start_apart())
            await until_blocking(engine, uow)
        second = await starting
        assert (first.is_new, second.is_new) == (True, False)
        assert first.attempt.id == second.attempt.id
        assert (first.attempt.lease, second.attempt.lease) == (1, 2)

    async def test_a_start_that_waits_for_a_submit_begins_the_next_attempt(self, hall: Hall) -> None:
        async with unit_of_work(hall.engine) as uow:
            await hall.submit(uow)
            starting = asyncio.create_task(hall.apart(hall.start))
            await until_blocking(hall.engine, uow)
        started: StartedAttempt = await starting
        assert (started.is_new, started.attempt.number, started.attempt.practice) == (True, 2, True)

    async def test_a_save_that_waits_for_a_new_device_is_kept(self, hall: Hall) -> None:
        async with unit_of_work(hall.engine) as uow:
            await hall.start(uow)
            saving = asyncio.create_task(hall.request_save("a"))
            await until_blocking(hall.engine, uow)
        assert (await saving).saved == 1


class TestSweepers:
    async def test_two_close_each_attempt_once(self, hall: Hall) -> None:
        async with unit_of_work(hall.engine) as uow:
            assert await hall.sweep(uow) >= 1
            assert await hall.apart(hall.sweep) == 0
        assert await hall.apart(hall.sweep) == 0
        assert await hall.closed_by() == "deadline"
        assert await hall.grade_jobs() == 1

    async def test_a_submit_waits_for_a_sweeper_and_grades(self, hall: Hall) -> None:
        async with unit_of_work(hall.engine) as uow:
            await hall.sweep(uow)
            submitting = asyncio.create_task(hall.apart(hall.submit, now=OVERDUE))
            await until_blocking(hall.engine, uow)
        assert (await submitting).status == "graded"
        assert await hall.closed_by() == "deadline"
        assert await hall.apart(hall.grade) == 0
        assert await hall.participants() == 1

    async def test_a_sweeper_leaves_an_attempt_that_is_being_submitted(self, hall: Hall) -> None:
        async with unit_of_work(hall.engine) as uow:
            await hall.submit(uow, now=NOW + timedelta(seconds=605))
            async with asyncio.timeout(PATIENCE):
                await hall.apart(hall.sweep)
        assert await hall.closed_by() == "candidate"
        assert await hall.grade_jobs() == 0

    async def test_a_save_in_flight_is_graded(self, hall: Hall) -> None:
        async with unit_of_work(hall.engine) as uow:
            assert (await hall.save(uow, "a", now=NOW + timedelta(seconds=609))).saved == 1
            async with asyncio.timeout(PATIENCE):
                await hall.apart(hall.sweep)
            assert await hall.closed_by() is None
        await hall.apart(hall.sweep)
        assert await hall.apart(hall.grade) == 1
        result = await hall.result()
        assert result is not None
        assert result.outcomes.count("c") == 1

    async def test_a_save_that_waits_for_a_sweeper_is_kept_as_late(self, hall: Hall) -> None:
        """It arrived in grace and would have counted; the sweeper was quicker, and the log says so."""
        async with unit_of_work(hall.engine) as uow:
            await hall.sweep(uow)
            saving = asyncio.create_task(hall.request_save("a", 1, NOW + timedelta(seconds=609)))
            await until_blocking(hall.engine, uow)
        assert isinstance(await saving, LateSave)
        assert [row.late for row in await logged(hall.engine, hall.attempt.id)] == [True]


class TestGraders:
    async def test_many_of_one_test_do_not_deadlock(self, engine: AsyncEngine, parts: Components) -> None:
        async with unit_of_work(engine) as uow:
            made = await publish_test(uow)
            halls = [await open_hall(uow, engine, parts, made) for _ in range(20)]
        for number, hall in enumerate(halls):
            if number % 2:
                await hall.request_save("a")
        await asyncio.gather(*(hall.apart(hall.submit) for hall in halls))
        async with reading(engine) as reads:
            histogram = await reads.attempts.histogram(made.id)
        assert histogram == {Fraction(0): 10, Fraction(2): 10}

    async def test_the_job_and_the_candidate_grade_once(self, hall: Hall) -> None:
        await hall.apart(hall.sweep)
        grades = [hall.apart(hall.grade), hall.apart(hall.grade), hall.apart(hall.submit, now=OVERDUE)]
        await asyncio.gather(*grades)
        assert await hall.participants() == 1
